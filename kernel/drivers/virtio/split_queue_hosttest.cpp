// SPDX-License-Identifier: BSD-3-Clause
// The split virtqueue against a device written from the specification: honest, concurrent and hostile.
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "base/random.hpp"
#include "drivers/virtio/fake_device.hpp"

namespace tutti::drivers {
namespace {

using test::FakeDevice;

struct Rig {
    explicit Rig(u16 size, SplitQueueOptions options)
        : bytes{SplitQueue::memory_size(size, options)},
          memory{static_cast<u8*>(std::aligned_alloc(4096, align_up(bytes, size_t{4096}))), &std::free} {
        std::memset(memory.get(), 0, bytes);
        auto created = SplitQueue::create(size, {memory.get(), bytes},
                                          PhysAddr{reinterpret_cast<u64>(memory.get())}, options);
        EXPECT_TRUE(created.has_value());
        queue = std::move(*created);
        device = std::make_unique<FakeDevice>(queue, options.event_index);
    }
    size_t bytes;
    std::unique_ptr<u8, decltype(&std::free)> memory;
    SplitQueue queue;
    std::unique_ptr<FakeDevice> device;
};

DeviceBuffer buffer_of(std::span<u8> bytes) {
    return {PhysAddr{reinterpret_cast<u64>(bytes.data())}, static_cast<u32>(bytes.size())};
}

class SplitQueueTest : public testing::TestWithParam<SplitQueueOptions> {};

INSTANTIATE_TEST_SUITE_P(Features, SplitQueueTest,
                         testing::Values(SplitQueueOptions{false, false}, SplitQueueOptions{true, false},
                                         SplitQueueOptions{false, true}, SplitQueueOptions{true, true}),
                         [](auto const& info) {
                             return std::string{info.param.event_index ? "EventIndex" : "Flags"} +
                                    (info.param.indirect ? "Indirect" : "Direct");
                         });

TEST_P(SplitQueueTest, RefusesBadSizes) {
    std::vector<u8> memory(1 << 20);
    for (u16 const size : {u16{0}, u16{3}, u16{100}, u16{2048}, u16{65535}})
        EXPECT_EQ(SplitQueue::create(size, memory, PhysAddr{0}, GetParam()).error(), Error::InvalidArgument) << size;
    EXPECT_EQ(SplitQueue::create(8, std::span{memory}.first(64), PhysAddr{0}, GetParam()).error(),
              Error::InvalidArgument);
}

TEST_P(SplitQueueTest, CarriesARequestThereAndBack) {
    Rig rig{8, GetParam()};
    std::array<u8, 4> question{1, 2, 3, 4};
    std::array<u8, 8> answer{};
    std::array const readable{buffer_of(question)};
    std::array const writable{buffer_of(std::span{answer}.first(3)), buffer_of(std::span{answer}.subspan(3))};
    FakeDevice::Request request;
    ASSERT_TRUE(rig.queue.submit(readable, writable, 77).has_value());
    EXPECT_FALSE(rig.device->take(request)) << "visible before publish()";
    EXPECT_TRUE(rig.queue.publish());
    EXPECT_FALSE(rig.queue.publish()) << "nothing new to publish";
    ASSERT_TRUE(rig.device->take(request));
    ASSERT_EQ(request.segments.size(), 3u);
    EXPECT_FALSE(request.segments[0].writable);
    EXPECT_EQ(request.segments[0].data, question.data());
    EXPECT_TRUE(request.segments[1].writable && request.segments[2].writable);
    EXPECT_EQ(request.segments[2].length, 5u);
    EXPECT_FALSE(rig.queue.take_completion().has_value());
    rig.device->finish(request.head, 5);
    auto const done = rig.queue.take_completion();
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->token, 77u);
    EXPECT_EQ(done->written, 5u);
    EXPECT_EQ(rig.queue.in_flight(), 0u);
}

TEST_P(SplitQueueTest, RefusesEmptyAndOverlongRequests) {
    Rig rig{64, GetParam()};
    u8 byte = 0;
    std::vector<DeviceBuffer> const many(SplitQueue::kMaxSegments + 1, buffer_of({&byte, 1}));
    EXPECT_EQ(rig.queue.submit({}, {}, 0).error(), Error::InvalidArgument);
    EXPECT_EQ(rig.queue.submit(many, {}, 0).error(), Error::InvalidArgument);
    EXPECT_TRUE(rig.queue.submit(std::span{many}.first(SplitQueue::kMaxSegments), {}, 0).has_value());
}

// Random requests, finished out of order, for long enough that every 16-bit index wraps.
TEST_P(SplitQueueTest, KeepsItsBooksOverManyRandomRequests) {
    Rig rig{16, GetParam()};
    SplitMix64 random{GetParam().indirect * 2u + GetParam().event_index};
    u8 byte = 0;
    std::map<u64, std::pair<size_t, u32>> model;  // token: segments, writable bytes
    std::vector<std::pair<FakeDevice::Request, u64>> held;
    std::deque<u64> offered;
    std::deque<std::pair<u64, u32>> finished;
    u64 next_token = 1;
    for (int step = 0; step < 800000; ++step) {
        switch (random.below(4)) {
            case 0: {
                size_t const readable = random.below(4), writable = random.below(4);
                std::vector<DeviceBuffer> buffers(readable + writable, buffer_of({&byte, 1}));
                u32 room = 0;
                for (size_t i = readable; i < buffers.size(); ++i)
                    room += buffers[i].length = static_cast<u32>(random.below(5000));
                bool const has_room = rig.queue.has_room(buffers.size());
                auto const result = rig.queue.submit(std::span{buffers}.first(readable),
                                                     std::span{buffers}.subspan(readable), next_token);
                ASSERT_EQ(result.has_value(), has_room);
                if (!result) break;
                model[next_token] = {buffers.size(), room};
                offered.push_back(next_token++);
                break;
            }
            case 1: (void)rig.queue.publish(); break;
            case 2: {
                FakeDevice::Request request;
                if (rig.device->take(request)) {
                    ASSERT_FALSE(offered.empty());
                    ASSERT_EQ(request.segments.size(), model[offered.front()].first);
                    held.emplace_back(request, offered.front());
                    offered.pop_front();
                }
                if (!held.empty() && random.below(2) == 0) {
                    size_t const which = random.below(held.size());
                    u64 const token = held[which].second;
                    u32 const written = static_cast<u32>(random.below(model[token].second + 1));
                    rig.device->finish(held[which].first.head, written);
                    finished.emplace_back(token, written);
                    held.erase(held.begin() + static_cast<long>(which));
                }
                break;
            }
            default: {
                auto const done = rig.queue.take_completion();
                ASSERT_EQ(done.has_value(), !finished.empty());
                if (!done) break;
                ASSERT_EQ(done->token, finished.front().first);
                ASSERT_EQ(done->written, finished.front().second);
                model.erase(done->token);
                finished.pop_front();
            }
        }
        ASSERT_EQ(rig.queue.in_flight(), model.size());
    }
    EXPECT_GT(next_token, u64{66000}) << "the indices did not wrap";
    EXPECT_FALSE(rig.queue.is_broken());
}

TEST_P(SplitQueueTest, NotifiesOnlyADeviceThatAsked) {
    Rig rig{8, GetParam()};
    u8 byte = 0;
    std::array const one{buffer_of({&byte, 1})};
    auto const offer = [&] {
        EXPECT_TRUE(rig.queue.submit(one, {}, 0).has_value());
        return rig.queue.publish();
    };
    FakeDevice::Request request;
    EXPECT_TRUE(offer());
    rig.device->disable_notifications();
    EXPECT_FALSE(offer());
    EXPECT_TRUE(rig.device->enable_notifications()) << "a request is there: no notification would come for it";
    while (rig.device->take(request)) rig.device->finish(request.head, 0);
    EXPECT_FALSE(rig.device->enable_notifications());
    EXPECT_TRUE(offer());
}

TEST_P(SplitQueueTest, InterruptsOnlyADriverThatAsked) {
    Rig rig{8, GetParam()};
    u8 byte = 0;
    std::array const one{buffer_of({&byte, 1})};
    FakeDevice::Request request;
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(rig.queue.submit(one, {}, 0).has_value());
    (void)rig.queue.publish();
    auto const finish_one = [&] {
        EXPECT_TRUE(rig.device->take(request));
        return rig.device->finish(request.head, 0);
    };
    EXPECT_FALSE(rig.queue.enable_interrupts());
    EXPECT_TRUE(finish_one());
    rig.queue.disable_interrupts();
    EXPECT_FALSE(finish_one());
    EXPECT_TRUE(rig.queue.enable_interrupts()) << "two completions are there: no interrupt would come for them";
    while (rig.queue.take_completion()) {}
    EXPECT_FALSE(rig.queue.enable_interrupts());
    EXPECT_TRUE(finish_one());
}

TEST_P(SplitQueueTest, BreaksOnAnIdOutsideTheTable) {
    for (u32 const id : {8u, 0xffffu, 0x10000u, 0xffffffffu}) {
        Rig rig{8, GetParam()};
        u8 byte = 0;
        ASSERT_TRUE(rig.queue.submit(std::array{buffer_of({&byte, 1})}, {}, 0).has_value());
        (void)rig.queue.publish();
        rig.device->finish(id, 0);
        EXPECT_FALSE(rig.queue.take_completion().has_value());
        EXPECT_TRUE(rig.queue.is_broken());
        EXPECT_FALSE(rig.queue.has_room(1));
        EXPECT_EQ(rig.queue.submit(std::array{buffer_of({&byte, 1})}, {}, 0).error(), Error::IoError);
        EXPECT_FALSE(rig.queue.publish());
        EXPECT_FALSE(rig.queue.enable_interrupts()) << "a caller would loop for ever";
    }
}

TEST_P(SplitQueueTest, BreaksOnARequestFinishedTwice) {
    Rig rig{8, GetParam()};
    u8 byte = 0;
    for (int i = 0; i < 2; ++i)
        ASSERT_TRUE(rig.queue.submit(std::array{buffer_of({&byte, 1})}, {}, 0).has_value());
    (void)rig.queue.publish();
    FakeDevice::Request request;
    ASSERT_TRUE(rig.device->take(request));
    rig.device->finish(request.head, 0);
    rig.device->finish(request.head, 0);
    EXPECT_TRUE(rig.queue.take_completion().has_value());
    EXPECT_FALSE(rig.queue.take_completion().has_value());
    EXPECT_TRUE(rig.queue.is_broken());
}

TEST_P(SplitQueueTest, BreaksOnAnIndexThatJumps) {
    for (u16 const index : {u16{2}, u16{9}, u16{0x8000}, u16{0xffff}}) {
        Rig rig{8, GetParam()};
        u8 byte = 0;
        ASSERT_TRUE(rig.queue.submit(std::array{buffer_of({&byte, 1})}, {}, 0).has_value());
        (void)rig.queue.publish();
        rig.device->set_used_index(index);
        EXPECT_FALSE(rig.queue.take_completion().has_value()) << index;
        EXPECT_TRUE(rig.queue.is_broken()) << index;
    }
}

TEST_P(SplitQueueTest, BreaksOnAnOverlongWrite) {
    for (u32 const written : {9u, 0x80000000u, 0xffffffffu}) {
        Rig rig{8, GetParam()};
        std::array<u8, 8> bytes{};
        ASSERT_TRUE(rig.queue.submit({}, std::array{buffer_of(bytes)}, 0).has_value());
        (void)rig.queue.publish();
        FakeDevice::Request request;
        ASSERT_TRUE(rig.device->take(request));
        rig.device->finish(request.head, written);
        EXPECT_FALSE(rig.queue.take_completion().has_value()) << written;
        EXPECT_TRUE(rig.queue.is_broken()) << written;
    }
}

// A device that writes anything anywhere it can: the driver neither crashes (sanitizers watch) nor loops, and never
// returns more requests than it gave.
TEST_P(SplitQueueTest, SurvivesRandomHostility) {
    for (u64 seed = 0; seed < 300; ++seed) {
        SplitMix64 random{seed};
        Rig rig{16, GetParam()};
        u8 byte = 0;
        size_t given = 0, taken = 0;
        FakeDevice::Request request;
        for (int step = 0; step < 200; ++step) {
            switch (random.below(6)) {
                case 0:
                case 1: {
                    std::vector<DeviceBuffer> const buffers(1 + random.below(5), buffer_of({&byte, 1}));
                    if (rig.queue.submit(buffers, {}, random.next())) ++given;
                    (void)rig.queue.publish();
                    break;
                }
                case 2: rig.device->scribble_descriptor(random.below(16), random.next(), random.next()); break;
                case 3: rig.device->finish(static_cast<u32>(random.below(20)), static_cast<u32>(random.below(2))); break;
                case 4:
                    if (random.below(8) == 0) rig.device->set_used_index(static_cast<u16>(random.next()));
                    break;
                default:
                    while (rig.queue.take_completion()) ++taken;
                    (void)rig.queue.enable_interrupts();
            }
            ASSERT_LE(taken, given);
            ASSERT_EQ(rig.queue.in_flight(), given - taken);
        }
    }
}

// Driver and device on two threads, each asleep unless told: a lost notification or interrupt would hang the test.
TEST_P(SplitQueueTest, LosesNoNotificationBetweenTwoThreads) {
    constexpr u64 kRequests = 30000;
    Rig rig{8, GetParam()};
    struct Doorbell {
        void ring() {
            std::lock_guard lock{mutex};
            rung = true;
            condition.notify_one();
        }
        bool wait() {
            std::unique_lock lock{mutex};
            bool const in_time = condition.wait_for(lock, std::chrono::seconds{20}, [&] { return rung; });
            rung = false;
            return in_time;
        }
        std::mutex mutex;
        std::condition_variable condition;
        bool rung = false;
    } to_device, to_driver;
    std::vector<u64> slots(kRequests);

    std::thread device{[&] {
        u64 done = 0;
        FakeDevice::Request request;
        while (done < kRequests) {
            rig.device->disable_notifications();
            while (rig.device->take(request)) {
                u64 const value = load_le<u64>(request.segments[0].data);
                store_le<u64>(request.segments[1].data, value * 3);
                ++done;
                if (rig.device->finish(request.head, 8)) to_driver.ring();
            }
            if (done < kRequests && !rig.device->enable_notifications() && !to_device.wait()) return;
        }
    }};

    std::vector<std::array<u64, 2>> data(kRequests);
    u64 sent = 0, received = 0;
    bool hung = false;
    while (received < kRequests && !hung) {
        rig.queue.disable_interrupts();
        while (auto const done = rig.queue.take_completion()) {
            EXPECT_EQ(data[done->token][1], done->token * 3);
            ++received;
        }
        while (sent < kRequests && rig.queue.has_room(2)) {
            data[sent] = {sent, 0};
            auto* const bytes = reinterpret_cast<u8*>(data[sent].data());
            ASSERT_TRUE(rig.queue.submit(std::array{buffer_of({bytes, 8})}, std::array{buffer_of({bytes + 8, 8})}, sent)
                            .has_value());
            ++sent;
            if (rig.queue.publish()) to_device.ring();
        }
        if (received < kRequests && !rig.queue.enable_interrupts()) hung = !to_driver.wait();
    }
    device.join();
    EXPECT_FALSE(hung) << "a notification or an interrupt was lost after " << received;
    EXPECT_EQ(received, kRequests);
}

}  // namespace
}  // namespace tutti::drivers
