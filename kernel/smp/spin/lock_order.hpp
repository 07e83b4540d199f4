// SPDX-License-Identifier: BSD-3-Clause
// The order in which locks are taken, learnt from the running kernel, for debug builds. Locks of one name and rank (or, for
// locks that block, of one construction site) are a class. An edge from A to B says that B was taken while A was held; a
// path back from B to A is a deadlock that waits for its day, and is reported at the first acquisition that closes it,
// with the stacks of both sides, whether or not anybody waits.
//
//   fast path    one bit of a matrix: is this edge known? No lock, nothing shared is written.
//   new edge     under one lock with interrupts off: search for a path back, for a class that handlers take on one end and
//                one that is taken with interrupts on at the other; then set the bit and keep the stack
//
// Classes and kept stacks are bounded; when a table is full, the log says once what is no longer checked.
#pragma once

#include <atomic>

#include "base/types.hpp"
#include "smp/debug/stack_trace.hpp"

namespace tutti::smp {

// How locks of a class have been taken.
enum class LockUse : u8 {
    InHandler = 1,  // by an interrupt handler
    IrqsOn = 2,     // with interrupts on: a handler may come while it is held
    IrqsOff = 4,
};

class LockClass {
  public:
    [[nodiscard]] char const* name() const { return name_; }
    [[nodiscard]] bool was_used(LockUse use) const {
        // relaxed: a bit set; a check may come one acquisition late.
        return (uses_.load(std::memory_order_relaxed) & static_cast<u8>(use)) != 0;
    }

  private:
    friend class LockOrder;
    char const* name_ = nullptr;
    u32 key_ = 0;
    u32 index_ = 0;
    LockClass* next_ = nullptr;  // in its hash chain
    char text_[56] = {};         // the name of a class of locks that block: that of a place in the source is made up
    std::atomic<u8> uses_{0};
    StackTrace in_handler_;
    StackTrace irqs_on_;
};

// Every function: any context up to Isr, interrupts on or off.
class LockOrder {
  public:
    // The class for a name (compared by its text) and a key. Null when there are too many.
    [[nodiscard]] static LockClass* find_or_add(char const* name, u32 key);
    // The key of locks that block; those that spin have their rank.
    static constexpr u32 kBlocking = 0xffff'ffff;
    // The class of the locks that are made at a place in the source, named so. Null as above.
    [[nodiscard]] static LockClass* find_or_add_place(char const* file, u32 line);

    // `taken` is about to be taken while `held` is held. Panics when that closes a cycle.
    static void check(LockClass const& held, LockClass const& taken) {
        // relaxed: edges are never removed; who misses one takes the slow path.
        if (&held == &taken) return;
        if ((row(held)[taken.index_ / 64].load(std::memory_order_relaxed) >> taken.index_ % 64 & 1) != 0) [[likely]] return;
        learn(held, taken);
    }
    // A lock of the class is about to be taken in this way. Panics when some other way makes that a deadlock.
    static void note_use(LockClass& lock_class, LockUse use) {
        if (!lock_class.was_used(use)) [[unlikely]] learn_use(lock_class, use);
    }

  private:
    static constexpr u32 kMaxClasses = 512;
    static constexpr u32 kMaxEdges = 2048;
    static constexpr u32 kWords = kMaxClasses / 64;
    static constexpr u32 kChains = 128;
    struct Edge {
        u32 from;
        u32 to;
        StackTrace trace;
    };
    struct Search;

    static std::atomic<u64>* row(LockClass const& held) { return edges_ + held.index_ * kWords; }
    static bool has_edge(u32 from, u32 to) {
        return (edges_[from * kWords + to / 64].load(std::memory_order_relaxed) >> to % 64 & 1) != 0;
    }
    static void learn(LockClass const& held, LockClass const& taken);
    static void learn_use(LockClass& lock_class, LockUse use);
    // Both while the graph is locked.
    static void add_edge(LockClass const& held, LockClass const& taken);
    static void print_edge(u32 from, u32 to);

    static LockClass classes_[kMaxClasses];
    static std::atomic<u32> class_count_;
    static std::atomic<LockClass*> chains_[kChains];
    static std::atomic<u64> edges_[kMaxClasses * kWords];
    static Edge traces_[kMaxEdges];
    static u32 trace_count_;
    static u16 reached_from_[kMaxClasses];
};

}  // namespace tutti::smp
