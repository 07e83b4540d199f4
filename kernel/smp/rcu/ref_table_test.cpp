// SPDX-License-Identifier: BSD-3-Clause
#include "smp/rcu/ref_table.hpp"

#include "harness/test.hpp"
#include "sched/timers/sleep.hpp"

namespace tutti::smp {
namespace {

struct Object : RcuRefCounted<Object> {
    static inline std::atomic<u32> alive{0};
    RcuHashNode node;
    u64 id;
    std::atomic<u64> check;

    explicit Object(u64 i) : id{i}, check{~i} { alive.fetch_add(1); }
    ~Object() {
        check.store(id);
        alive.fetch_sub(1);
    }
};
struct Traits {
    static u64 hash(u64 id) { return id; }
    static u64 const& key(Object const& object) { return object.id; }
};
using Table = RefTable<Object, &Object::node, Traits>;

TEST(ref_table, a_found_object_outlives_its_removal) {
    auto table = Table::create();
    REQUIRE(table.has_value());
    {
        auto object = make_ref<Object>(u64{7});
        REQUIRE(object.has_value());
        EXPECT(table->insert(**object).has_value());
        auto twin = make_ref<Object>(u64{7});
        REQUIRE(twin.has_value());
        EXPECT_ERROR(table->insert(**twin), Error::Exists);
    }
    EXPECT(!table->find(8));
    Ref<Object> found = table->find(7);
    REQUIRE(bool{found});
    EXPECT(bool{table->remove(7)});
    EXPECT(!table->remove(7));
    EXPECT(!table->find(7));
    rcu::barrier();
    EXPECT_EQ(Object::alive.load(), 1u);
    (void)sched::sleep_for(Nanoseconds::from_ms(1));  // what a reader in a read section could not
    EXPECT_EQ(found->check.load(), ~u64{7});
    found.reset();
    rcu::barrier();
    EXPECT_EQ(Object::alive.load(), 0u);
}

// The last put frees after a grace period: a finder that lost the race sees a count of zero, not reused memory.
TEST(ref_table, the_memory_outlives_the_last_reference) {
    auto object = make_ref<Object>(u64{1});
    REQUIRE(object.has_value());
    Object* const raw = object->get();
    {
        rcu::ReadGuard const reading;
        object->reset();
        EXPECT_EQ(Object::alive.load(), 1u);
        EXPECT_EQ(raw->check.load(), ~u64{1});
        EXPECT(!raw->try_get());
    }
    rcu::barrier();
    EXPECT_EQ(Object::alive.load(), 0u);
}

// All CPUs find, keep over a sleep, remove and insert.
TEST_ALL_CPUS(ref_table, storm) {
    constexpr u64 kKeys = 8;
    static Table* table;
    static std::atomic<u32> bad;
    if (cpu.value() == 0) {
        auto made = Table::create();
        CHECK(made);
        table = new (std::nothrow) Table(std::move(*made));
        CHECK(table != nullptr);
        bad.store(0);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    for (int step = 0; step < 1500; ++step) {
        u64 const key = random.below(kKeys);
        u64 const dice = random.below(8);
        if (dice < 2) {
            auto object = make_ref<Object>(key);
            CHECK(object);
            (void)table->insert(**object);
        } else if (dice < 4) {
            (void)table->remove(key);
        } else if (Ref<Object> const found = table->find(key)) {
            if (dice == 4 && step % 64 == 0) (void)sched::sleep_for(Nanoseconds::from_us(100));
            if (found->id != key || found->check.load() != ~key) bad.fetch_add(1);
        }
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    for (u64 key = 0; key < kKeys; ++key) (void)table->remove(key);
    EXPECT_EQ(table->count(), u64{0});
    rcu::barrier();
    EXPECT_EQ(Object::alive.load(), 0u);
    delete table;
}

}  // namespace
}  // namespace tutti::smp
