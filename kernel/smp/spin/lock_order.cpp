// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/lock_order.hpp"

#include <cstring>
#include <string_view>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/console.hpp"
#include "smp/context/context.hpp"
#include "smp/spin/tas_lock.hpp"

namespace tutti::smp {

constinit LockClass LockOrder::classes_[kMaxClasses]{};
constinit std::atomic<u32> LockOrder::class_count_{0};
constinit std::atomic<LockClass*> LockOrder::chains_[kChains]{};
constinit std::atomic<u64> LockOrder::edges_[kMaxClasses * kWords]{};
constinit LockOrder::Edge LockOrder::traces_[kMaxEdges]{};
constinit u32 LockOrder::trace_count_ = 0;
constinit u16 LockOrder::reached_from_[kMaxClasses]{};

namespace {

constexpr u16 kNotReached = 0xffff;

// The graph's own lock is raw: a checked one would come here again.
constinit RawTasLock g_lock;
class GraphGuard {
  public:
    GraphGuard() : before_{arch::disable_interrupts()} { g_lock.lock(); }
    ~GraphGuard() {
        g_lock.unlock();
        arch::restore_interrupts(before_);
    }
    GraphGuard(GraphGuard const&) = delete;
    GraphGuard& operator=(GraphGuard const&) = delete;

