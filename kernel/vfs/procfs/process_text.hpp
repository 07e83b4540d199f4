// SPDX-License-Identifier: BSD-3-Clause
// The texts of /proc/PID and /proc/PID/task/TID, in the formats of proc(5). They append to `text`.
#pragma once

#include "vfs/procfs/process_source.hpp"

namespace tutti::vfs {

// Whose entry it is: of the whole process, or of one thread only (/proc/PID/task/TID).
struct ProcessEntry {
    ProcessSource& source;
    i32 process = 0;
    i32 thread = 0;
    bool is_task = false;
};

Result<> generate_stat(ProcessEntry const& entry, String& text);
Result<> generate_statm(ProcessEntry const& entry, String& text);
Result<> generate_status(ProcessEntry const& entry, String& text);
Result<> generate_limits(ProcessEntry const& entry, String& text);
Result<> generate_maps(ProcessEntry const& entry, String& text);
Result<> generate_smaps(ProcessEntry const& entry, String& text);
Result<> generate_smaps_rollup(ProcessEntry const& entry, String& text);
Result<> generate_comm(ProcessEntry const& entry, String& text);
Result<> generate_command_line(ProcessEntry const& entry, String& text);
Result<> generate_environment(ProcessEntry const& entry, String& text);
Result<> generate_auxiliary_vector(ProcessEntry const& entry, String& text);

// One area's line of /proc/PID/maps.
Result<> append_area(String& text, vm::AreaInfo const& area);

// Pages of a space by what they are for, as statm and status show them.
struct MemoryUse {
    u64 resident_anonymous = 0, resident_file = 0, resident_shared = 0;
    u64 virtual_pages = 0, data_pages = 0, stack_pages = 0, executable_pages = 0;
    [[nodiscard]] u64 resident() const { return resident_anonymous + resident_file + resident_shared; }
};
Result<MemoryUse> memory_use(vm::AddressSpace& space);

// Clock ticks of 1/100 s (sysconf(_SC_CLK_TCK)).
[[nodiscard]] constexpr u64 to_clock_ticks(Nanoseconds time) { return static_cast<u64>(time.count()) / 10'000'000; }

}  // namespace tutti::vfs
