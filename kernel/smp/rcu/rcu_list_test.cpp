// SPDX-License-Identifier: BSD-3-Clause
#include "smp/rcu/rcu_list.hpp"

#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/rcu/rcu.hpp"
#include "smp/rcu/rcu_ptr.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::smp {
namespace {

struct Entry {
    RcuListNode node;
    RcuHashListNode hash_node;
    u64 value = 0;
    u64 check = 0;
    rcu::Callback reclaim;

    explicit Entry(u64 v = 0) : value{v}, check{~v} {}
};
using List = RcuList<Entry, &Entry::node>;
using HashList = RcuHashList<Entry, &Entry::hash_node>;

u64 digits(List const& list) {
    rcu::ReadGuard const reading;
    u64 sum = 0;
    list.for_each(reading, [&](Entry const& entry) {
        sum = sum * 10 + entry.value;
        return true;
    });
    return sum;
}

TEST(rcu_list, order_of_insertions) {
    List list;
    Entry e[] = {Entry{1}, Entry{2}, Entry{3}, Entry{4}};
    EXPECT(list.empty_locked());
    EXPECT_EQ(digits(list), u64{0});
    list.push_back(e[1]);
    list.push_back(e[2]);
    list.push_front(e[0]);
    EXPECT_EQ(digits(list), u64{123});
    list.insert_before(e[2], e[3]);
    EXPECT_EQ(digits(list), u64{1243});
    list.remove(e[1]);
    EXPECT_EQ(digits(list), u64{143});
    list.replace(e[3], e[1]);
    EXPECT_EQ(digits(list), u64{123});
    EXPECT(!List::is_linked_locked(e[3]));
    {
        rcu::ReadGuard const reading;
        EXPECT(list.find(reading, [](Entry const& entry) { return entry.value == 3; }) == &e[2]);
        EXPECT(list.find(reading, [](Entry const& entry) { return entry.value == 4; }) == nullptr);
    }
    while (Entry* const first = list.front_locked()) list.remove(*first);
    EXPECT(list.empty_locked());
}

TEST(rcu_list, a_reader_on_a_removed_element_goes_on) {
    List list;
    Entry e[] = {Entry{1}, Entry{2}, Entry{3}};
    for (Entry& entry : e) list.push_back(entry);
    rcu::ReadGuard const reading;
    u64 seen = 0;
    list.for_each(reading, [&](Entry& entry) {
        if (entry.value == 2) list.remove(entry);
        seen = seen * 10 + entry.value;
        return true;
    });
    EXPECT_EQ(seen, u64{123});
    list.remove(e[0]);
    list.remove(e[2]);
}

TEST(rcu_hash_list, insert_remove_replace) {
    HashList list;
    Entry e[] = {Entry{1}, Entry{2}, Entry{3}};
    auto const find = [&](u64 value) {
        rcu::ReadGuard const reading;
        return list.find(reading, [&](Entry const& entry) { return entry.value == value; });
    };
    EXPECT(find(1) == nullptr);
    list.push_front(e[0]);
    list.push_front(e[1]);
    EXPECT(find(1) == &e[0]);
    EXPECT(find(2) == &e[1]);
    list.replace(e[0], e[2]);
    EXPECT(find(1) == nullptr);
    EXPECT(find(3) == &e[2]);
    list.remove(e[1]);
    EXPECT(find(2) == nullptr);
    EXPECT(find(3) == &e[2]);
    list.remove(e[2]);
    EXPECT(list.empty_locked());
}

// One writer at a time inserts, removes and replaces; readers see whole elements only, and none that was reclaimed.
TEST_ALL_CPUS(rcu_list, storm) {
    static List list;
    static HashList hash_list;
    static SpinLock writers{LockRank::Driver, "list test"};
    static u32 length;
    static std::atomic<u32> bad;
    if (cpu.value() == 0) {
        bad.store(0);
        length = 0;
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    auto const look = [](Entry const& entry) {
        if (entry.check != ~entry.value) bad.fetch_add(1);
        return true;
    };
    auto const reclaim = [](Entry& entry) {
        rcu::defer(entry.reclaim, [](rcu::Callback& callback) {
            Entry* const dead = object_of(&callback, &Entry::reclaim);
            dead->check = dead->value;
            delete dead;
        });
    };
    for (int step = 0; step < 2500; ++step) {
        if (random.below(3) != 0) {
            rcu::ReadGuard const reading;
            list.for_each(reading, look);
            (void)hash_list.find(reading, [&](Entry const& entry) { return !look(entry); });
            continue;
        }
        auto* const fresh = new (std::nothrow) Entry{random.next()};
        CHECK(fresh != nullptr);
        SpinGuard const guard{writers};
        Entry* const first = list.front_locked();
        if (first != nullptr && random.below(3) == 0) {
            list.replace(*first, *fresh);
            hash_list.replace(*first, *fresh);
            reclaim(*first);
        } else if (first != nullptr && length > 10) {
            list.remove(*first);
            hash_list.remove(*first);
            reclaim(*first);
            --length;
            delete fresh;
        } else {
            if (random.below(2) == 0) list.push_back(*fresh);
            else list.push_front(*fresh);
            hash_list.push_front(*fresh);
            ++length;
        }
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    while (Entry* const first = list.front_locked()) {
        list.remove(*first);
        hash_list.remove(*first);
        reclaim(*first);
        --length;
    }
    EXPECT_EQ(length, 0u);
    rcu::barrier();
}

TEST_ALL_CPUS(rcu_ptr, readers_see_what_was_published) {
    static RcuPtr<Entry> pointer;
    static std::atomic<u32> bad;
    static std::atomic<bool> done;
    if (cpu.value() == 0) {
        bad.store(0);
        done.store(false);
    }
    harness::meet();
    if (cpu.value() == 0) {
        for (u64 i = 1; i < 30; ++i) {
            auto* const fresh = new (std::nothrow) Entry{i};
            CHECK(fresh != nullptr);
            Entry* const old = pointer.exchange(fresh);
            rcu::synchronize();
            if (old == nullptr) continue;
            old->check = old->value;
            delete old;
        }
        done.store(true);
    }
    u64 last = 0;
    for (u64 reads = 0; !done.load(std::memory_order_relaxed); ++reads) {
        if (reads % 256 == 0) sched::yield();
        rcu::ReadGuard const reading;
        Entry const* const entry = pointer.load(reading);
        if (entry == nullptr) continue;
        if (entry->check != ~entry->value || entry->value < last) bad.fetch_add(1);
        last = entry->value;
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    EXPECT(pointer.load_locked() != nullptr);
    delete pointer.exchange(nullptr);
}

TEST_DEATH(rcu_list, inserted_twice, "element is in a list already") {
    static List list;
    static Entry entry;
    list.push_back(entry);
    list.push_back(entry);
}
TEST_DEATH(rcu_list, removed_twice, "removing an element that is in no list") {
    static List list;
    static Entry entry;
    list.push_back(entry);
    list.remove(entry);
    list.remove(entry);
}
TEST_DEATH(rcu_list, destroyed_with_elements, "an RCU list was destroyed with elements in it") {
    static Entry entry;
    List list;
    list.push_back(entry);
}
TEST_DEATH(rcu_hash_list, destroyed_with_elements, "an RCU list was destroyed with elements in it") {
    static Entry entry;
    HashList list;
    list.push_front(entry);
}

}  // namespace
}  // namespace tutti::smp
