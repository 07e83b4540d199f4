// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/host_thread.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "arch/cpu.hpp"
#include "arch/host_call.hpp"
#include "platform/linuxu/memory.hpp"

extern "C" tutti::i64 clone_to(tutti::u64 flags, void* stack_top, void* (*entry)(void*), void* argument);

namespace tutti::platform {

int start_host_thread(u64 stack_size, void* (*entry)(void*), void* argument) {
    constexpr u64 kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    char* const stack = static_cast<char*>(host_allocate(stack_size));
    i64 const thread = clone_to(kFlags, stack + stack_size, entry, argument);
    return thread > 0 ? 0 : static_cast<int>(-thread);
}

int start_helper_thread(void* (*entry)(void*), void* argument) {
    constexpr u64 kStackSize = 64 << 10;
    arch::IrqState const before = arch::disable_interrupts();
    u64 const all = ~u64{0};
    u64 old = 0;
    arch::host_call(SYS_rt_sigprocmask, SIG_SETMASK, arch::host_argument(&all), arch::host_argument(&old), sizeof all);
    int const error = start_host_thread(kStackSize, entry, argument);
    arch::host_call(SYS_rt_sigprocmask, SIG_SETMASK, arch::host_argument(&old), 0, sizeof old);
    arch::restore_interrupts(before);
    return error;
}

}  // namespace tutti::platform
