// SPDX-License-Identifier: BSD-3-Clause
// A set of objects ordered by a key, changed without locks (lockfree/ordered_list.hpp has algorithm and guarantees).
//
//   struct Thing { OrderedNode node; u64 key; rcu::Callback reclaim; };
//   OrderedSet<Thing, &Thing::node, &Thing::key> things;
//   { rcu::ReadGuard reading; if (Thing* old = things.remove(7, reading)) rcu::defer(old->reclaim, free_thing); }
//
// For short sets, some dozens: every call walks it. Longer ones: rcu/rcu_hash_table.hpp. The node comes first in memory or
// near the key, so that a step of a walk touches one cache line. A set owns nothing and is empty when it is destroyed.
#pragma once

#include "base/assert.hpp"
#include "smp/context/context.hpp"
#include "smp/lockfree/member.hpp"
#include "smp/lockfree/ordered_list.hpp"

namespace tutti::smp {

template <class T, OrderedNode T::*Node, auto Key>
class OrderedSet {
  public:
    using KeyType = std::remove_cvref_t<decltype(std::declval<T const&>().*Key)>;

    constexpr OrderedSet() = default;
    OrderedSet(OrderedSet const&) = delete;
    OrderedSet& operator=(OrderedSet const&) = delete;
    ~OrderedSet() {
        // relaxed: nobody else has it any more.
        CHECK(head_.load(std::memory_order_relaxed) == 0, "a set was destroyed with elements in it");
    }

    // Valid as long as the caller's read section. Null when there is none.
    [[nodiscard]] T* find(KeyType const& key, NoPreempt const&) const {
        return element(List::find(head_, Place{key}));
    }
    // Null: inserted. Otherwise the element that has the key.
    [[nodiscard]] T* insert(T& object, NoPreempt const&) {
        return element(List::insert(head_, object.*Node, Place{object.*Key}));
    }
    // The element is the caller's, to be reclaimed or inserted again after a grace period. Null when there is none.
    [[nodiscard]] T* remove(KeyType const& key, NoPreempt const&) { return element(List::remove(head_, Place{key})); }

    // In order; elements that come or go meanwhile are met or not. function(T&) returns whether to go on.
    template <class Function>
    void for_each(NoPreempt const&, Function&& function) const {
        List::for_each(head_, [&](OrderedNode& node) { return function(*element(&node)); });
    }
    // A look that may be old.
    [[nodiscard]] bool empty(NoPreempt const&) const { return head_.load(std::memory_order_relaxed) == 0; }

  private:
    using List = OrderedList<OrderedNode>;
    struct Place {
        KeyType const& key;
        [[nodiscard]] bool before(OrderedNode const& node) const { return key_of(node) < key; }
        [[nodiscard]] bool matches(OrderedNode const& node) const { return !(key < key_of(node)); }
    };
    static KeyType const& key_of(OrderedNode const& node) {
        return object_of(const_cast<OrderedNode*>(&node), Node)->*Key;
    }
    static T* element(OrderedNode* node) { return node == nullptr ? nullptr : object_of(node, Node); }

    std::atomic<uptr> head_{0};
};

}  // namespace tutti::smp
