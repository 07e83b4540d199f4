// SPDX-License-Identifier: BSD-3-Clause
// The first network device, where there is one. Suite `net_with_host` needs a peer at its other end that does what the notes
// say (tests/system/check_linuxu_devices).
#include "drivers/net/net_device.hpp"

#include <algorithm>

#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "sched/wait/semaphore.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::drivers {
namespace {

constexpr char kNoDevice[] = "no network device (linuxu has that of --tap, with the word devices=yes)";
constexpr Nanoseconds kPatience = Nanoseconds::from_s(20);
// Ethernet types for experiments (IEEE 802): frames of the tests, and the last of them.
constexpr u8 kTestType[] = {0x88, 0xb5};
constexpr u8 kEndType[] = {0x88, 0xb6};

NetDevice* device() {
    auto const first = net_devices().begin();
    return first == net_devices().end() ? nullptr : &*first;
}
NetQueue* queue_of(NetDevice& device, CpuId cpu) {
    for (size_t i = 0; i < device.queue_count(); ++i)
        if (device.queue(i).cpu() == cpu) return &device.queue(i);
    return nullptr;
}

// A frame to everybody. Its address has the right size, whatever the frame's is.
Ref<PacketBuffer> make_frame(PacketPool& pool, NetDevice const& from, size_t size) {
    Result<Ref<PacketBuffer>> buffer = pool.take();
    CHECK(buffer);
    std::span<u8> const memory = (*buffer)->memory();
    std::ranges::fill(memory, u8{0xff});
    std::ranges::copy(from.address(), memory.subspan(6).begin());
    std::ranges::copy(kTestType, memory.subspan(12).begin());
    (*buffer)->set_size(size);
    return std::move(*buffer);
}

Result<> transmit_one(NetQueue& queue, Ref<PacketBuffer> packet) {
    PacketBuffer const* const buffer = packet.get();
    CHECK(queue.transmit({&packet, 1}) == 1);
    EXPECT(!packet);
    SentPacket sent;
    Deadline const deadline = hal::now() + kPatience;
    while (queue.take_sent({&sent, 1}) == 0) {
        CHECK(hal::now() < deadline, "a frame was not given back");
        sched::yield();
    }
    EXPECT(sent.packet.get() == buffer);
    return sent.result;
}

TEST_EACH_CPU(net_device, takes_no_more_than_it_can_hold) {
    NetDevice* const net = device();
    NetQueue* const queue = net == nullptr ? nullptr : queue_of(*net, cpu);
    if (queue == nullptr) SKIP(kNoDevice);
    constexpr size_t kMany = 600;
    static constinit PacketBuffer const* order[kMany]{};
    auto pool = PacketPool::create(kMany, 64);
    REQUIRE(pool.has_value());
    for (int round = 0; round < 3; ++round) {
        size_t taken = 0;
        for (bool full = false; !full;) {
            Ref<PacketBuffer> batch[8];
            for (size_t i = 0; i < std::size(batch); ++i) {
                REQUIRE(taken + i < kMany);
                batch[i] = make_frame(**pool, *net, 64);
                order[taken + i] = batch[i].get();
            }
            size_t const count = queue->transmit(batch);
            taken += count;
            full = count < std::size(batch);
            for (size_t i = 0; i < std::size(batch); ++i) EXPECT_EQ(bool{batch[i]}, i >= count);
        }
        EXPECT(taken != 0);
        // Nothing more goes, and nobody waits.
        Ref<PacketBuffer> further = make_frame(**pool, *net, 64);
        EXPECT_EQ(queue->transmit({&further, 1}), size_t{0});
        EXPECT(bool{further});
        EXPECT(!queue->enable_interrupt());
        size_t given_back = 0;
        SentPacket sent[5];
        while (size_t const count = queue->take_sent(sent))
            for (size_t i = 0; i < count; ++i) {
                REQUIRE(given_back < taken);
                EXPECT(sent[i].packet.get() == order[given_back++]);
            }
        EXPECT_EQ(given_back, taken);
    }
}

TEST_EACH_CPU(net_device, says_which_frames_it_cannot_send) {
    NetDevice* const net = device();
    NetQueue* const queue = net == nullptr ? nullptr : queue_of(*net, cpu);
    if (queue == nullptr) SKIP(kNoDevice);
    constexpr size_t kVlanTagSize = 4;
    size_t const largest = net->mtu() + kEthernetHeaderSize + kVlanTagSize;
    auto pool = PacketPool::create(2, largest + 1);
    REQUIRE(pool.has_value());
    EXPECT(transmit_one(*queue, make_frame(**pool, *net, largest)).has_value());
    EXPECT_ERROR(transmit_one(*queue, make_frame(**pool, *net, largest + 1)), Error::MessageTooLong);
    EXPECT_ERROR(transmit_one(*queue, make_frame(**pool, *net, kEthernetHeaderSize - 1)),
                 Error::InvalidArgument);
}

// --- with somebody at the other end ----------------------------------------------------------------------------------

struct Mode {
    std::string_view name;
    bool interrupts;
};

// Of each CPU's queue. An interrupt may come after the end of the test that has enabled it.
struct Ready {
    sched::Semaphore came{0};
    std::atomic<bool> enabled{false};
};
PERCPU_SECTION constinit smp::PerCpu<Ready> ready;

struct EchoCounts {
    std::atomic<bool> over{false};
    std::atomic<u32> queues_used{0};
    std::atomic<u32> interrupts{0};
    std::atomic<u32> wrong{0};  // interrupts on another CPU than the queue's, or that were not enabled
};
constinit EchoCounts echo;

ISR_SAFE void on_ready(NetQueue& queue, void* argument) {
    auto& self = *static_cast<Ready*>(argument);
    echo.interrupts.fetch_add(1, std::memory_order_relaxed);
    bool const here = smp::in_isr() && smp::this_cpu_unstable() == queue.cpu();
    if (!here || !self.enabled.exchange(false)) echo.wrong.fetch_add(1, std::memory_order_relaxed);
    (void)self.came.up();
}

class Echo {
  public:
    Echo(NetDevice const& device, NetQueue& queue, bool interrupts)
        : address_{device.address()}, queue_{queue}, interrupts_{interrupts} {}

