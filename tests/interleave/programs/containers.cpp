// SPDX-License-Identifier: BSD-3-Clause
// The ordered list with what RCU must add to it, the rings, the bounded queue, the stack.
#include "arch/cpu.hpp"
#include "engine/interleave.hpp"
#include "smp/lockfree/mpmc_queue.hpp"
#include "smp/lockfree/ordered_list.hpp"
#include "smp/lockfree/spsc_ring.hpp"
#include "smp/lockfree/stack.hpp"
#include "smp/rcu/grace_period.hpp"

namespace tutti::interleave {

namespace {

struct Node : smp::OrderedNode {
    u64 key;
    int data = 0;  // plain: written before the insertion
    explicit Node(u64 k) : key{k} {}
};
struct At {
    u64 key;
    [[nodiscard]] bool before(Node const& node) const { return node.key < key; }
    [[nodiscard]] bool matches(Node const& node) const { return node.key == key; }
};
using List = smp::OrderedList<Node>;

struct World {
    std::atomic<uptr> head{0};

    bool insert(Node& node) {
        node.data = 7;
        return List::insert(head, node, At{node.key}) == nullptr;
    }
    Node* remove(u64 key) { return List::remove(head, At{key}); }
    bool find(u64 key) {
        Node const* const node = List::find(head, At{key});
        REQUIRE(node == nullptr || (node->key == key && node->data == 7));
        return node != nullptr;
    }
    // Over every link, those of removed nodes included.
    [[nodiscard]] bool reaches(Node const& sought) const {
        for (uptr word = head.load(std::memory_order_relaxed); word != 0;) {
            auto const* const node = reinterpret_cast<Node const*>(word & ~uptr{1});
            if (node == &sought) return true;
            word = node->next.load(std::memory_order_relaxed);
        }
        return false;
    }
};

}  // namespace

INTERLEAVE(ordered_list_insert_beside_remove, {.preemptions = 3}) {
    World list;
    Node one{1}, two{2}, three{3};
    list.insert(one);
    list.insert(three);
    auto const remover = [&] { REQUIRE(list.remove(1) == &one); };
    auto const inserter = [&] { REQUIRE(list.insert(two)); };
    auto const finder = [&] {
        REQUIRE(list.find(3));
        (void)list.find(2);
    };
    run_on_cpus(remover, inserter, finder);
    REQUIRE(!list.reaches(one) && list.reaches(two) && list.reaches(three));
}
INTERLEAVE(ordered_list_neighbours_removed, {.preemptions = 4}) {
    World list;
    Node one{1}, two{2}, three{3};
    list.insert(one);
    list.insert(two);
    list.insert(three);
    auto const first = [&] { REQUIRE(list.remove(1) == &one); };
    auto const second = [&] {
        REQUIRE(list.remove(2) == &two);
        REQUIRE(!list.find(2));
    };
    run_on_cpus(first, second);
    REQUIRE(!list.reaches(one) && !list.reaches(two) && list.reaches(three));
}
INTERLEAVE(ordered_list_one_of_two, {.preemptions = 3}) {
    World list;
    Node a{1}, b{1};
    bool inserted[2] = {};
    Node* removed[2] = {};
    auto const first = [&] {
        inserted[0] = list.insert(a);
        removed[0] = list.remove(1);
    };
    auto const second = [&] {
        inserted[1] = list.insert(b);
        removed[1] = list.remove(1);
    };
    run_on_cpus(first, second);
    int const in = inserted[0] + inserted[1];
    int const out = (removed[0] != nullptr) + (removed[1] != nullptr);
    REQUIRE(in >= 1 && in == out);
    REQUIRE(removed[0] != removed[1]);
    REQUIRE(list.head.load(std::memory_order_relaxed) == 0);
}
INTERLEAVE(ordered_list_two_inserts, {.preemptions = 3}) {
    World list;
    Node one{1}, two{2}, three{3};
    list.insert(one);
    auto const first = [&] {
        two.key = 2;  // a plain write that others read on their way
        REQUIRE(list.insert(two));
    };
    auto const second = [&] {
        three.key = 3;
        REQUIRE(list.insert(three));
    };
    run_on_cpus(first, second);
    REQUIRE(list.find(2) && list.find(3));
}
// A removal that another CPU completes: what follows the node is passed on whole.
INTERLEAVE(ordered_list_helper, {.preemptions = 3}) {
    World list;
    Node one{1}, two{2};
    list.insert(one);
    auto const changer = [&] {
        REQUIRE(list.insert(two));
        REQUIRE(list.remove(1) == &one);
    };
    auto const helper = [&] { REQUIRE(list.remove(9) == nullptr); };
    auto const finder = [&] { (void)list.find(2); };
    run_on_cpus(changer, helper, finder);
    REQUIRE(!list.reaches(one) && list.reaches(two));
}
// Who finds a node gone sees what its remover did before.
INTERLEAVE(ordered_list_removal_publishes, {.preemptions = 3}) {
    World list;
    Node one{1};
    list.insert(one);
    int done = 0;
    auto const remover = [&] {
        done = 1;
        REQUIRE(list.remove(1) == &one);
    };
    auto const finder = [&] {
        if (!list.find(1)) REQUIRE(done == 1);
    };
    run_on_cpus(remover, finder);
}

namespace {
// Nodes 1, 2 and 3; what is removed is freed after a grace period of two CPUs.
struct Reclaiming : World {
    smp::rcu::GracePeriods periods;
    smp::rcu::QuiescentWord words[2];
    Node three{3};

