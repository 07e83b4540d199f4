// SPDX-License-Identifier: BSD-3-Clause
// isrcheck: proves over a linked kernel that interrupts reach only code that is marked for it (README.md).
//
//   isrcheck IMAGE.elf [--name NAME] [--json FILE] [--list-unmarked | --list-indirect]
//
// IMAGE.elf has its symbols and debug information. Exit status: 0 clean, 1 findings, 2 the image cannot be read.
#include <iostream>

#include "report.hpp"

int main(int argc, char** argv) {
    using namespace isrcheck;
    std::string image_path;
    std::string name;
    std::string json;
    bool list_unmarked = false;
    bool list_indirect = false;
    for (int i = 1; i < argc; ++i) {
        std::string const word = argv[i];
        bool const has_value = i + 1 < argc;
        if (word == "--name" && has_value) name = argv[++i];
        else if (word == "--json" && has_value) json = argv[++i];
        else if (word == "--list-unmarked") list_unmarked = true;
        else if (word == "--list-indirect") list_indirect = true;
        else if (image_path.empty() && !word.starts_with("-")) image_path = word;
        else {
            std::cerr << "usage: isrcheck IMAGE.elf [--name NAME] [--json FILE] [--list-unmarked | --list-indirect]\n";
            return 2;
        }
    }
    if (name.empty()) name = image_path;
    try {
        Image const image{image_path};
        Disassembly const disassembly{image};
        DebugInfo debug_info{image_path};
        Values values{image, disassembly, debug_info};
        IndirectCalls indirect{image, disassembly, values, debug_info};
        Result const result = Checker{image, disassembly, indirect}.run(list_unmarked);
        if (list_unmarked) print_unmarked(result, debug_info);
        else if (list_indirect) print_indirect(result, debug_info);
        else print_report(name, image, result, debug_info);
        if (!json.empty()) write_json(json, name, image, result, debug_info);
        return result.findings.empty() ? 0 : 1;
    } catch (BadImage const& bad) {
        std::cerr << "isrcheck: " << bad.what() << "\n";
        return 2;
    }
}
