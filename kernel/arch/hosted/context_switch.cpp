// SPDX-License-Identifier: BSD-3-Clause
// A kernel thread is a fiber to ThreadSanitizer and a stack to AddressSanitizer. A switch orders what the CPU did before
// it with what it does after, as the kernel promises to per-CPU data; two CPUs are ordered by nothing but atomics.
#if TUTTI_HOSTED_SANITIZER

#define switch_stacks switch_stacks_raw
#define prepare_stack prepare_stack_raw
#include "arch/raw_context_switch.hpp"
#undef prepare_stack
#undef switch_stacks

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/tsan_interface.h>

#include <new>

#include "arch/context_switch.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "base/bits.hpp"

namespace tutti::arch {
namespace {

// Of a context that does not run. On its stack, so it lives as long as that.
struct SwitchRecord {
    void* stack_pointer = nullptr;
    void* fiber = nullptr;
    void const* stack_bottom = nullptr;
    size_t stack_size = 0;
    void* fake_stack = nullptr;
    void (*entry)(void*) = nullptr;
    void* argument = nullptr;
};

TUTTI_PERCPU SwitchRecord* left_context = nullptr;

void leave(SwitchRecord& self, SwitchRecord const& next) {
    percpu_store(left_context, &self);
#if TUTTI_HOSTED_TSAN
    self.fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(next.fiber, 0);
#endif
#if TUTTI_HOSTED_ASAN
    __sanitizer_start_switch_fiber(&self.fake_stack, next.stack_bottom, next.stack_size);
#endif
}

// On the new stack. The bounds of the stack that was left are known to AddressSanitizer only (the first of each CPU is
// the host thread's).
void arrive([[maybe_unused]] SwitchRecord const& self) {
#if TUTTI_HOSTED_ASAN
    SwitchRecord& left = *percpu_load(left_context);
    __sanitizer_finish_switch_fiber(self.fake_stack, &left.stack_bottom, &left.stack_size);
#endif
}

void fiber_main(void* argument) {
    auto const* const self = static_cast<SwitchRecord const*>(argument);
    arrive(*self);
    self->entry(self->argument);
}

}  // namespace

void* prepare_stack(void* top, void (*entry)(void*), void* argument) {
    u64 const stack_top = align_up(reinterpret_cast<u64>(top), kPageSize);
    u64 const bottom = stack_top - kKernelStackSize;
    u64 const place = align_down(reinterpret_cast<u64>(top) - sizeof(SwitchRecord), 16);
#if TUTTI_HOSTED_ASAN
    __asan_unpoison_memory_region(reinterpret_cast<void*>(bottom), kKernelStackSize);
#endif
    auto* const record = new (reinterpret_cast<void*>(place)) SwitchRecord;
    record->entry = entry;
    record->argument = argument;
    record->stack_bottom = reinterpret_cast<void const*>(bottom);
    record->stack_size = kKernelStackSize;
#if TUTTI_HOSTED_TSAN
    // Stacks are used again and never given back; the fiber of the last thread here is known by the stack's second word
    // (the first links free stacks). A thread that came so far down would have hit the guard page soon.
    void*& fiber = reinterpret_cast<void**>(bottom)[1];
    if (fiber != nullptr) __tsan_destroy_fiber(fiber);
    fiber = __tsan_create_fiber(0);
    record->fiber = fiber;
#endif
    record->stack_pointer = prepare_stack_raw(record, &fiber_main, record);
    return record;
}

}  // namespace tutti::arch

extern "C" void switch_stacks(void** save, void* load) {
    using namespace tutti::arch;
    SwitchRecord self;
    auto* const next = static_cast<SwitchRecord*>(load);
    *save = &self;
    leave(self, *next);
    switch_stacks_raw(&self.stack_pointer, next->stack_pointer);
    arrive(self);
}

#endif
