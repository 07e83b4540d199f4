// SPDX-License-Identifier: BSD-3-Clause
#include "smp/rcu/rcu_hash_table.hpp"

#include <memory>

#include "harness/test.hpp"
#include "sched/timers/sleep.hpp"

namespace tutti::smp {
namespace {

struct Record {
    RcuHashNode node;
    u64 key = 0;
    u64 check = 0;
    rcu::Callback reclaim;

    explicit Record(u64 k) : key{k}, check{~k} {}
};
struct Traits {
    static u64 hash(u64 key) { return key; }
    static u64 const& key(Record const& record) { return record.key; }
};
// Everything in one place: only the keys tell elements apart.
struct BadTraits : Traits {
    static u64 hash(u64) { return 7; }
};
template <class T>
using TableOf = RcuHashTable<Record, &Record::node, T>;
using Table = TableOf<Traits>;

void reclaim(Record& record) {
    rcu::defer(record.reclaim, [](rcu::Callback& callback) {
        Record* const dead = object_of(&callback, &Record::reclaim);
        dead->check = dead->key;
        delete dead;
    });
}
template <class AnyTable>
void clear(AnyTable& table, u64 keys) {
    for (u64 key = 0; key < keys; ++key) {
        rcu::ReadGuard const reading;
        if (Record* const record = table.remove(key, reading)) reclaim(*record);
    }
}

// Against a bitmap, with resizes in between; one thread.
template <class T>
void compare_with_model(u64 keys, int steps) {
    auto made = TableOf<T>::create();
    REQUIRE(made.has_value());
    auto& table = *made;
    std::unique_ptr<bool[]> const model{new (std::nothrow) bool[keys]{}};
    REQUIRE(model != nullptr);
    SplitMix64 random = harness::random(keys);
    u64 count = 0;
    for (int step = 0; step < steps; ++step) {
        u64 const key = random.below(keys);
        if (step % 512 == 511) {
            REQUIRE(table.resize(u64{1} << random.below(10)).has_value());
            continue;
        }
        rcu::ReadGuard const reading;
        switch (random.below(5)) {
            case 0:
            case 1: {
                auto* const record = new (std::nothrow) Record{key};
                REQUIRE(record != nullptr);
                Record const* const existing = table.insert(*record, reading);
                if (!EXPECT_EQ(existing != nullptr, model[key])) return;
                if (existing != nullptr) delete record;
                count += model[key] ? 0 : 1;
                model[key] = true;
                break;
            }
            case 2: {
                Record* const removed = table.remove(key, reading);
                if (!EXPECT_EQ(removed != nullptr, model[key])) return;
                if (removed != nullptr && !EXPECT_EQ(removed->key, key)) return;
                if (removed != nullptr) reclaim(*removed);
                count -= model[key] ? 1 : 0;
                model[key] = false;
                break;
            }
            default: {
                Record const* const found = table.find(key, reading);
                if (!EXPECT_EQ(found != nullptr, model[key])) return;
                if (found != nullptr && !EXPECT_EQ(found->key, key)) return;
            }
        }
    }
    EXPECT_EQ(table.count(), count);
    {
        rcu::ReadGuard const reading;
        u64 met = 0;
        table.for_each(reading, [&](Record const& record) {
            ++met;
            return EXPECT(model[record.key]);
        });
        EXPECT_EQ(met, count);
    }
    clear(table, keys);
    EXPECT_EQ(table.count(), u64{0});
}

TEST(rcu_hash_table, does_what_a_table_does) { compare_with_model<Traits>(500, 12000); }
TEST(rcu_hash_table, does_so_when_all_hashes_are_equal) { compare_with_model<BadTraits>(40, 6000); }

TEST(rcu_hash_table, grows_by_itself) {
    auto made = Table::create();
    REQUIRE(made.has_value());
    EXPECT_EQ(made->buckets(), u64{2});
    for (u64 key = 0; key < 1000; ++key) {
        auto* const record = new (std::nothrow) Record{key * 0x1001};
        REQUIRE(record != nullptr);
        rcu::ReadGuard const reading;
        EXPECT(made->insert(*record, reading) == nullptr);
    }
    EXPECT(made->buckets() >= 128);
    rcu::ReadGuard const reading;
    for (u64 key = 0; key < 1000; ++key) {
        Record* const record = made->remove(key * 0x1001, reading);
        if (EXPECT(record != nullptr)) reclaim(*record);
    }
}

// Too large a table is an error value and changes nothing.
TEST(rcu_hash_table, out_of_memory_changes_nothing) {
    EXPECT_ERROR(Table::create(u64{1} << 45), Error::NoMemory);
    auto made = Table::create(16);
    REQUIRE(made.has_value());
    Record record{5};
    {
        rcu::ReadGuard const reading;
        EXPECT(made->insert(record, reading) == nullptr);
    }
    EXPECT_ERROR(made->resize(u64{1} << 45), Error::NoMemory);
    EXPECT_EQ(made->buckets(), u64{16});
    {
        rcu::ReadGuard const reading;
        EXPECT(made->find(5, reading) == &record);
    }
    EXPECT(made->resize(64).has_value());
    EXPECT_EQ(made->buckets(), u64{64});
    rcu::ReadGuard const reading;
    EXPECT(made->remove(5, reading) == &record);
}

// Readers look while one CPU resizes and the others insert and remove: what stays is always found, what was reclaimed never.
TEST_ALL_CPUS(rcu_hash_table, resize_under_lookup) {
    constexpr u64 kStay = 64;      // 0 .. kStay - 1 are there all the time
    constexpr u64 kKeys = 192;
    static Table* table;
    static std::atomic<u32> bad;
    static std::atomic<u32> missed;
    static std::atomic<u32> working;
    if (cpu.value() == 0) {
        auto made = Table::create();
        CHECK(made);
        table = new (std::nothrow) Table(std::move(*made));
        CHECK(table != nullptr);
        bad.store(0);
        missed.store(0);
        working.store(cpus);
        rcu::ReadGuard const reading;
        for (u64 key = 0; key < kStay; ++key) {
            auto* const record = new (std::nothrow) Record{key};
            CHECK(record != nullptr && table->insert(*record, reading) == nullptr);
        }
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    for (int step = 0; step < 1200; ++step) {
        u64 const key = random.below(kKeys);
        if (cpu.value() == 0 && step % 100 == 0) {
            (void)table->resize(u64{1} << random.below(9));
            continue;
        }
        u64 const dice = random.below(4);
        if (key >= kStay && dice == 0) {
            auto* const record = new (std::nothrow) Record{key};
            CHECK(record != nullptr);
            rcu::ReadGuard const reading;
            if (table->insert(*record, reading) != nullptr) delete record;
        } else if (key >= kStay && dice == 1) {
            rcu::ReadGuard const reading;
            if (Record* const record = table->remove(key, reading)) reclaim(*record);
        } else {
            rcu::ReadGuard const reading;
            Record const* const record = table->find(key, reading);
            if (key < kStay && record == nullptr) missed.fetch_add(1);
            if (record != nullptr && (record->key != key || record->check != ~key)) bad.fetch_add(1);
        }
    }
    working.fetch_sub(1);
    // The resizer goes on until everybody is done.
    while (cpu.value() == 0 && working.load() != 0) {
        (void)table->resize(u64{1} << random.below(9));
        (void)sched::sleep_for(Nanoseconds::from_us(500));
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    EXPECT_EQ(missed.load(), 0u);
    clear(*table, kKeys);
    EXPECT_EQ(table->count(), u64{0});
    rcu::barrier();
    delete table;
}

TEST_DEATH(rcu_hash_table, destroyed_with_elements, "an RCU hash table was destroyed with elements in it") {
    static Record record{1};
    auto table = Table::create();
    CHECK(table);
    rcu::ReadGuard const reading;
    (void)table->insert(record, reading);
    { Table const dying{std::move(*table)}; }
}
TEST_DEATH(rcu_hash_table, resized_in_a_read_section, "blocking call in a context that must not block") {
    auto table = Table::create();
    CHECK(table);
    rcu::ReadGuard const reading;
    (void)table->resize(4);
}

}  // namespace
}  // namespace tutti::smp