    // Until the peer has sent the last frame to some queue.
    void run() {
        queue_.set_handler(&on_ready, &ready.on(queue_.cpu()));
        Deadline deadline = hal::now() + kPatience;
        while (!echo.over.load(std::memory_order_acquire)) {
            if (turn() != 0)
                deadline = hal::now() + kPatience;
            else if (!wait(deadline))
                return;
        }
    }
    [[nodiscard]] u32 frames() const { return frames_; }

  private:
    static constexpr size_t kBatch = 16;

    size_t turn() {
        Ref<PacketBuffer> packets[kBatch];
        size_t const received = queue_.receive(packets);
        size_t count = 0;
        for (size_t i = 0; i < received; ++i)
            if (turn_around(packets[i]->bytes())) std::swap(packets[count++], packets[i]);
        std::span<Ref<PacketBuffer>> rest{packets, count};
        do {
            rest = rest.subspan(queue_.transmit(rest));
            take_sent();
        } while (!rest.empty());
        frames_ += static_cast<u32>(count);
        return received;
    }
    // True when the frame goes back.
    bool turn_around(std::span<u8> frame) {
        if (frame.size() < kEthernetHeaderSize || !std::ranges::equal(frame.first(6), address_)) return false;
        if (std::ranges::equal(frame.subspan(12, 2), kEndType)) {
            echo.over.store(true, std::memory_order_release);
            smp::for_each_cpu([](CpuId cpu) { (void)ready.on(cpu).came.up(); });
            return false;
        }
        std::ranges::swap_ranges(frame.first(6), frame.subspan(6, 6));
        return true;
    }
    void take_sent() {
        SentPacket sent[kBatch];
        while (size_t const count = queue_.take_sent(sent))
            for (size_t i = 0; i < count; ++i) {
                EXPECT(sent[i].result.has_value());
                sent[i].packet.reset();
            }
    }
    bool wait(Deadline deadline) {
        if (!interrupts_) {
            sched::yield();
            return EXPECT(hal::now() < deadline);
        }
        Ready& own = ready.on(queue_.cpu());
        own.enabled.store(true);
        if (!queue_.enable_interrupt()) return true;
        // Queues without a flow hear nothing until the end.
        return EXPECT(
            own.came.down_until(deadline + kPatience, sched::WaitMode::Uninterruptible).has_value());
    }

