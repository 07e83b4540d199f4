// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/lock_debug.hpp"

#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "hal/console.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::smp {

namespace {

constexpr u32 kMaxHeld = 16;

// entries[i] for i >= count are empty. An entry below count that is empty is being written by the code that a handler has
// interrupted; one that was released before those above it is marked and goes with them.
struct HeldLocks {
    struct Entry {
        LockDebugOn* lock = nullptr;
        LockClass* lock_class = nullptr;
        uptr where = 0;
        u32 isr_depth = 0;
        LockRank rank{};
        bool released = false;
        bool shared = false;
    };
    Entry entries[kMaxHeld];
    u32 count;

    void push(LockDebugOn* lock, LockClass* lock_class, LockRank rank, bool shared, uptr where) {
        u32 const at = count;
        CHECK(at < kMaxHeld, "more than {} spin locks held at '{}'", kMaxHeld, lock->name());
        // In this order: a handler in between pushes above and leaves the list as it was.
        count = at + 1;
        compiler_barrier();
        Entry& entry = entries[at];
        entry.lock_class = lock_class;
        entry.where = where;
        entry.isr_depth = arch::percpu_load(detail::isr_depth);
        entry.rank = rank;
        entry.shared = shared;
        entry.released = false;
        compiler_barrier();
        entry.lock = lock;
    }
    // False: not in the list.
    bool remove(LockDebugOn const* lock, bool shared) {
        u32 at = count;
        while (at > 0 && (entries[at - 1].lock != lock || entries[at - 1].released || entries[at - 1].shared != shared)) --at;
        if (at == 0) return false;
        entries[at - 1].released = true;
        // A handler leaves what is not its own: the code that it interrupts may be at this very place.
        u32 const depth = arch::percpu_load(detail::isr_depth);
        while (count > 0 && entries[count - 1].lock != nullptr && entries[count - 1].released &&
               entries[count - 1].isr_depth == depth) {
            entries[count - 1].lock = nullptr;
            compiler_barrier();
            --count;
        }
        return true;
    }
    template <class Function>
    ISR_SAFE void for_each(Function&& function) const {
        for (u32 i = 0; i < count; ++i)
            if (entries[i].lock != nullptr && !entries[i].released) function(entries[i]);
    }
};
PERCPU_SECTION constinit PerCpu<HeldLocks> g_held;

// The list of this CPU. Callers cannot be preempted, except those who are wrong about it.
ISR_SAFE HeldLocks& held_here() { return g_held.local_unchecked(); }

ISR_SAFE u32 owner_mark() { return this_cpu_unstable().value() + 1; }

}  // namespace

ISR_SAFE LockClass* LockDebugOn::lock_class() {
    // acquire: pairs with the release of whoever made the class.
    LockClass* found = class_.load(std::memory_order_acquire);
    if (found == nullptr) [[unlikely]] {
        found = LockOrder::find_or_add(name_, static_cast<u32>(rank_));
        class_.store(found, std::memory_order_release);
    }
    return found;
}

ISR_SAFE void LockDebugOn::check_before(SameRank const* reason) {
    bool const irqs_on = arch::interrupts_enabled();
    CHECK(preempt_depth() != 0 || !irqs_on, "spin lock '{}' taken with preemption on", name_);
    // relaxed: only our own mark matters, and we wrote that ourselves.
    CHECK(owner_.load(std::memory_order_relaxed) != owner_mark(), "spin lock '{}' ({}) taken twice by one CPU", name_,
          static_cast<void const*>(this));
    LockClass* const own = lock_class();
    u32 const depth = arch::percpu_load(detail::isr_depth);
    held_here().for_each([&](HeldLocks::Entry const& entry) {
        CHECK(entry.lock != this, "spin lock '{}' ({}) taken twice by one CPU", name_, static_cast<void const*>(this));
        if (entry.isr_depth != depth) return;
        bool const ordered = entry.rank < rank_ || (reason != nullptr && entry.rank == rank_);
        if (!ordered) [[unlikely]] {
            print_held_spin_locks();
            panic("lock order: '{}' taken while '{}' is held", name_, entry.lock->name_);
        }
        if (reason != nullptr && *reason == SameRank::OrderedByAddress && entry.lock_class == own)
            CHECK(entry.lock < this, "lock order: '{}' taken while another of its class at a higher address is held", name_);
        if (own != nullptr && entry.lock_class != nullptr) LockOrder::check(*entry.lock_class, *own);
    });
    if (!irqs_on && !taken_with_irqs_off_.load(std::memory_order_relaxed))
        taken_with_irqs_off_.store(true, std::memory_order_relaxed);
    if (own != nullptr)
        LockOrder::note_use(*own, depth != 0 ? LockUse::InHandler : irqs_on ? LockUse::IrqsOn : LockUse::IrqsOff);
}

