// SPDX-License-Identifier: BSD-3-Clause
#include "smp/lockfree/ordered_set.hpp"

#include <memory>

#include "harness/test.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::smp {
namespace {

struct Item {
    OrderedNode node;
    u64 key = 0;
    std::atomic<u32> owner{0};
    rcu::Callback reclaim;
};
using Set = OrderedSet<Item, &Item::node, &Item::key>;

void reclaim(Item& item) {
    rcu::defer(item.reclaim, [](rcu::Callback& callback) {
        Item* const dead = object_of(&callback, &Item::reclaim);
        dead->key = ~u64{0};
        delete dead;
    });
}

// Against a bitmap, one thread: every answer is determined.
TEST(ordered_set, does_what_a_set_does) {
    constexpr u64 kKeys = 64;
    Set set;
    u64 model = 0;
    SplitMix64 random = harness::random();
    for (int step = 0; step < 20000; ++step) {
        u64 const key = random.below(kKeys);
        bool const present = (model >> key & 1) != 0;
        rcu::ReadGuard const reading;
        switch (random.below(3)) {
            case 0: {
                auto* const item = new (std::nothrow) Item;
                REQUIRE(item != nullptr);
                item->key = key;
                Item* const existing = set.insert(*item, reading);
                if (!EXPECT_EQ(existing != nullptr, present)) return;
                if (existing != nullptr) {
                    if (!EXPECT_EQ(existing->key, key)) return;
                    delete item;
                }
                model |= u64{1} << key;
                break;
            }
            case 1: {
                Item* const removed = set.remove(key, reading);
                if (!EXPECT_EQ(removed != nullptr, present)) return;
                if (removed != nullptr) reclaim(*removed);
                model &= ~(u64{1} << key);
                break;
            }
            default: {
                Item const* const found = set.find(key, reading);
                if (!EXPECT_EQ(found != nullptr, present)) return;
                if (found != nullptr && !EXPECT_EQ(found->key, key)) return;
            }
        }
    }
    rcu::ReadGuard const reading;
    u64 seen = 0;
    u64 last = 0;
    set.for_each(reading, [&](Item& item) {
        EXPECT(seen == 0 || item.key > last);
        last = item.key;
        seen |= u64{1} << item.key;
        return true;
    });
    EXPECT_EQ(seen, model);
    for (u64 key = 0; key < kKeys; ++key)
        if (Item* const item = set.remove(key, reading)) reclaim(*item);
    EXPECT(set.empty(reading));
}

// All CPUs insert and remove the same keys. Each key's insertions minus removals is 0 or 1, walks are in order, and what
// was removed is never met again.
TEST_ALL_CPUS(ordered_set, storm) {
    constexpr u64 kKeys = 24;
    static Set set;
    static std::atomic<i64> balance[kKeys];
    static std::atomic<u32> bad;
    if (cpu.value() == 0) {
        for (auto& b : balance) b.store(0);
        bad.store(0);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    auto const check = [](bool right) {
        if (!right) bad.fetch_add(1);
    };
    for (int step = 0; step < 4000; ++step) {
        u64 const key = random.below(kKeys);
        u64 const dice = random.below(10);
        if (dice < 3) {
            auto* const item = new (std::nothrow) Item;
            CHECK(item != nullptr);
            item->key = key;
            rcu::ReadGuard const reading;
            if (set.insert(*item, reading) == nullptr)
                balance[key].fetch_add(1);
            else
                delete item;
        } else if (dice < 6) {
            rcu::ReadGuard const reading;
            if (Item* const removed = set.remove(key, reading)) {
                balance[key].fetch_sub(1);
                check(removed->owner.exchange(cpu.value() + 1) == 0);  // one remover
                check(removed->key == key);
                reclaim(*removed);
            }
        } else if (dice < 9) {
            rcu::ReadGuard const reading;
            if (Item const* const found = set.find(key, reading)) check(found->key == key);
        } else {
            rcu::ReadGuard const reading;
            u64 next = 0;
            set.for_each(reading, [&](Item& item) {
                check(item.key >= next && item.key < kKeys);
                next = item.key + 1;
                return true;
            });
        }
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    {
        rcu::ReadGuard const reading;
        for (u64 key = 0; key < kKeys; ++key) {
            i64 const left = balance[key].load();
            EXPECT_EQ(left, i64{set.find(key, reading) != nullptr});
            if (Item* const item = set.remove(key, reading)) reclaim(*item);
        }
        EXPECT(set.empty(reading));
    }
    rcu::barrier();
}

// A key that is always there is always found, whatever happens around it.
TEST_ALL_CPUS(ordered_set, neighbours_come_and_go) {
    static Set set;
    static Item stays;
    static std::atomic<u32> missed;
    if (cpu.value() == 0) {
        missed.store(0);
        stays.key = 500;
        rcu::ReadGuard const reading;
        (void)set.insert(stays, reading);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    for (int step = 0; step < 2000; ++step) {
        u64 const key = 498 + random.below(5);
        if (key != 500) {
            auto* const item = new (std::nothrow) Item;
            CHECK(item != nullptr);
            item->key = key;
            rcu::ReadGuard const reading;
            if (set.insert(*item, reading) != nullptr) delete item;
            if (Item* const removed = set.remove(498 + (key + 1) % 5 == 500 ? key : 498 + (key + 1) % 5, reading))
                reclaim(*removed);
        }
        rcu::ReadGuard const reading;
        if (set.find(500, reading) != &stays) missed.fetch_add(1);
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(missed.load(), 0u);
    rcu::ReadGuard const reading;
    EXPECT(set.remove(500, reading) == &stays);
    stays.node.next.store(0);
    for (u64 key = 498; key < 503; ++key)
        if (Item* const item = set.remove(key, reading)) reclaim(*item);
}

// Places that act in the middle of a call, at the moment between its look and its exchange.
struct Plain {
    u64 key;
    [[nodiscard]] bool before(OrderedNode const& node) const { return key_of(node) < key; }
    [[nodiscard]] bool matches(OrderedNode const& node) const { return key_of(node) == key; }
    static u64 key_of(OrderedNode const& node) { return object_of(const_cast<OrderedNode*>(&node), &Item::node)->key; }
};
template <class Action>
struct Acting : Plain {
    Action& action;
    Acting(u64 k, Action& a) : Plain{k}, action{a} {}
    [[nodiscard]] bool matches(OrderedNode const& node) const {
        bool const right = Plain::matches(node);
        action();
        return right;
    }
};
using List = OrderedList<OrderedNode>;

struct RawList {
    std::atomic<uptr> head{0};
    Item items[4];
    RawList() {
        for (u64 i = 0; i < 4; ++i) items[i].key = i;
    }
    void insert(u64 key) { EXPECT(List::insert(head, items[key].node, Plain{key}) == nullptr); }
    // Every node that links lead to, removed ones that are still linked included.
    [[nodiscard]] bool reaches(u64 key) const {
        for (uptr word = head.load(); word != 0;) {
            auto* const node = reinterpret_cast<OrderedNode*>(word & ~uptr{1});
            if (node == &items[key].node) return true;
            word = node->next.load();
        }
        return false;
    }
};

TEST(ordered_list, find_does_not_return_what_was_just_removed) {
    RawList list;
    list.insert(1);
    auto remove = [&] { EXPECT(List::remove(list.head, Plain{1}) == &list.items[1].node); };
    EXPECT(List::find(list.head, Acting{1, remove}) == nullptr);
}

TEST(ordered_list, a_removed_node_is_unreachable_though_its_link_changed) {
    RawList list;
    list.insert(2);
    auto insert_in_front = [&, done = false]() mutable {
        if (!std::exchange(done, true)) list.insert(1);
    };
    EXPECT(List::remove(list.head, Acting{2, insert_in_front}) == &list.items[2].node);
    EXPECT(!list.reaches(2));
    EXPECT(list.reaches(1));
}

TEST(ordered_list, a_node_is_removed_once) {
    RawList list;
    list.insert(2);
    auto remove = [&, done = false]() mutable {
        if (!std::exchange(done, true)) EXPECT(List::remove(list.head, Plain{2}) != nullptr);
    };
    EXPECT(List::remove(list.head, Acting{2, remove}) == nullptr);
    EXPECT(!list.reaches(2));
}

TEST(ordered_list, an_insert_behind_a_node_that_goes_is_not_lost) {
    RawList list;
    list.insert(1);
    list.insert(3);
    // Between the search and the exchange the node in front is removed.
    auto remove_in_front = [&, done = false]() mutable {
        if (!std::exchange(done, true)) EXPECT(List::remove(list.head, Plain{1}) != nullptr);
    };
    EXPECT(List::insert(list.head, list.items[2].node, Acting{2, remove_in_front}) == nullptr);
    EXPECT(list.reaches(2));
    EXPECT(list.reaches(3));
    EXPECT(!list.reaches(1));
}

TEST_DEATH(ordered_set, destroyed_with_elements, "a set was destroyed with elements in it") {
    static Item item;
    Set set;
    rcu::ReadGuard const reading;
    (void)set.insert(item, reading);
}

}  // namespace
}  // namespace tutti::smp
