// SPDX-License-Identifier: BSD-3-Clause
// /proc/PID and /proc/PID/task/TID: directories made anew at each look-up.
#pragma once

#include "vfs/generated/generated_node.hpp"
#include "vfs/procfs/process_source.hpp"

namespace tutti::vfs {

// `parent` is the root of /proc. Error::NotFound when there is no such process; NoMemory.
Result<Ref<Inode>> make_process_directory(GeneratedDirectory& parent, ProcessSource& source, i32 process);

// A name that is a plain decimal number without leading zeroes; Error::NotFound for any other.
[[nodiscard]] Result<i32> parse_entry_number(std::string_view name);

// Lists numbers as names of entries: `next(from)` gives the first number at or above `from`, or one below `from` at the
// end. Number n has position `base` + n; nothing is listed from positions below `base`.
template <class Next>
Result<> list_numbers(GeneratedNode const& directory, u64 base, u64 position, FileType type, DirectorySink& sink,
                      Next next) {
    i32 from = position > base ? static_cast<i32>(position - base) : 0;
    for (i32 number = next(from); number >= from; number = next(from)) {
        char buffer[16];
        std::string_view const name = format_to(buffer, "{}", number);
        u64 const after = base + static_cast<u64>(number) + 1;
        if (!sink.add({.name = name, .inode = GeneratedNode::number_of(directory.number(), name), .type = type,
                       .next = after}))
            break;
        from = number + 1;
    }
    return {};
}

}  // namespace tutti::vfs
