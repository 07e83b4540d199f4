// SPDX-License-Identifier: BSD-3-Clause
// A command line is understood or refused with a reason; what it names lies inside it.
#include "init/command_line.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(tutti::u8 const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    tutti::FixedString<160> complaint;
    auto const line = tutti::init::parse_command_line(text, complaint);
    if (!line) {
        if (std::string_view{complaint}.empty()) std::abort();
        return 0;
    }
    for (std::string_view const part : {line->heap, line->tests, line->crash})
        if (!part.empty() && (part.data() < text.data() || part.data() + part.size() > text.data() + text.size()))
            std::abort();
    return 0;
}
