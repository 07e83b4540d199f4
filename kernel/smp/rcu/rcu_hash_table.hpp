// SPDX-License-Identifier: BSD-3-Clause
// Hash table that is read, changed and resized by all CPUs at once without a lock: one ordered list of all elements
// (lockfree/ordered_list.hpp) and buckets that are short cuts into it (Shalev, Shavit, "Split-Ordered Lists: Lock-Free
// Extensible Hash Tables", JACM 2006; with RCU as in Desnoyers's rculfhash).
//
//   order:   0........1/4.......1/2.......3/4.......      elements by the scrambled hash, its top bits are the bucket
//            |         |         |         |
//            B0 - e - e - B1 - e - B2 - e - B3 - e - 0    4 buckets: each begins with a marker node of its own
//
// With twice as many buckets each range is cut in two by a new marker; no element moves, no reader starts again, and a
// writer excludes only those who change the same link. The marker at a place is the same in tables of every size: it is
// made once, when somebody first needs it. Until then walks begin at the marker before it.
//
//   markers   segment s holds the 2^(s-1) markers that a table of 2^s buckets has and one of 2^(s-1) has not; a segment is
//             one allocation and never moves.   state: Empty -> Linking (one caller) -> Linked
//   grow      allocate the next segment, then publish the larger size
//   shrink    publish the smaller size; grace period; unlink the upper half's markers; grace period; free the segment
//
// Guarantees: those of the list (find wait-free but for insertions ahead of it, insert and remove lock-free, up to Isr; an
// element that was removed is reused after a grace period). Elements are the caller's: insert allocates nothing for them and
// cannot fail for memory; when the table wants to grow and cannot, it stays as it is and works, with longer walks.
//
//   struct Traits { static u64 hash(Key const&); static Key const& key(T const&); };    Key has ==; the table scrambles
#pragma once

#include <bit>
#include <new>
#include <utility>

#include "smp/lockfree/member.hpp"
#include "smp/lockfree/ordered_list.hpp"
#include "smp/percpu/percpu.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::smp {

struct RcuHashNode : OrderedNode {
    u64 order = 0;  // odd: an element, even: a marker
};

template <class T, RcuHashNode T::*Member, class Traits>
class RcuHashTable {
  public:
    using Key = std::remove_cvref_t<decltype(Traits::key(std::declval<T const&>()))>;

