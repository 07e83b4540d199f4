// SPDX-License-Identifier: BSD-3-Clause
// layercheck TREE: enforces the rules of the source tree (checker.hpp); prints violations as FILE:LINE: MESSAGE.
#include <exception>
#include <iostream>

#include "checker.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: layercheck TREE\n";
        return 2;
    }
    try {
        tutti::layercheck::Checker checker(argv[1]);
        auto const violations = checker.check();
        for (auto const& violation : violations) {
            std::cout << violation.file << ":";
            if (violation.line != 0) std::cout << violation.line << ":";
            std::cout << " " << violation.message << "\n";
        }
        std::cout << "layercheck: " << checker.files() << " files, " << violations.size() << " violations\n";
        return violations.empty() ? 0 : 1;
    } catch (std::exception const& error) {
        std::cerr << "layercheck: " << error.what() << "\n";
        return 2;
    }
}