ISR_SAFE void LockDebugOn::after_lock() {
    owner_.store(owner_mark(), std::memory_order_relaxed);
    held_here().push(this, lock_class(), rank_, false, reinterpret_cast<uptr>(__builtin_return_address(0)));
}

ISR_SAFE void LockDebugOn::after_lock_shared() {
    held_here().push(this, lock_class(), rank_, true, reinterpret_cast<uptr>(__builtin_return_address(0)));
}

ISR_SAFE void LockDebugOn::before_unlock() {
    CHECK(owner_.load(std::memory_order_relaxed) == owner_mark(), "spin lock '{}' released by a CPU that does not hold it",
          name_);
    owner_.store(0, std::memory_order_relaxed);
    CHECK(held_here().remove(this, false), "spin lock '{}' is not in the list of held locks", name_);
}

ISR_SAFE void LockDebugOn::before_unlock_shared() {
    CHECK(held_here().remove(this, true), "spin lock '{}' released by a CPU that does not hold it for reading", name_);
}

LockDebugOn::~LockDebugOn() {
    u32 const owner = owner_.load(std::memory_order_relaxed);
    CHECK(owner == 0, "spin lock '{}' destroyed while CPU {} holds it", name_, CpuId{owner - 1});
}

ISR_SAFE u32 spin_locks_held() {
    u32 count = 0;
    if constexpr (kDebugBuild) held_here().for_each([&](HeldLocks::Entry const&) { ++count; });
    return count;
}

ISR_SAFE void print_held_spin_locks() {
    if constexpr (kDebugBuild) {
        held_here().for_each([](HeldLocks::Entry const& entry) {
            char line[160];
            hal::early_console_write(format_to(line, "# holds '{}'{}, taken{} at\n", entry.lock->name(),
                                               entry.shared ? " for reading" : "",
                                               entry.isr_depth != 0 ? " in an interrupt handler" : ""));
            print_place(entry.where);
        });
    }
}

ISR_SAFE void check_no_spin_locks_held(char const* when) {
    if constexpr (kDebugBuild) {
        if (spin_locks_held() == 0) [[likely]] return;
        print_held_spin_locks();
        char const* name = "?";
        held_here().for_each([&](HeldLocks::Entry const& entry) { name = entry.lock->name(); });
        panic("spin lock '{}' held {}", name, when);
    }
}

void forget_held_spin_locks() {
    HeldLocks& held = held_here();
    for (auto& entry : held.entries) entry.lock = nullptr;
    held.count = 0;
}

void check_may_wait_for_cpus() {
    if constexpr (kDebugBuild) {
        CHECK(arch::interrupts_enabled() && !in_isr(), "waiting for other CPUs with interrupts off");
        if (preempt_depth() == 0) return;
        held_here().for_each([](HeldLocks::Entry const& entry) {
            CHECK(entry.lock->taken_only_with_irqs_on(),
                  "waiting for other CPUs while holding '{}', which is also taken with interrupts off", entry.lock->name());
        });
    }
}

}  // namespace tutti::smp
