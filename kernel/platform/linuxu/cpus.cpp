// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/cpus.hpp"

#if TUTTI_HOSTED_LIBC
#include <pthread.h>
#endif
#include <sys/syscall.h>

#include <bit>

#include "arch/cpu.hpp"
#include "arch/host_call.hpp"
#include "arch/percpu.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/cpu.hpp"
#include "platform/linuxu/clock.hpp"
#include "platform/linuxu/host_thread.hpp"
#include "platform/linuxu/memory.hpp"

namespace tutti::platform {
namespace {

// Secondary CPUs idle on the stacks that they boot on.
constexpr size_t kBootStackSize = 256 << 10;

constinit void** areas = nullptr;  // by CpuId
constinit u32 cpus = 1;
constinit void (*secondary_entry)() = nullptr;

// Byte by byte, by no function: the template holds AddressSanitizer's red zones.
void copy_template(void* area) {
    auto* const to = static_cast<char volatile*>(area);
    for (size_t i = 0; i < arch::percpu_size(); ++i) to[i] = __percpu_start[i];
}

void become_cpu(u32 index) {
    arch::percpu_install(areas[index], index);
    arch::traps_init_cpu();
    clock_init_cpu(areas[index]);
    if constexpr (kRunsPrograms) arch::dispatch_system_calls();
}

void* secondary_main(void* argument) {
    become_cpu(static_cast<u32>(reinterpret_cast<u64>(argument)));
    secondary_entry();
    arch::halt_forever();
}

#if TUTTI_HOSTED_LIBC
int start_thread(void* (*entry)(void*), void* argument) {
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, kBootStackSize) == 0);
    pthread_t thread;
    int const error = pthread_create(&thread, &attributes, entry, argument);
    pthread_attr_destroy(&attributes);
    return error;
}
#else
int start_thread(void* (*entry)(void*), void* argument) { return start_host_thread(kBootStackSize, entry, argument); }
#endif

}  // namespace

void cpus_init(u32 count) {
    cpus = count;
    u64 affinity[128]{};  // room for more processors than Linux supports
    i64 const bytes = arch::host_call(SYS_sched_getaffinity, 0, sizeof affinity, arch::host_argument(affinity));
    u32 processors = 0;
    for (i64 i = 0; i < bytes / 8; ++i) processors += static_cast<u32>(std::popcount(affinity[i]));
    hosted_shares_processors = count > processors;
    u64 const stride = align_up(u64{arch::percpu_size()}, kPageSize);
    areas = static_cast<void**>(host_allocate(count * sizeof(void*)));
    auto* const memory = static_cast<char*>(host_allocate(stride * count));
    for (u32 i = 0; i < count; ++i) {
        areas[i] = memory + stride * i;
        copy_template(areas[i]);
    }
    become_cpu(0);
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

u32 cpu_count() { return cpus; }
// The host's scheduler may take a CPU's processor at any moment, as a hypervisor does.
bool is_virtual_machine() { return true; }
void* percpu_area(CpuId cpu) { return areas[cpu.value()]; }

void start_secondary_cpus(void (*entry)()) {
    secondary_entry = entry;
    // Off: a switch in here would leave the C library's locks to another host thread.
    arch::IrqState const before = arch::disable_interrupts();
    for (u32 i = 1; i < cpus; ++i) {
        int const error = start_thread(secondary_main, reinterpret_cast<void*>(u64{i}));
        CHECK(error == 0, "the host gives no thread for CPU {}: error {}", i, error);
    }
    arch::restore_interrupts(before);
}

}  // namespace tutti::hal
