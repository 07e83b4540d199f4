// SPDX-License-Identifier: BSD-3-Clause
#include "smp/lockfree/mpsc_queue.hpp"

#include <memory>

#include "harness/test.hpp"
#include "sched/thread.hpp"

namespace tutti::smp {
namespace {

struct Message {
    MpscNode<Message> node;
    u32 producer = 0;
    u32 number = 0;
};
using Queue = MpscQueue<Message, &Message::node>;

TEST(mpsc_queue, takes_all_in_order) {
    Queue queue;
    Message messages[3];
    EXPECT(queue.empty());
    EXPECT(queue.take_all() == nullptr);
    EXPECT(queue.push(messages[0]));
    EXPECT(!queue.push(messages[1]));
    EXPECT(!queue.push(messages[2]));
    EXPECT(!queue.empty());
    Message const* message = queue.take_all();
    for (Message const& expected : messages) {
        REQUIRE(message == &expected);
        message = Queue::next(*message);
    }
    EXPECT(message == nullptr);
    EXPECT(queue.empty());
    EXPECT(queue.push(messages[0]));
    EXPECT(queue.take_all() == &messages[0]);
}

// All CPUs push, one takes: nothing lost, nothing twice, each producer's messages in order; and whoever pushed onto an
// empty queue is told so exactly as often as the consumer found something.
TEST_ALL_CPUS(mpsc_queue, storm) {
    constexpr u32 kEach = 3000;
    static Queue queue;
    static std::atomic<u32> producing;
    static std::atomic<u64> firsts;
    if (cpu.value() == 0) {
        producing.store(cpus);
        firsts.store(0);
    }
    std::unique_ptr<Message[]> const messages{new (std::nothrow) Message[kEach]};
    CHECK(messages != nullptr);
    harness::meet();
    std::unique_ptr<u32[]> const next{new (std::nothrow) u32[cpus]{}};
    CHECK(next != nullptr);
    u64 taken = 0;
    u64 batches = 0;
    auto const consume = [&] {
        Message const* message = queue.take_all();
        if (message != nullptr) ++batches;
        for (; message != nullptr; message = Queue::next(*message), ++taken)
            if (!EXPECT_EQ(message->number, next[message->producer]++)) return;
    };
    SplitMix64 random = harness::random(cpu.value());
    for (u32 i = 0; i < kEach; ++i) {
        messages[i].producer = cpu.value();
        messages[i].number = i;
        if (queue.push(messages[i])) firsts.fetch_add(1);
        if (cpu.value() == 0 && random.below(4) == 0) consume();
        if (random.below(300) == 0) sched::yield();
    }
    producing.fetch_sub(1);
    if (cpu.value() == 0) {
        while (producing.load() != 0) {
            consume();
            sched::yield();
        }
        consume();
        EXPECT_EQ(taken, u64{kEach} * cpus);
        EXPECT_EQ(batches, firsts.load());
    }
    harness::meet();
}

}  // namespace
}  // namespace tutti::smp
