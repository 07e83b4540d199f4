// SPDX-License-Identifier: BSD-3-Clause
// What /proc must be told about processes: implemented by the layer that has them (linux_abi/proc), which vfs does not
// know. Thread context; may block; any number of CPUs at once. A process or thread that is gone: Error::NoSuchProcess.
#pragma once

#include <span>

#include "sched/thread.hpp"
#include "vfs/file.hpp"
#include "vfs/inode.hpp"
#include "vm/address_space.hpp"

namespace tutti::vfs {

struct ResourceLimit {
    u64 current = 0;  // ~0: unlimited
    u64 maximum = 0;
};
// In the order of RLIMIT_*.
inline constexpr size_t kResourceLimits = 16;

// Sets of signals; bit n-1 is signal n.
struct SignalSets {
    u64 thread_pending = 0, process_pending = 0, blocked = 0, ignored = 0, caught = 0;
};

struct ThreadState {
    Ref<sched::Thread> thread;
    i32 parent = 0;  // process
    u32 thread_count = 0;
    bool is_stopped = false;
    bool no_new_privileges = false;
    SignalSets signals;
};

struct ProcessState {
    Ref<vm::AddressSpace> space;
    Nanoseconds started;   // since boot
    Nanoseconds cpu_time;  // of all its threads
    u32 file_mode_mask = 0;
    u32 descriptor_slots = 0;
    i32 oom_score_adjustment = 0;
    ResourceLimit limits[kResourceLimits];
    VirtAddr code_start, code_end, data_start, data_end, break_start, stack_start;
    VirtAddr arguments_start, arguments_end, environment_start, environment_end;
    VirtAddr auxiliary_start;
    u64 auxiliary_size = 0;
};

struct SystemIdentity {
    FixedString<64> system, release, version, host, domain;
};

class ProcessSource {
  public:
    // Of the calling thread. NotFound in a kernel thread.
    [[nodiscard]] virtual Result<i32> current_process() = 0;
    [[nodiscard]] virtual Result<i32> current_thread() = 0;
    // The first number at or above `from`; -1: no more.
    [[nodiscard]] virtual i32 next_process(i32 from) = 0;
    [[nodiscard]] virtual i32 next_thread(i32 process, i32 from) = 0;
    [[nodiscard]] virtual i32 next_descriptor(i32 process, i32 from) = 0;

    [[nodiscard]] virtual Result<ThreadState> thread(i32 process, i32 thread) = 0;
    [[nodiscard]] virtual Result<ProcessState> process(i32 process) = 0;
    // Error::BadFileDescriptor.
    [[nodiscard]] virtual Result<Ref<File>> file(i32 process, i32 descriptor) = 0;
    // O_* bits, as open(2) of this architecture has them.
    [[nodiscard]] virtual u32 open_bits(i32 process, i32 descriptor) = 0;
    // Bytes of the process's memory, up to the first page that is not there.
    [[nodiscard]] virtual Result<> read_memory(i32 process, VirtAddr start, VirtAddr end, String& bytes) = 0;

    [[nodiscard]] virtual Result<Ref<Inode>> working_directory(i32 process) = 0;
    [[nodiscard]] virtual Result<> executable(i32 process, String& path) = 0;

    virtual Result<> set_thread_name(i32 process, i32 thread, std::string_view name) = 0;
    virtual Result<> set_oom_score_adjustment(i32 process, i32 value) = 0;

    [[nodiscard]] virtual SystemIdentity identity() = 0;
    virtual Result<> set_host_name(std::string_view name) = 0;
    virtual Result<> set_domain_name(std::string_view name) = 0;
    [[nodiscard]] virtual i32 most_threads() = 0;      // and the largest number that one can have
    [[nodiscard]] virtual i32 last_thread() = 0;       // the number given out last
    [[nodiscard]] virtual u64 most_descriptors() = 0;  // of one process: fs.nr_open

  protected:
    ~ProcessSource() = default;
};

}  // namespace tutti::vfs