  private:
    arch::IrqState before_;
};

ISR_SAFE u32 hash(char const* name, u32 key) {
    u32 value = 0x811c9dc5u ^ key;  // FNV-1a
    for (; *name != '\0'; ++name) value = (value ^ static_cast<u8>(*name)) * 0x01000193u;
    return value;
}

template <class... Args>
ISR_SAFE void print(FormatString<Args...> format, Args const&... args) {
    char line[240];
    hal::early_console_write(format_to(line, format, args...));
}

}  // namespace

// Classes within reach of one, along or against the edges, breadth first.
struct LockOrder::Search {
    // Calls stop(class) for each, the start included; returns the first for which it is true, or kNotReached.
    // reached_from_ tells the way. The graph is locked.
    template <class Stop>
    static u16 run(u32 start, bool forward, Stop&& stop) {
        static constinit u16 queue[kMaxClasses]{};
        u32 const count = class_count_.load(std::memory_order_relaxed);
        std::memset(reached_from_, 0xff, count * sizeof(u16));
        u32 head = 0;
        u32 tail = 0;
        queue[tail++] = static_cast<u16>(start);
        reached_from_[start] = static_cast<u16>(start);
        while (head < tail) {
            u16 const at = queue[head++];
            if (stop(at)) return at;
            for (u32 next = 0; next < count; ++next) {
                if (reached_from_[next] != kNotReached || !(forward ? has_edge(at, next) : has_edge(next, at))) continue;
                reached_from_[next] = at;
                queue[tail++] = static_cast<u16>(next);
            }
        }
        return kNotReached;
    }
};

LockClass* LockOrder::find_or_add_place(char const* file, u32 line) {
    std::string_view whole{file};
    while (whole.starts_with("../")) whole.remove_prefix(3);
    char place[sizeof LockClass::text_];
    constexpr size_t kMaxFile = sizeof place - 12;
    if (whole.size() > kMaxFile) whole.remove_prefix(whole.size() - kMaxFile);
    std::string_view const text = format_to(place, "{}:{}", whole, line);
    place[text.size()] = '\0';
    return find_or_add(place, kBlocking);
}

ISR_SAFE LockClass* LockOrder::find_or_add(char const* name, u32 key) {
    std::atomic<LockClass*>& chain = chains_[hash(name, key) % kChains];
    auto const find = [&]() -> LockClass* {
        // acquire: pairs with the release below; the class is complete.
        for (LockClass* at = chain.load(std::memory_order_acquire); at != nullptr; at = at->next_)
            if (at->key_ == key && std::strcmp(at->name_, name) == 0) return at;
        return nullptr;
    };
    if (LockClass* const found = find()) return found;
    GraphGuard const guard;
    if (LockClass* const found = find()) return found;
    u32 const index = class_count_.load(std::memory_order_relaxed);
    if (index == kMaxClasses) {
        static constinit bool said = false;
        if (!std::exchange(said, true))
            log_warn("lock order: more than {} classes of locks; '{}' and others after it are checked by rank only", kMaxClasses,
                     name);
        return nullptr;
    }
    LockClass& added = classes_[index];
    added.name_ = name;
    if (key == kBlocking) {
        std::string_view{name}.copy(added.text_, sizeof added.text_ - 1);
        added.name_ = added.text_;
    }
    added.key_ = key;
    added.index_ = index;
    added.next_ = chain.load(std::memory_order_relaxed);
    class_count_.store(index + 1, std::memory_order_relaxed);
    chain.store(&added, std::memory_order_release);
    return &added;
}

ISR_SAFE void LockOrder::add_edge(LockClass const& held, LockClass const& taken) {
    row(held)[taken.index_ / 64].fetch_or(u64{1} << taken.index_ % 64, std::memory_order_relaxed);
    if (trace_count_ == kMaxEdges) {
        static constinit bool said = false;
        if (!std::exchange(said, true))
            log_warn("lock order: more than {} orders learnt; further ones are checked, but reported without their stack",
                     kMaxEdges);
        return;
    }
    Edge& edge = traces_[trace_count_++];
    edge.from = held.index_;
    edge.to = taken.index_;
    edge.trace.capture();
}

ISR_SAFE void LockOrder::print_edge(u32 from, u32 to) {
    print("#   '{}' was taken while '{}' was held, at\n", classes_[to].name_, classes_[from].name_);
    for (u32 i = 0; i < trace_count_; ++i)
        if (traces_[i].from == from && traces_[i].to == to) return traces_[i].trace.print();
    print("#     (stack not kept)\n");
}

ISR_SAFE void LockOrder::learn(LockClass const& held, LockClass const& taken) {
    bool cycle = false;
    LockClass const* handler = nullptr;
    LockClass const* open = nullptr;
    {
        GraphGuard const guard;
        if (has_edge(held.index_, taken.index_)) return;
        cycle = Search::run(taken.index_, true, [&](u32 at) { return at == held.index_; }) != kNotReached;
        if (cycle) {
            print("# lock order: '{}' is about to be taken while '{}' is held, but\n", taken.name_, held.name_);
            for (u32 at = held.index_; at != taken.index_; at = reached_from_[at]) print_edge(reached_from_[at], at);
        } else {
            add_edge(held, taken);
            // A handler that interrupts the holder of `open` on this CPU waits for `handler`, whose holder waits for
            // `open`.
            u16 const outer = Search::run(held.index_, false,
                                          [](u32 at) { return classes_[at].was_used(LockUse::InHandler); });
            u16 const inner =
                outer == kNotReached
                    ? kNotReached
                    : Search::run(taken.index_, true, [](u32 at) { return classes_[at].was_used(LockUse::IrqsOn); });
            if (inner != kNotReached) {
                handler = &classes_[outer];
                open = &classes_[inner];
                print("# lock order: '{}' is taken in an interrupt handler, at\n", handler->name_);
                handler->in_handler_.print();
                print("#   '{}' is taken with interrupts on, at\n", open->name_);
                open->irqs_on_.print();
                print("#   and now '{}' while '{}' is held, at\n", taken.name_, held.name_);
                StackTrace now;
                now.capture();
                now.print();
            }
        }
    }
    CHECK(!cycle, "lock order: '{}' taken while '{}' is held, and elsewhere the other way round", taken.name_, held.name_);
    CHECK(handler == nullptr, "lock order: '{}', which interrupt handlers take, is held while waiting for '{}', which is taken with interrupts on",
          handler->name_, open->name_);
}

ISR_SAFE void LockOrder::learn_use(LockClass& lock_class, LockUse use) {
    u16 other = kNotReached;
    {
        GraphGuard const guard;
        if (lock_class.was_used(use)) return;
        if (use == LockUse::InHandler) lock_class.in_handler_.capture();
        if (use == LockUse::IrqsOn) lock_class.irqs_on_.capture();
        lock_class.uses_.fetch_or(static_cast<u8>(use), std::memory_order_relaxed);
        if (use == LockUse::InHandler)
            other = Search::run(lock_class.index_, true, [](u32 at) { return classes_[at].was_used(LockUse::IrqsOn); });
        if (use == LockUse::IrqsOn)
            other = Search::run(lock_class.index_, false, [](u32 at) { return classes_[at].was_used(LockUse::InHandler); });
        if (other != kNotReached) {
            bool const handler_now = use == LockUse::InHandler;
            LockClass const& known = classes_[other];
            print("# lock order: '{}' is now taken {}, but\n", lock_class.name_,
                  handler_now ? "in an interrupt handler" : "with interrupts on");
            print("#   '{}' was taken {}, at\n", known.name_, handler_now ? "with interrupts on" : "in an interrupt handler");
            (handler_now ? known.irqs_on_ : known.in_handler_).print();
            for (u32 at = other; at != lock_class.index_; at = reached_from_[at])
                handler_now ? print_edge(reached_from_[at], at) : print_edge(at, reached_from_[at]);
        }
    }
    CHECK(other == kNotReached || &classes_[other] != &lock_class,
          "spin lock '{}' is taken by interrupt handlers, and elsewhere with interrupts on", lock_class.name_);
    CHECK(other == kNotReached, "lock order: of '{}' and '{}' one is taken by interrupt handlers, the other with interrupts on inside it",
          lock_class.name_, classes_[other].name_);
}

}  // namespace tutti::smp