    // With room for `elements`, at least two buckets. Error::NoMemory. Thread context.
    [[nodiscard]] static Result<RcuHashTable> create(u64 elements = 2) {
        RcuHashTable table;
        table.counts_ = TRY(DynamicPerCpu<Count>::create());
        u32 const levels = levels_for(elements);
        for (u32 segment = 0; segment <= levels; ++segment)
            if (!table.add_segment(segment)) return fail(Error::NoMemory);
        table.levels_.store(levels, std::memory_order_relaxed);
        table.first().state.store(State::Linked, std::memory_order_relaxed);
        return table;
    }
    // Before the table is shared.
    RcuHashTable(RcuHashTable&& other) noexcept : counts_{std::move(other.counts_)} {
        levels_.store(other.levels_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
        for (u32 i = 0; i < kSegments; ++i)
            segments_[i].store(other.segments_[i].exchange(nullptr, std::memory_order_relaxed), std::memory_order_relaxed);
    }
    RcuHashTable& operator=(RcuHashTable&&) = delete;
    // Empty, and nobody reads any more.
    ~RcuHashTable() {
        if (segments_[0].load(std::memory_order_relaxed) == nullptr) return;
        List::for_each(first().node.next, [](RcuHashNode& node) {
            CHECK(is_marker(node), "an RCU hash table was destroyed with elements in it");
            return true;
        });
        for (u32 i = 0; i < kSegments; ++i) delete[] segments_[i].load(std::memory_order_relaxed);
    }

    // Valid as long as the caller's read section. Null when there is none.
    [[nodiscard]] T* find(Key const& key, NoPreempt const&) const {
        u64 const order = order_of(key);
        return element(List::find(start(order), Place{order, key}));
    }
    // Null: inserted. Otherwise the element that has the key.
    [[nodiscard]] T* insert(T& object, NoPreempt const& reading) {
        RcuHashNode& node = object.*Member;
        Key const& key = Traits::key(object);
        node.order = order_of(key);
        u32 walked = 0;
        RcuHashNode* const existing =
            List::insert(linked_start(node.order), node, CountingPlace{{node.order, key}, &walked});
        if (existing != nullptr) return element(existing);
        counts_.local(reading).elements.fetch_add(1, std::memory_order_relaxed);
        if (walked >= kLongWalk) [[unlikely]] grow_when_full(reading);
        return nullptr;
    }
    // The element is the caller's, to be reclaimed or inserted again after a grace period. Null when there is none.
    [[nodiscard]] T* remove(Key const& key, NoPreempt const& reading) {
        u64 const order = order_of(key);
        RcuHashNode* const node = List::remove(linked_start(order), Place{order, key});
        if (node != nullptr) counts_.local(reading).elements.fetch_sub(1, std::memory_order_relaxed);
        return element(node);
    }
    // Every element that is there all the time; others may be met. function(T&) returns whether to go on.
    template <class Function>
    void for_each(NoPreempt const&, Function&& function) const {
        List::for_each(first().node.next,
                       [&](RcuHashNode& node) { return is_marker(node) || function(*element(&node)); });
    }

    // To the number of buckets for `elements`, also downwards. Errors: NoMemory (nothing has changed), Busy (another does
    // it now). Thread context.
    [[nodiscard]] Result<> resize(u64 elements) {
        might_sleep();
        // acquire, release: what the last resize did to segments_ and levels_.
        if (resizing_.exchange(true, std::memory_order_acquire)) return fail(Error::Busy);
        Result<> const result = resize_alone(levels_for(elements));
        resizing_.store(false, std::memory_order_release);
        return result;
    }

    // Looks that may be old. Elements: O(CPUs).
    [[nodiscard]] u64 count() const {
        i64 sum = 0;
        for_each_cpu([&](CpuId cpu) { sum += counts_.on(cpu).elements.load(std::memory_order_relaxed); });
        return sum < 0 ? 0 : static_cast<u64>(sum);
    }
    [[nodiscard]] u64 buckets() const { return u64{1} << levels_.load(std::memory_order_relaxed); }

  private:
    using List = OrderedList<RcuHashNode>;
    enum class State : u32 { Empty, Linking, Linked };
    struct Marker {
        RcuHashNode node;
        std::atomic<State> state{State::Empty};
    };
    struct Count {
        std::atomic<i64> elements{0};  // may be negative: removed elsewhere
    };
    struct Place {
        u64 order;
        Key const& key;
        [[nodiscard]] bool before(RcuHashNode const& node) const {
            // Equal orders of different keys: a new one goes behind the others, so every search meets them all.
            return node.order < order || (node.order == order && !has_key(node));
        }
        [[nodiscard]] bool matches(RcuHashNode const& node) const { return node.order == order; }
        [[nodiscard]] bool has_key(RcuHashNode const& node) const { return Traits::key(*object(node)) == key; }
        static T const* object(RcuHashNode const& node) { return element(const_cast<RcuHashNode*>(&node)); }
    };
    struct CountingPlace : Place {
        u32* walked;
        [[nodiscard]] bool before(RcuHashNode const& node) const {
            ++*walked;
            return Place::before(node);
        }
    };
    struct MarkerPlace {
        RcuHashNode const& marker;
        [[nodiscard]] bool before(RcuHashNode const& node) const { return node.order < marker.order; }
        [[nodiscard]] bool matches(RcuHashNode const& node) const { return &node == &marker; }
    };

    static constexpr u32 kSegments = 48;
    static constexpr u32 kLongWalk = 8;
    // What insert() may add in one go, without preemption; larger tables grow by resize().
    static constexpr u64 kMostInInsert = 16384;

    static u32 levels_for(u64 elements) {
        u32 const levels = elements <= 2 ? 1 : static_cast<u32>(std::bit_width(elements - 1));
        return levels < kSegments ? levels : kSegments - 1;
    }
    // Multiplication brings every bit of the hash into the top bits, which choose the bucket.
    static u64 order_of(Key const& key) { return (Traits::hash(key) * 0x9e3779b97f4a7c15u) | 1; }
    static bool is_marker(RcuHashNode const& node) { return (node.order & 1) == 0; }
    static T* element(RcuHashNode* node) { return node == nullptr ? nullptr : object_of(node, Member); }

    // --- markers ------------------------------------------------------------------------------------------------------
    Marker& first() const { return segments_[0].load(std::memory_order_relaxed)[0]; }
    // Of bucket `bucket` in a table of 2^levels: the odd part of the number, in the smallest table that has it.
    Marker& marker(u64 bucket, u32 levels) const {
        if (bucket == 0) return first();
        u32 const shift = static_cast<u32>(std::countr_zero(bucket));
        // relaxed: whoever has seen the size sees the segment.
        return segments_[levels - shift].load(std::memory_order_relaxed)[bucket >> shift >> 1];
    }
    static u64 before(u64 bucket) { return bucket & (bucket - 1); }

    // The nearest linked marker at or before the place. acquire: pairs with publish_marker().
    std::atomic<uptr>& start(u64 order) const {
        u32 const levels = levels_.load(std::memory_order_acquire);
        u64 bucket = order >> (64 - levels);
        Marker* found = &marker(bucket, levels);
        while (found->state.load(std::memory_order_acquire) != State::Linked) {
            bucket = before(bucket);
            found = &marker(bucket, levels);
        }
        return found->node.next;
    }
    // The same for writers, who link the marker of the bucket if nobody has.
    std::atomic<uptr>& linked_start(u64 order) {
        u32 const levels = levels_.load(std::memory_order_acquire);
        u64 const bucket = order >> (64 - levels);
        Marker& own = marker(bucket, levels);
        // relaxed: a look; the next one synchronises.
        if (own.state.load(std::memory_order_relaxed) == State::Empty) [[unlikely]] publish_marker(own, bucket, levels);
        return own.state.load(std::memory_order_acquire) == State::Linked ? own.node.next : start(order);
    }
    void publish_marker(Marker& own, u64 bucket, u32 levels) {
        State expected = State::Empty;
        // relaxed: it only chooses one caller; the list publishes the node.
        if (!own.state.compare_exchange_strong(expected, State::Linking, std::memory_order_relaxed,
                                               std::memory_order_relaxed))
            return;
        own.node.order = bucket << (64 - levels);
        (void)List::insert(start(own.node.order), own.node, MarkerPlace{own.node});
        own.state.store(State::Linked, std::memory_order_release);
    }

    // --- size ---------------------------------------------------------------------------------------------------------
    [[nodiscard]] bool add_segment(u32 segment) {
        u64 const markers = segment == 0 ? 1 : u64{1} << (segment - 1);
        auto* const memory = markers > (~size_t{0} >> 1) / sizeof(Marker) ? nullptr : new (std::nothrow) Marker[markers];
        if (memory == nullptr) return false;
        segments_[segment].store(memory, std::memory_order_relaxed);  // published with the size
        return true;
    }
    void free_segment(u32 segment) { delete[] segments_[segment].exchange(nullptr, std::memory_order_relaxed); }

    Result<> resize_alone(u32 wanted) {
        u32 const levels = levels_.load(std::memory_order_relaxed);
        for (u32 segment = levels + 1; segment <= wanted; ++segment) {
            if (add_segment(segment)) continue;
            // Nobody has seen them: the size does not lead there.
            while (--segment > levels) free_segment(segment);
            return fail(Error::NoMemory);
        }
        levels_.store(wanted, std::memory_order_release);  // publishes the segments; pairs with start()
        for (u32 segment = levels; segment > wanted; --segment) shrink_by(segment);
        return {};
    }
    void shrink_by(u32 segment) {
        rcu::synchronize();  // nobody begins at these markers any more
        Marker* const markers = segments_[segment].load(std::memory_order_relaxed);
        for (u64 i = 0; i < u64{1} << (segment - 1); ++i) {
            // relaxed: who linked it did so in a read section, and those that could are over.
            if (markers[i].state.load(std::memory_order_relaxed) != State::Linked) continue;
            rcu::ReadGuard const reading;
            (void)List::remove(start(markers[i].node.order), MarkerPlace{markers[i].node});
        }
        rcu::synchronize();  // nobody stands on them any more
        free_segment(segment);
    }
    NOINLINE void grow_when_full(NoPreempt const&) {
        if (buckets() > kMostInInsert || count() <= buckets()) return;
        if (resizing_.exchange(true, std::memory_order_acquire)) return;
        u32 const levels = levels_.load(std::memory_order_relaxed);
        if (levels + 1 < kSegments && add_segment(levels + 1)) levels_.store(levels + 1, std::memory_order_release);
        resizing_.store(false, std::memory_order_release);
    }

    RcuHashTable() = default;

    std::atomic<u32> levels_{0};  // 2^levels_ buckets
    std::atomic<bool> resizing_{false};
    std::atomic<Marker*> segments_[kSegments] = {};
    DynamicPerCpu<Count> counts_;
};

}  // namespace tutti::smp
