// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/host_thread.hpp"

#include <sched.h>

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

}  // namespace tutti::platform