    Reclaiming() {
        insert(*new Node{1});
        insert(*new Node{2});
        insert(three);
        for (auto& word : words) periods.leave_extended(word);
    }
    void remove_and_free(u64 key, u32 self) {
        Node* const removed = remove(key);
        REQUIRE(removed != nullptr);
        smp::rcu::Ticket const ticket = periods.start();
        periods.enter_extended(words[self]);
        u32 cursor = 0;
        if (periods.look(ticket, cursor, 2, [&](u32 cpu) -> smp::rcu::QuiescentWord& { return words[cpu]; }))
            delete removed;
        else
            left[self] = removed;  // its grace period is not over yet
    }
    ~Reclaiming() {
        for (Node* const node : left) delete node;
    }
    Node* left[2] = {};
};
}  // namespace

// Nobody who walks, helps or removes a neighbour touches what was freed.
INTERLEAVE(ordered_list_frees_under_a_finder, {.preemptions = 3}) {
    Reclaiming list;
    auto const remover = [&] { list.remove_and_free(1, 0); };
    auto const finder = [&] {
        REQUIRE(list.find(3));
        list.periods.enter_extended(list.words[1]);
    };
    run_on_cpus(remover, finder);
    delete list.remove(2);
}
INTERLEAVE(ordered_list_frees_neighbours, {.preemptions = 3}) {
    Reclaiming list;
    auto const first = [&] { list.remove_and_free(1, 0); };
    auto const second = [&] { list.remove_and_free(2, 1); };
    run_on_cpus(first, second);
    REQUIRE(list.head.load(std::memory_order_relaxed) == reinterpret_cast<uptr>(&list.three));
}

INTERLEAVE(spsc_ring, {.preemptions = 4}) {
    smp::SpscRing<int> ring = *smp::SpscRing<int>::create(2);
    auto const producer = [&] {
        for (int i = 1; i <= 3; ++i)
            while (!ring.push(int{i})) arch::pause();
    };
    auto const consumer = [&] {
        for (int i = 1; i <= 3; ++i) {
            auto value = ring.pop();
            while (!value) {
                arch::pause();
                value = ring.pop();
            }
            REQUIRE(*value == i);
        }
    };
    run_on_cpus(producer, consumer);
    REQUIRE(!ring.pop());
}

INTERLEAVE(mpmc_queue, {.preemptions = 2}) {
    smp::MpmcQueue<int> queue = *smp::MpmcQueue<int>::create(2);
    int taken = 0;
    auto const one = [&] {
        for (int i : {1, 2})
            while (!queue.push(int{i})) arch::pause();
    };
    auto const two = [&] {
        while (!queue.push(4)) arch::pause();
    };
    auto const consumer = [&] {
        for (int i = 0; i < 2; ++i) {
            auto value = queue.pop();
            while (!value) {
                arch::pause();
                value = queue.pop();
            }
            REQUIRE((taken & *value) == 0 && !(*value == 2 && (taken & 1) == 0));
            taken |= *value;
        }
    };
    run_on_cpus(one, two, consumer);
    if (auto const value = queue.pop()) taken |= *value;
    REQUIRE(taken == 7);
    REQUIRE(!queue.pop());
}
// A push may find the queue full for a moment yet: the slot's consumer is another than the one whom this CPU has heard of.
INTERLEAVE(mpmc_queue_two_consumers, {.preemptions = 3}) {
    smp::MpmcQueue<int> queue = *smp::MpmcQueue<int>::create(2);
    (void)queue.push(1);
    (void)queue.push(2);
    int taken[2] = {};
    bool pushed = false;
    auto const take = [&](int index) {
        if (auto const value = queue.pop()) taken[index] = *value;
    };
    auto const first = [&] {
        take(0);
        pushed = queue.push(4);
    };
    auto const second = [&] { take(1); };
    run_on_cpus(first, second);
    REQUIRE(taken[0] != 0 && taken[1] != 0 && taken[0] != taken[1]);
    int const out = taken[0] + taken[1];
    int rest = 0;
    while (auto const value = queue.pop()) rest += *value;
    REQUIRE(out + rest == (pushed ? 7 : 3));
}

namespace {
struct Card {
    smp::StackNode<Card> node;
    int held = 0;
};
using Stack = smp::LockFreeStack<Card, &Card::node>;
}  // namespace

// One pops and pushes back, others push: each card is in one place, and its contents go with it.
INTERLEAVE(stack, {.preemptions = 3}) {
    Stack stack;
    Card cards[3];
    stack.push(cards[0]);
    auto const popper = [&] {
        Stack::Popper popping{stack};
        for (int i = 0; i < 2; ++i) {
            Card* const card = popping.pop();
            if (card == nullptr) continue;
            ++card->held;
            stack.push(*card);
        }
    };
    auto const one = [&] {
        cards[1].held = 10;
        stack.push(cards[1]);
    };
    auto const two = [&] {
        cards[2].held = 20;
        stack.push(cards[2]);
    };
    run_on_cpus(popper, one, two);
    int sum = 0, count = 0;
    for (Card* card = stack.take_all(); card != nullptr; card = Stack::next(*card), ++count) sum += card->held;
    REQUIRE(count == 3 && sum == 32);
}
// No pops: each card goes to one of two takers, with its contents.
INTERLEAVE(stack_take_all, {.preemptions = 3}) {
    Stack stack;
    Card cards[2];
    stack.push(cards[0]);
    auto const take = [&] {
        for (Card* card = stack.take_all(); card != nullptr; card = Stack::next(*card)) ++card->held;
    };
    auto const pusher = [&] {
        cards[1].held = 10;
        stack.push(cards[1]);
    };
    run_on_cpus(take, pusher, take);
    take();
    REQUIRE(cards[0].held == 1 && cards[1].held == 11);
}
// The right to pop is handed on, by what orders the two holders.
INTERLEAVE(stack_popper_is_handed_on, {.preemptions = 3}) {
    Stack stack;
    Card cards[2];
    stack.push(cards[0]);
    stack.push(cards[1]);
    std::atomic<bool> ready{false};
    auto const first = [&] {
        {
            Stack::Popper popping{stack};
            Card* const card = popping.pop();
            ++card->held;
            stack.push(*card);
        }
        ready.store(true, std::memory_order_release);
    };
    auto const second = [&] {
        while (!ready.load(std::memory_order_acquire)) arch::pause();
        Stack::Popper popping{stack};
        Card* const card = popping.pop();
        ++card->held;
    };
    run_on_cpus(first, second);
    (void)stack.take_all();
}

}  // namespace tutti::interleave
