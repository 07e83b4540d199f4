// SPDX-License-Identifier: BSD-3-Clause
#include "smp/lockfree/stack.hpp"

#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::smp {
namespace {

struct Card {
    StackNode<Card> node;
    std::atomic<u32> held{0};
};
using Stack = LockFreeStack<Card, &Card::node>;

TEST(lock_free_stack, last_in_first_out) {
    Stack stack;
    Card cards[4];
    EXPECT(stack.empty());
    EXPECT(stack.push(cards[0]));
    EXPECT(!stack.push(cards[1]));
    EXPECT(!stack.push(cards[2]));
    {
        Stack::Popper popper{stack};
        EXPECT(popper.pop() == &cards[2]);
        EXPECT(!stack.push(cards[3]));
        EXPECT(popper.pop() == &cards[3]);
    }
    Card* const all = stack.take_all();
    REQUIRE(all == &cards[1]);
    EXPECT(Stack::next(*all) == &cards[0]);
    EXPECT(Stack::next(cards[0]) == nullptr);
    EXPECT(stack.empty());
    Stack::Popper popper{stack};
    EXPECT(popper.pop() == nullptr);
}

// A pack of cards goes round: every CPU pops some, which must be nobody's, and pushes them back.
TEST_ALL_CPUS(lock_free_stack, storm) {
    constexpr u32 kCards = 16;
    static Stack stack;
    static Card cards[kCards];
    static std::atomic<u32> bad;
    static SpinLock pop_lock{LockRank::Driver, "stack test"};
    if (cpu.value() == 0) {
        bad.store(0);
        for (Card& card : cards) stack.push(card);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    Card* hand[4] = {};
    u32 count = 0;
    for (int step = 0; step < 8000; ++step) {
        if (count < 4 && random.below(2) == 0) {
            SpinGuard const guard{pop_lock};
            Stack::Popper popper{stack};
            if (Card* const card = popper.pop()) {
                if (card->held.exchange(cpu.value() + 1) != 0) bad.fetch_add(1);
                hand[count++] = card;
            }
        } else if (count != 0) {
            Card& card = *hand[--count];
            if (card.held.exchange(0) != cpu.value() + 1) bad.fetch_add(1);
            stack.push(card);
        }
        if (random.below(500) == 0) sched::yield();
    }
    while (count != 0) {
        Card& card = *hand[--count];
        card.held.store(0);
        stack.push(card);
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    u32 left = 0;
    for (Card const* card = stack.take_all(); card != nullptr; card = Stack::next(*card)) ++left;
    EXPECT_EQ(left, kCards);
}

// Only take_all(): each element goes to one taker.
TEST_ALL_CPUS(lock_free_stack, takers_share_nothing) {
    constexpr u32 kCards = 64;
    static Stack stack;
    static Card cards[kCards];
    static std::atomic<u32> bad;
    if (cpu.value() == 0) {
        bad.store(0);
        for (Card& card : cards) stack.push(card);
    }
    harness::meet();
    SplitMix64 random = harness::random(cpu.value());
    for (int step = 0; step < 1500; ++step) {
        Card* card = stack.take_all();
        for (Card* c = card; c != nullptr; c = Stack::next(*c))
            if (c->held.exchange(1) != 0) bad.fetch_add(1);
        while (card != nullptr) {
            Card* const next = Stack::next(*card);
            card->held.store(0);
            stack.push(*card);
            card = next;
        }
        if (random.below(100) == 0) sched::yield();
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT_EQ(bad.load(), 0u);
    u32 left = 0;
    for (Card const* card = stack.take_all(); card != nullptr; card = Stack::next(*card)) ++left;
    EXPECT_EQ(left, kCards);
}

TEST_DEATH(lock_free_stack, two_poppers, "two pop from one stack") {
    static Stack stack;
    Stack::Popper first{stack};
    Stack::Popper second{stack};
}
TEST_DEATH(lock_free_stack, destroyed_with_elements, "a stack was destroyed with elements in it") {
    static Card card;
    Stack stack;
    stack.push(card);
}

}  // namespace
}  // namespace tutti::smp
