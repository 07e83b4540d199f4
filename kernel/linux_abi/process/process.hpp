// SPDX-License-Identifier: BSD-3-Clause
// A Linux process: the objects its threads share. A Tutti VM runs one today; nothing here assumes that it is the
// only one, so that fork can come later.
#pragma once

#include <atomic>

#include "base/ref.hpp"
#include "base/string.hpp"
#include "linux_abi/abi/system.hpp"
#include "linux_abi/process/fd_table.hpp"
#include "linux_abi/process/file_context.hpp"
#include "linux_abi/process/process_image.hpp"
#include "linux_abi/process/resource_limits.hpp"
#include "linux_abi/process/thread_group.hpp"
#include "linux_abi/time/timer_table.hpp"
#include "vm/address_space.hpp"

namespace tutti::linux_abi {

// How a process ended: an exit code, or the signal that killed it.
struct ExitStatus {
    i32 code = 0;
    i32 signal = 0;
};

class Process : public RefCounted<Process> {
  public:
    static Result<Ref<Process>> create(i32 pid, Ref<vm::AddressSpace> address_space);
    ~Process();

    [[nodiscard]] i32 pid() const { return pid_; }
    [[nodiscard]] i32 parent_pid() const { return 1; }

    [[nodiscard]] vm::AddressSpace& address_space() const { return *address_space_; }
    [[nodiscard]] FdTable& files() { return files_; }
    [[nodiscard]] FileContext& file_context() { return file_context_; }
    [[nodiscard]] ThreadGroup& threads() { return threads_; }
    [[nodiscard]] TimerTable& timers() { return timers_; }
    [[nodiscard]] ResourceLimits& limits() { return limits_; }

    // What /proc/self shows. Set before the first thread starts.
    [[nodiscard]] ProcessImage& image() { return image_; }

    // Asks every thread to end. The first caller's status is the process's. Thread context.
    void begin_exit(ExitStatus status);
    [[nodiscard]] bool is_exiting() const { return exiting_.load(std::memory_order_acquire); }
    // Valid once is_exiting(), or after the last thread has ended by itself.
    [[nodiscard]] ExitStatus exit_status() const { return exit_status_; }
    // The first thread's exit code counts when threads end one by one.
    void set_leader_status(ExitStatus status);

    // Flags that prctl and membarrier set once. Relaxed: each stands for itself.
    void set_no_new_privileges() { no_new_privileges_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool no_new_privileges() const { return no_new_privileges_.load(std::memory_order_relaxed); }
    // Remembered only: there are no core files.
    void set_dumpable(bool dumpable) { dumpable_.store(dumpable, std::memory_order_relaxed); }
    [[nodiscard]] bool is_dumpable() const { return dumpable_.load(std::memory_order_relaxed); }
    void register_membarrier() { membarrier_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool membarrier_registered() const { return membarrier_.load(std::memory_order_relaxed); }

  private:
    Process(i32 pid, Ref<vm::AddressSpace> address_space);

    i32 const pid_;
    Ref<vm::AddressSpace> const address_space_;
    ResourceLimits limits_;
    FdTable files_;
    FileContext file_context_;
    ThreadGroup threads_;
    TimerTable timers_;
    ProcessImage image_;
    ExitStatus exit_status_;  // written under the thread-group lock before exiting_ or by the last thread
    std::atomic<bool> exiting_{false};
    std::atomic<bool> no_new_privileges_{false};
    std::atomic<bool> membarrier_{false};
    std::atomic<bool> dumpable_{true};
};

}  // namespace tutti::linux_abi
