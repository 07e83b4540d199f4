// SPDX-License-Identifier: BSD-3-Clause
// The host link over a port whose room the test decides.
#include "drivers/link/link_session.hpp"

#include <cstring>

#include "harness/test.hpp"
#include "sched/wait/wake_ups_test.hpp"

namespace tutti::drivers {
namespace {

using hal::FrameType;

class Port final : public BytePort {
  public:
    void connect(Client& client) override { client_ = &client; }
    size_t transmit_capacity() const override { return sizeof bytes_; }
    size_t transmit_room() override { return full_ ? 0 : sizeof bytes_; }
    bool request_room(size_t count) override { return count <= transmit_room(); }
    bool is_broken() override { return false; }
    Space transmit_space(size_t count) override { return {std::span{bytes_}.first(count), {}}; }
    void transmit(size_t count) override {
        hal::CreditPayload payload;
        if (bytes_[0] != static_cast<u8>(FrameType::StdinCredit)) return;
        EXPECT_EQ(count, hal::kFrameHeaderSize + sizeof payload);
        std::memcpy(&payload, bytes_ + hal::kFrameHeaderSize, sizeof payload);
        credit += payload.bytes;
    }

    void set_full(bool full) {
        full_ = full;
        if (!full) client_->on_room();
    }
    void receive(FrameType type, std::span<u8 const> payload) {
        client_->on_received(hal::encode_frame_header(type, static_cast<u32>(payload.size())));
        client_->on_received(payload);
    }
    u64 credit = 0;  // given to the host so far

  private:
    Client* client_ = nullptr;
    u8 bytes_[64]{};
    bool full_ = false;
};

struct LinkSessionTest {
    Port port;
    LinkSession session{port};

    void set_up() {
        session.connect();
        EXPECT(session.open_input().has_value());
    }
};

}  // namespace

TEST_F(LinkSessionTest, pays_for_an_interrupted_reader) {
    static u8 bytes[LinkSession::kInputSize];
    port.receive(FrameType::Stdin, bytes);
    port.set_full(true);
    vm::IoBuffer to = vm::IoBuffer::kernel(std::span<u8>{bytes});
    sched::current().interrupt();
    EXPECT_EQ(session.read_input(to, LinkWait::Interruptible).value_or(0), sizeof bytes);
    sched::current().clear_interrupt();
    EXPECT_EQ(port.credit, LinkSession::kInputSize);
    port.set_full(false);
    vm::IoBuffer more = vm::IoBuffer::kernel(std::span<u8>{bytes});
    Result<u64> const nothing = session.read_input(more, LinkWait::NoWait);
    EXPECT(!nothing && nothing.error() == Error::WouldBlock);
    EXPECT_EQ(port.credit, 2 * LinkSession::kInputSize);
}

// Whoever polls a terminal waits on the queue of its input, for both directions.
TEST_F(LinkSessionTest, tells_the_input_queue_of_room) {
    sched::WakeUps const wake_ups{session.input_queue()};
    port.set_full(true);
    EXPECT(!session.output_ready());
    EXPECT_EQ(wake_ups.count, u32{0});
    port.set_full(false);
    EXPECT_EQ(wake_ups.count, u32{1});
}

}  // namespace tutti::drivers