    MacAddress address_;
    NetQueue& queue_;
    bool interrupts_;
    u32 frames_ = 0;
};

TEST_P(net_with_host, sends_back_what_comes,
       harness::values(Mode{"interrupts", true}, Mode{"polling", false}), .limit = Nanoseconds::from_s(90),
       .on_request = true, .on = harness::On::AllCpus) {
    NetDevice* const net = device();
    if (net == nullptr) SKIP(kNoDevice);
    if (cpu.value() == 0) {
        echo.over.store(false, std::memory_order_relaxed);
        echo.queues_used.store(0, std::memory_order_relaxed);
        echo.interrupts.store(0, std::memory_order_relaxed);
        echo.wrong.store(0, std::memory_order_relaxed);
        MacAddress const a = net->address();
        harness::note("host: send {} {:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", parameter.name, a[0], a[1],
                      a[2], a[3], a[4], a[5]);
    }
    harness::meet();
    if (NetQueue* const queue = queue_of(*net, cpu)) {
        Echo serve{*net, *queue, parameter.interrupts};
        serve.run();
        if (serve.frames() != 0) echo.queues_used.fetch_add(1, std::memory_order_relaxed);
        harness::note("{} frames by the queue of CPU {}", serve.frames(), cpu.value());
    }
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT(echo.queues_used.load(std::memory_order_relaxed) >= std::min<size_t>(net->queue_count(), 2));
    EXPECT_EQ(echo.wrong.load(std::memory_order_relaxed), 0u);
    u32 const interrupts = echo.interrupts.load(std::memory_order_relaxed);
    // In polling mode: what the case before has left enabled.
    EXPECT(parameter.interrupts ? interrupts != 0 : interrupts <= net->queue_count());
    harness::note("{} interrupts", interrupts);
}

// Transmits until it goes as wanted, or for too long.
Result<> transmit_until(NetQueue& queue, NetDevice const& net, PacketPool& pool, Result<> wanted) {
    Deadline const deadline = hal::now() + kPatience;
    for (;;) {
        Result<> const result = transmit_one(queue, make_frame(pool, net, 64));
        if (result == wanted || hal::now() >= deadline) return result;
        (void)sched::sleep_for(Nanoseconds::from_ms(1));
    }
}

TEST_EACH_CPU(net_with_host, gives_frames_back_when_the_link_is_down, .on_request = true) {
    NetDevice* const net = device();
    NetQueue* const queue = net == nullptr ? nullptr : queue_of(*net, cpu);
    if (queue == nullptr) SKIP(kNoDevice);
    auto pool = PacketPool::create(1, 64);
    REQUIRE(pool.has_value());
    REQUIRE(transmit_until(*queue, *net, **pool, {}).has_value());
    harness::note("host: down");
    EXPECT_ERROR(transmit_until(*queue, *net, **pool, fail(Error::IoError)), Error::IoError);
    harness::note("host: up");
    EXPECT(transmit_until(*queue, *net, **pool, {}).has_value());
}

// The last: there is no way back.
TEST_EACH_CPU(net_with_host, outlives_its_interface, .on_request = true) {
    NetDevice* const net = device();
    NetQueue* const queue = net == nullptr ? nullptr : queue_of(*net, cpu);
    if (queue == nullptr) SKIP(kNoDevice);
    auto pool = PacketPool::create(1, 64);
    REQUIRE(pool.has_value());
    if (cpu.value() == 0) harness::note("host: delete");
    EXPECT_ERROR(transmit_until(*queue, *net, **pool, fail(Error::NoDevice)), Error::NoDevice);
    Ref<PacketBuffer> packet;
    EXPECT_EQ(queue->receive({&packet, 1}), size_t{0});
    queue->set_handler(&on_ready, &ready.on(cpu));
    u32 const before = echo.interrupts.load(std::memory_order_relaxed);
    for (int i = 0; i < 10; ++i) {
        EXPECT(queue->enable_interrupt());
        (void)sched::sleep_for(Nanoseconds::from_ms(1));
    }
    EXPECT(echo.interrupts.load(std::memory_order_relaxed) - before <= net->queue_count());
}

}  // namespace
}  // namespace tutti::drivers
