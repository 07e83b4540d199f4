// SPDX-License-Identifier: BSD-3-Clause
// Host tests of the containers and the formatter: compared with the standard library on random operations.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "base/atomic_bitmap.hpp"
#include "base/format.hpp"
#include "base/intrusive_list.hpp"
#include "base/random.hpp"
#include "base/rb_tree.hpp"
#include "base/ref.hpp"
#include "base/string.hpp"

namespace tutti {
namespace {

struct Item {
    explicit Item(u64 k) : key{k} {}
    u64 key;
    RbNode rb;
    ListNode node;
};
struct ByKey {
    bool operator()(Item const& a, Item const& b) const { return a.key < b.key; }
};
using Tree = RbTree<Item, &Item::rb, ByKey>;
using List = IntrusiveList<Item, &Item::node>;

TEST(RbTree, AgreesWithMultisetOnRandomOperations) {
    SplitMix64 random{42};
    Tree tree;
    std::multiset<u64> model;
    std::vector<std::unique_ptr<Item>> linked;
    for (int step = 0; step < 20000; ++step) {
        if (linked.empty() || random.below(100) < 52) {
            linked.push_back(std::make_unique<Item>(random.below(500)));
            tree.insert(*linked.back());
            model.insert(linked.back()->key);
        } else {
            size_t const victim = random.below(linked.size());
            tree.remove(*linked[victim]);
            model.erase(model.find(linked[victim]->key));
            linked.erase(linked.begin() + static_cast<long>(victim));
        }
        ASSERT_EQ(tree.size(), model.size());
        if (model.empty()) {
            ASSERT_EQ(tree.first(), nullptr);
            continue;
        }
        ASSERT_EQ(tree.first()->key, *model.begin());
        ASSERT_EQ(tree.last()->key, *model.rbegin());
        u64 const probe = random.below(500);
        Item* const bound = tree.lower_bound([&](Item const& item) { return item.key < probe; });
        auto const expected = model.lower_bound(probe);
        ASSERT_EQ(bound == nullptr, expected == model.end());
        if (bound != nullptr) ASSERT_EQ(bound->key, *expected);
    }
    auto expected = model.begin();
    for (Item* item = tree.first(); item != nullptr; item = tree.next(*item)) ASSERT_EQ(item->key, *expected++);
    ASSERT_EQ(expected, model.end());
    for (auto& item : linked) tree.remove(*item);
}

TEST(RbTree, TheOnlyElementGivesUpItsPlace) {
    Item first{1}, second{2}, third{3};
    Tree tree;
    tree.insert(third);
    tree.exchange_only(third, second);
    EXPECT_FALSE(Tree::is_linked(third));
    EXPECT_EQ(tree.first(), &second);
    EXPECT_EQ(tree.size(), 1u);
    tree.insert(third);
    tree.insert(first);
    EXPECT_EQ(tree.first(), &first);
    EXPECT_EQ(tree.next(first), &second);
    EXPECT_EQ(tree.last(), &third);
    for (Item* item : {&second, &first, &third}) tree.remove(*item);
    EXPECT_TRUE(tree.empty());
}

TEST(IntrusiveList, KeepsOrderThroughPushRemoveAndSplice) {
    Item a{1}, b{2}, c{3}, d{4};
    List first, second;
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(first.pop_front(), nullptr);
    first.push_back(b);
    first.push_front(a);
    second.push_back(d);
    second.insert_before(d, c);
    first.splice_back(second);
    EXPECT_TRUE(second.empty());
    std::vector<u64> keys;
    for (Item& item : first) keys.push_back(item.key);
    EXPECT_EQ(keys, (std::vector<u64>{1, 2, 3, 4}));
    first.remove(c);
    EXPECT_FALSE(List::is_linked(c));
    EXPECT_EQ(first.pop_front(), &a);
    EXPECT_EQ(first.pop_front(), &b);
    EXPECT_EQ(first.pop_front(), &d);
    EXPECT_TRUE(first.empty());
}

TEST(AtomicBitmap, FindsEveryBitFromEveryStart) {
    std::vector<std::atomic<u64>> words(AtomicBitmap::words_for(150));
    AtomicBitmap bitmap{words, 150};
    EXPECT_FALSE(bitmap.find_set_from(0, std::memory_order_relaxed));
    for (size_t bit : {0u, 63u, 64u, 149u}) {
        EXPECT_FALSE(bitmap.set(bit, std::memory_order_relaxed));
        EXPECT_TRUE(bitmap.set(bit, std::memory_order_relaxed));
        for (size_t start = 0; start < 150; ++start)
            EXPECT_EQ(bitmap.find_set_from(start, std::memory_order_relaxed), bit);
        EXPECT_TRUE(bitmap.clear(bit, std::memory_order_relaxed));
    }
}

TEST(Format, PrintsNumbersStringsAndTypes) {
    char buffer[128];
    EXPECT_EQ(format_to(buffer, "{} {:x} {:#x} {:08x} {:5}|", 42, 255u, 255u, 0xbeefu, -7), "42 ff 0xff 0000beef    -7|");
    EXPECT_EQ(format_to(buffer, "{} {} {}", true, 'c', "text"), "true c text");
    EXPECT_EQ(format_to(buffer, "{}", PhysAddr{0x1000}), "0x1000");
    EXPECT_EQ(format_to(buffer, "{} {}", CpuId{3}, Nanoseconds{-5}), "3 -5");
    EXPECT_EQ(format_to(buffer, "{}", Error::NotFound), "NotFound");
    EXPECT_EQ(format_to(buffer, "{{}} {}", INT64_MIN), "{} -9223372036854775808");
}

TEST(Format, CutsAtTheEndOfTheBuffer) {
    char buffer[4] = {'#', '#', '#', '#'};
    EXPECT_EQ(format_to(std::span{buffer, 3}, "{}", 123456), "123");
    EXPECT_EQ(buffer[3], '#');
}

Result<int> half(int value) {
    if (value % 2 != 0) return fail(Error::InvalidArgument);
    return value / 2;
}
Result<int> quarter(int value) { return half(TRY(half(value))); }

TEST(Result, TryReturnsTheError) {
    EXPECT_EQ(quarter(8), 2);
    EXPECT_EQ(quarter(6).error(), Error::InvalidArgument);
}

struct Counted : RefCounted<Counted> {
    explicit Counted(int& deaths) : deaths_{deaths} {}
    ~Counted() { ++deaths_; }
    int& deaths_;
};

TEST(Ref, DeletesWithTheLastReference) {
    int deaths = 0;
    {
        auto ref = make_ref<Counted>(deaths);
        ASSERT_TRUE(ref);
        Ref<Counted> const copy = *ref;
        EXPECT_EQ(copy->reference_count(), 2u);
        ref->reset();
        EXPECT_EQ(deaths, 0);
    }
    EXPECT_EQ(deaths, 1);
}

TEST(Vector, GrowsErasesAndKeepsOrder) {
    Vector<int> vector;
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(vector.try_push_back(i));
    vector.erase(50);
    EXPECT_EQ(vector.size(), 99u);
    EXPECT_EQ(vector[50], 51);
    EXPECT_EQ(vector.try_reserve(static_cast<size_t>(-1) / 2).error(), Error::NoMemory);
    EXPECT_EQ(vector.size(), 99u);
}

TEST(Nanoseconds, SaturatesInsteadOfWrapping) {
    EXPECT_EQ(kNever + Nanoseconds{1}, kNever);
    EXPECT_EQ(Nanoseconds{INT64_MIN} - Nanoseconds{1}, Nanoseconds{INT64_MIN});
}

}  // namespace
}  // namespace tutti
