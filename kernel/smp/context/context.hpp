// SPDX-License-Identifier: BSD-3-Clause
// The context ladder: Thread < Pinned < NoPreempt < IrqOff < Isr < Nmi (docs/context-ladder.md).
//
// A proof type says that the current code runs on that rung or a higher one. A guard *is* a proof; it is passed by
// const reference to what needs it and converts only to weaker proofs. Proofs cannot be copied or stored.
//
//   PinGuard       Pinned      the thread stays on this CPU; it may be preempted, block and fault
//   PreemptGuard   NoPreempt   no other thread runs here; interrupts do. Must not block or fault
//   IrqOffGuard    IrqOff      nothing else runs here but NMIs; IrqsOnToOffGuard where they are known to be on
//   IsrEntry       Isr         made by interrupt entry only
#pragma once

#include "smp/context/irq_off_watch.hpp"
#include "smp/context/preempt.hpp"

namespace tutti::smp {

class Pinned {
  public:
    Pinned(Pinned const&) = delete;
    Pinned& operator=(Pinned const&) = delete;

  protected:
    constexpr Pinned() = default;
    ~Pinned() = default;
};
class NoPreempt : public Pinned {
  protected:
    constexpr NoPreempt() = default;
};
class IrqOff : public NoPreempt {
  protected:
    constexpr IrqOff() = default;
};
class Isr : public IrqOff {
  protected:
    constexpr Isr() = default;
};
class Nmi : public Isr {
  protected:
    constexpr Nmi() = default;
};

class PinGuard : public Pinned {
  public:
    PinGuard() { arch::percpu_add(detail::pin_depth, u32{1}); }
    ~PinGuard() { arch::percpu_add(detail::pin_depth, ~u32{0}); }
};

class PreemptGuard : public NoPreempt {
  public:
    PreemptGuard() { preempt_disable(); }
    // May switch threads when it is the outermost guard and a reschedule is wanted.
    ~PreemptGuard() { preempt_enable(); }
};

// Nests: the innermost guard restores what it found.
class IrqOffGuard : public IrqOff {
  public:
    IrqOffGuard() : before_{arch::disable_interrupts()} {
        if (arch::interrupts_were_enabled(before_)) watch_.start();
    }
    ~IrqOffGuard() {
        if (!arch::interrupts_were_enabled(before_)) return;
        watch_.stop();
        arch::enable_interrupts();
        preempt_check();
    }

  private:
    arch::IrqState before_;
    [[no_unique_address]] IrqOffWatch watch_;
};

// Where interrupts are known to be on: saves asking, and nests in nothing that turned them off.
class IrqsOnToOffGuard : public IrqOff {
  public:
    IrqsOnToOffGuard() {
        ASSERT(arch::interrupts_enabled(), "interrupts are off already: IrqOffGuard or a proof is meant");
        (void)arch::disable_interrupts();
        watch_.start();
    }
    ~IrqsOnToOffGuard() {
        watch_.stop();
        arch::enable_interrupts();
        preempt_check();
    }

  private:
    [[no_unique_address]] IrqOffWatch watch_;
};

// The rung of an interrupt handler; counts nesting so that code can ask in_isr().
class IsrEntry : public Isr {
  public:
    IsrEntry() {
        ASSERT(!arch::interrupts_enabled());
        arch::percpu_add(detail::isr_depth, u32{1});
    }
    ~IsrEntry() { arch::percpu_add(detail::isr_depth, ~u32{0}); }
};

// The word of a caller that is on a rung for a reason that no guard expresses (entry code, a switch in progress).
// Debug builds check it where it can be checked.
class AssumeIrqOff : public IrqOff {
  public:
    AssumeIrqOff() { ASSERT(!arch::interrupts_enabled()); }
};
class AssumeNoPreempt : public NoPreempt {
  public:
    AssumeNoPreempt() { ASSERT(preempt_depth() != 0 || !arch::interrupts_enabled()); }
};

// Puts this CPU back on the Thread rung whatever guards the current thread has left standing: for tests that have seen a
// panic on purpose and go on. Interrupts off, and still off afterwards; the wish to reschedule is kept.
void abandon_rungs();

// Panics, in debug builds, when a guard or a spin lock is still held: before the way back to a program.
void check_may_return_to_user();

// Puts IsrEntry around the platform's interrupt dispatch (hal::hooks.interrupt). Once, before interrupts are enabled.
void wrap_interrupt_hook();

}  // namespace tutti::smp
