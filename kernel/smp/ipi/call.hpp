// SPDX-License-Identifier: BSD-3-Clause
// Running a function on other CPUs.
//
// Deadlock rule. A caller that waits
//   - has interrupts on, so that it answers others' calls while it waits (two CPUs that call each other both finish);
//   - is not in an interrupt handler;
//   - holds no spin lock that anybody takes with interrupts off: the target might be spinning for it, deaf to the call.
// Debug builds check all three (check_may_wait_for_cpus). Preemption may be off.
//
// The function runs in Isr context on the target: it must not block, fault, or take locks that are taken with
// interrupts on. What the caller wrote before the call is visible to it, and what it wrote is visible to the caller after
// a waiting call.
#pragma once

#include <atomic>

#include "smp/lockfree/mpsc_queue.hpp"
#include "smp/percpu/cpu_set.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::smp {

using CallFunction = void (*)(void* argument);

enum class Wait : u8 {
    No,   // returns when the targets have been told; the argument stays valid until the function has run
    Yes,  // returns when the function has run on every target
};

// On one CPU; on the caller's own it runs at once, with interrupts off.
void call_on(CpuId target, CallFunction function, void* argument, Wait wait = Wait::Yes);
// On every online CPU of `targets`, the caller's own included when it is a member.
void call_on_set(CpuSet const& targets, CallFunction function, void* argument, Wait wait = Wait::Yes);
// On every online CPU, the caller's own included.
void call_on_all(CallFunction function, void* argument, Wait wait = Wait::Yes);
// On every online CPU but the caller's.
void call_on_others(CallFunction function, void* argument, Wait wait = Wait::Yes);

// A call that needs nobody to wait: lives in the caller's memory and may be reused once `busy` is false.
// For interrupt handlers and other places that may not wait.
class CallRequest {
  public:
    constexpr CallRequest(CallFunction function, void* argument) : function_{function}, argument_{argument} {}
    // Sends it to `target`. False: still on its way from last time, and then it is sure to run after this call.
    // Any context up to Isr.
    bool send(CpuId target);
    [[nodiscard]] bool busy() const { return busy_.load(std::memory_order_acquire); }

  private:
    friend struct CallInbox;
    MpscNode<CallRequest> node_;
    CallFunction function_;
    void* argument_;
    std::atomic<bool> busy_{false};
};

// Registers the inter-processor interrupt; boot CPU, before secondary CPUs start. Error::NoMemory.
[[nodiscard]] Result<> calls_init();

}  // namespace tutti::smp
