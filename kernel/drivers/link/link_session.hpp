// SPDX-License-Identifier: BSD-3-Clause
// The host link over one byte port: many senders, whole frames; input with credit; events from the host.
//
//   sender     transmit_mutex_ -> wait for room for one whole frame -> fill the port's ring -> transmit
//   interrupt  bytes -> FrameDecoder -> input ring (readers woken) | pending signal, window size (thread woken)
//   thread     signals and window changes are told to the ABI in Thread context
//   reader     input ring -> its buffer -> credit back to the host once a quarter of the ring was read
//
// A sender waits for room with the mutex held: the others could not send either. The wait ends by interruption.
#pragma once

#include <array>
#include <atomic>

#include "drivers/console/byte_port.hpp"
#include "drivers/link/host_link.hpp"
#include "drivers/link/input_ring.hpp"
#include "mem/frame/frame.hpp"
#include "sched/thread.hpp"
#include "sched/wait/mutex.hpp"
#include "sched/wait/wait_queue.hpp"
#include "vm/io_buffer.hpp"

namespace tutti::drivers {

class LinkSession final : public BytePort::Client {
  public:
    // The port outlives the session. Call connect() once the object is where it stays.
    explicit LinkSession(BytePort& port) : port_{port} {}
    void connect() { port_.connect(*this); }

    // As the functions of host_link.hpp.
    [[nodiscard]] Result<u64> write_output(OutputStream stream, vm::IoBuffer& from, LinkWait wait);
    [[nodiscard]] bool output_ready();
    [[nodiscard]] sched::WaitQueue& output_queue() { return room_queue_; }
    [[nodiscard]] Result<u64> read_input(vm::IoBuffer& to, LinkWait wait);
    [[nodiscard]] InputRing const& input() const { return input_; }
    [[nodiscard]] sched::WaitQueue& input_queue() { return input_queue_; }
    [[nodiscard]] Result<> open_input();
    [[nodiscard]] WindowSize window_size() const;
    // Starts the thread that calls them. Once. Error::NoMemory.
    [[nodiscard]] Result<> set_events(host_link::Events const& events);

    // Sends `parts`, one after the other, in frames of `type`: in one when they fit. Waits uninterruptibly.
    [[nodiscard]] Result<> send(hal::FrameType type, std::span<std::span<u8 const> const> parts);
    // Waits until the device has taken everything, or until the deadline.
    void drain(Deadline deadline);

    void on_received(std::span<u8 const> bytes) override;
    ISR_SAFE void on_room() override {
        room_queue_.wake_all();
        input_queue_.wake_all();  // a terminal is polled there for both directions
    }

    // FrameDecoder's sink.
    void frame_begin(hal::FrameHeader header);
    void frame_data(std::span<u8 const> bytes);
    void frame_end(hal::FrameHeader header);

    // Enough for a sender and the host to work at the same time, and well below the port's ring.
    static constexpr size_t kChunk = 32768;
    static constexpr size_t kInputSize = 65536;

  private:
    // Puts one frame of up to `size` <= kChunk payload bytes into the port; fill(space) writes the payload and returns
    // how much it had. With transmit_mutex_ held.
    template <class Fill>
    [[nodiscard]] Result<u64> send_frame(hal::FrameType type, size_t size, LinkWait wait, sched::WaitMode mode,
                                         Fill fill) REQUIRES(transmit_mutex_);
    // The mutex is held after success.
    [[nodiscard]] Result<> lock_transmit(LinkWait wait) NO_THREAD_SAFETY_ANALYSIS;
    [[nodiscard]] Result<> wait_for_room(size_t count, sched::WaitMode mode);
    // While less than a quarter of the ring is owed the host has credit left, so a frame for each small read is not
    // needed. More is never left owed while readers wait: the host may have none.
    [[nodiscard]] bool owes_credit() const {
        return credit_owed_.load(std::memory_order_relaxed) >= kInputSize / 4;
    }
    // When it is interrupted, or would have to wait and may not, the debt stays, and the next reader pays it.
    [[nodiscard]] Result<> pay_credit(LinkWait wait);
    void end_input(char const* why);
    void raise_event(u64 signals);
    [[noreturn]] void run_events();

    BytePort& port_;
    sched::Mutex transmit_mutex_{"link transmit"};
    sched::WaitQueue room_queue_;

    InputRing input_;
    sched::Mutex read_mutex_{"link read"};  // one consumer at a time
    sched::WaitQueue input_queue_;
    mem::FrameRef input_memory_;
    std::atomic<u32> credit_owed_{0};  // read by the program, not yet given back to the host

    // The interrupt's alone.
    hal::FrameDecoder decoder_;
    hal::FrameType incoming_{};
    std::array<u8, 8> control_{};
    size_t control_size_ = 0;

    std::atomic<u32> window_{24u << 16 | 80u};  // rows, columns: one word, never torn
    std::atomic<bool> window_changed_{false};
    std::atomic<u64> pending_signals_{0};  // bit n - 1: signal n; the same signal twice is once, as for programs
    sched::WaitQueue event_queue_;
    host_link::Events events_;  // set before the thread starts
    Ref<sched::Thread> event_thread_;
};

}  // namespace tutti::drivers
