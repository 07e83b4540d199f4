// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/lock_debug.hpp"

#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::smp {

namespace {

constexpr u32 kMaxHeld = 16;

struct HeldLocks {
    struct Entry {
        LockDebugOn* lock;
        u32 isr_depth;
    };
    Entry entries[kMaxHeld];
    u32 count;
};
PERCPU_SECTION constinit PerCpu<HeldLocks> g_held;

// Interrupts off: a handler on this CPU would push and pop in the middle.
class HeldAccess {
  public:
    HeldAccess() : state_{arch::disable_interrupts()} {}
    ~HeldAccess() { arch::restore_interrupts(state_); }
    HeldLocks& operator*() { return g_held.local(AssumeIrqOff{}); }
    HeldLocks* operator->() { return &**this; }
    [[nodiscard]] bool irqs_were_on() const { return arch::interrupts_were_enabled(state_); }

  private:
    arch::IrqState state_;
};

u32 owner_mark() { return this_cpu_unstable().value() + 1; }

}  // namespace

void LockDebugOn::check_before(void const* lock, bool same_rank_allowed) {
    HeldAccess held;
    u32 const depth = arch::percpu_load(detail::isr_depth);
    CHECK(preempt_depth() != 0 || !held.irqs_were_on(), "spin lock '{}' taken with preemption on", name_);
    // relaxed: only our own mark matters, and we wrote that ourselves.
    CHECK(owner_.load(std::memory_order_relaxed) != owner_mark(), "spin lock '{}' ({}) taken twice by one CPU", name_,
          lock);
    for (u32 i = 0; i < held->count; ++i) {
        HeldLocks::Entry const& entry = held->entries[i];
        if (entry.isr_depth != depth) continue;
        bool const ordered = entry.lock->rank_ < rank_ || (same_rank_allowed && entry.lock->rank_ == rank_);
        CHECK(ordered, "lock order: '{}' taken while '{}' is held", name_, entry.lock->name_);
    }
    u8 const kind = depth != 0 ? kTakenInIsr : held.irqs_were_on() ? kTakenWithIrqsOn : kTakenWithIrqsOff;
    // relaxed: a bit set; the check may come one acquisition late.
    u8 const seen = seen_.load(std::memory_order_relaxed);
    if ((seen & kind) != kind) seen_.fetch_or(kind, std::memory_order_relaxed);
    CHECK(((seen | kind) & (kTakenInIsr | kTakenWithIrqsOn)) != (kTakenInIsr | kTakenWithIrqsOn),
          "spin lock '{}' is taken by interrupt handlers, and elsewhere with interrupts on", name_);
}

void LockDebugOn::after_lock() {
    HeldAccess held;
    owner_.store(owner_mark(), std::memory_order_relaxed);
    CHECK(held->count < kMaxHeld, "too many spin locks held at '{}'", name_);
    held->entries[held->count++] = {this, arch::percpu_load(detail::isr_depth)};
}

void LockDebugOn::before_unlock() {
    HeldAccess held;
    CHECK(owner_.load(std::memory_order_relaxed) == owner_mark(), "spin lock '{}' released by a CPU that does not hold it",
          name_);
    owner_.store(0, std::memory_order_relaxed);
    // Usually the newest; releases may come in any order.
    u32 at = held->count;
    while (at > 0 && held->entries[at - 1].lock != this) --at;
    CHECK(at > 0, "spin lock '{}' is not in the list of held locks", name_);
    for (u32 i = at; i < held->count; ++i) held->entries[i - 1] = held->entries[i];
    --held->count;
}

u32 spin_locks_held() {
    HeldAccess held;
    return held->count;
}

void forget_held_spin_locks() { g_held.local(AssumeIrqOff{}).count = 0; }

void check_may_wait_for_cpus() {
    if constexpr (kDebugBuild) {
        CHECK(arch::interrupts_enabled() && !in_isr(), "waiting for other CPUs with interrupts off");
        HeldAccess held;
        for (u32 i = 0; i < held->count; ++i) {
            LockDebugOn const& lock = *held->entries[i].lock;
            CHECK(lock.taken_only_with_irqs_on(), "waiting for other CPUs while holding '{}', which is also taken with interrupts off",
                  lock.name());
        }
    }
}

}  // namespace tutti::smp
