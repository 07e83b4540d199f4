// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/link/link_session.hpp"

#include <algorithm>
#include <cstring>

#include "base/log.hpp"
#include "mem/frame/frame_allocator.hpp"

namespace tutti::drivers {
namespace {

using hal::FrameType;
using sched::WaitMode;

constexpr size_t kHeader = hal::kFrameHeaderSize;
static_assert(LinkSession::kChunk <= hal::kMaxFramePayload);

// A frame's bytes in the port's ring, which may wrap anywhere.
class FrameBytes {
  public:
    explicit FrameBytes(BytePort::Space space) : space_{space} {}

    // Calls move(bytes) -> Result<size_t> for the contiguous stretches of [offset, offset + size), until one is not
    // filled. The bytes moved; an error only when there were none.
    template <class Move>
    Result<u64> for_each_stretch(size_t offset, size_t size, Move move) {
        u64 moved = 0;
        while (moved < size) {
            std::span<u8> const stretch = stretch_at(offset + moved, size - moved);
            Result<u64> const step = move(stretch);
            if (!step && moved == 0) return step;
            if (!step) break;
            moved += *step;
            if (*step < stretch.size()) break;
        }
        return moved;
    }
    void write(size_t offset, std::span<u8 const> bytes) {
        (void)for_each_stretch(offset, bytes.size(), [&](std::span<u8> to) -> Result<u64> {
            std::memcpy(to.data(), bytes.data(), to.size());
            bytes = bytes.subspan(to.size());
            return to.size();
        });
    }

  private:
    std::span<u8> stretch_at(size_t offset, size_t size) const {
        std::span<u8> const rest = offset < space_.first.size() ? space_.first.subspan(offset)
                                                                : space_.second.subspan(offset - space_.first.size());
        return rest.first(std::min(size, rest.size()));
    }
    BytePort::Space space_;
};

}  // namespace

Result<> LinkSession::wait_for_room(size_t count, WaitMode mode) {
    return room_queue_.wait_until([&] { return port_.request_room(count); }, kNever, mode);
}

Result<> LinkSession::lock_transmit(LinkWait wait) {
    if (wait == LinkWait::Interruptible) return transmit_mutex_.lock_until(kNever, WaitMode::Interruptible);
    if (!transmit_mutex_.try_lock()) return fail(Error::WouldBlock);
    return {};
}

template <class Fill>
Result<u64> LinkSession::send_frame(FrameType type, size_t size, LinkWait wait, WaitMode mode, Fill fill) {
    if (wait == LinkWait::NoWait) {
        size_t const room = port_.transmit_room();
        if (room < kHeader + std::min<size_t>(size, 1))
            return fail(port_.is_broken() ? Error::IoError : Error::WouldBlock);
        size = std::min(size, room - kHeader);
    } else {
        TRY(wait_for_room(kHeader + size, mode));
        if (port_.is_broken()) return fail(Error::IoError);
    }
    FrameBytes frame{port_.transmit_space(kHeader + size)};
    u64 const filled = size == 0 ? 0 : TRY(fill(frame, size));
    frame.write(0, hal::encode_frame_header(type, static_cast<u32>(filled)));
    port_.transmit(kHeader + filled);
    return filled;
}

Result<u64> LinkSession::write_output(OutputStream stream, vm::IoBuffer& from, LinkWait wait) {
    FrameType const type = stream == OutputStream::Stdout ? FrameType::Stdout : FrameType::Stderr;
    u64 const before = from.done();
    while (from.remaining() != 0) {
        // Given up between frames, so that writers on other CPUs take turns.
        auto const sent = [&]() -> Result<u64> {
            TRY(lock_transmit(wait));
            sched::MutexGuard guard{transmit_mutex_, sched::kAdoptLock};
            size_t const size = std::min<u64>(from.remaining(), kChunk);
            return send_frame(type, size, wait, WaitMode::Interruptible, [&](FrameBytes& frame, size_t count) {
                return frame.for_each_stretch(kHeader, count, [&](std::span<u8> to) {
                    return from.read_from(to.data(), to.size());
                });
            });
        }();
        if (!sent) {
            if (from.done() != before) break;
            return sent;
        }
    }
    return from.done() - before;
}

bool LinkSession::output_ready() {
    // Room for a pipe's atomic unit, so that a woken writer gets something done.
    return port_.request_room(kHeader + 4096);
}

Result<> LinkSession::send(FrameType type, std::span<std::span<u8 const> const> parts) {
    size_t total = 0;
    for (auto const part : parts) total += part.size();
    size_t part = 0;
    size_t offset = 0;
    do {
        sched::MutexGuard guard{transmit_mutex_};
        size_t const size = std::min(total, kChunk);
        u64 const sent = TRY(send_frame(type, size, LinkWait::Interruptible, WaitMode::Uninterruptible,
                                        [&](FrameBytes& frame, size_t count) -> Result<u64> {
            for (size_t done = 0; done < count;) {
                std::span<u8 const> const rest = parts[part].subspan(offset);
                size_t const step = std::min(rest.size(), count - done);
                frame.write(kHeader + done, rest.first(step));
                done += step;
                offset += step;
                if (offset == parts[part].size()) {
                    ++part;
                    offset = 0;
                }
            }
            return count;
        }));
        total -= sent;
    } while (total != 0);
    return {};
}

void LinkSession::drain(Deadline deadline) {
    size_t const everything = port_.transmit_capacity();
    (void)room_queue_.wait_until([&] { return port_.request_room(everything); }, deadline, WaitMode::Uninterruptible);
}

Result<> LinkSession::open_input() {
    static_assert(is_power_of_two(kInputSize));
    input_memory_ = TRY(mem::allocate_frames(std::bit_width(kInputSize / kPageSize) - 1));
    input_.set_memory({input_memory_.data<u8>(), kInputSize});
    hal::CreditPayload const credit{kInputSize};
    std::span<u8 const> const part{reinterpret_cast<u8 const*>(&credit), sizeof credit};
    return send(FrameType::StdinCredit, {&part, 1});
}

Result<u64> LinkSession::read_input(vm::IoBuffer& to, LinkWait wait) {
    if (to.remaining() == 0) return 0;
    for (;;) {
        bool const ended = input_.has_ended();
        if (input_.available() != 0) {
            TRY(read_mutex_.lock_until(kNever, WaitMode::Interruptible));
            u64 const before = to.done();
            Result<u64> outcome = 0;
            {
                sched::MutexGuard guard{read_mutex_, sched::kAdoptLock};
                InputRing::Bytes const bytes = input_.bytes();
                for (auto const stretch : {bytes.first, bytes.second})
                    if (outcome && to.remaining() != 0) outcome = to.write_to(stretch.data(), stretch.size());
                input_.consume(static_cast<size_t>(to.done() - before));
            }
            if (u64 const moved = to.done() - before; moved != 0) {
                // relaxed: a count; the frame that carries it is ordered by the mutex.
                credit_owed_.fetch_add(static_cast<u32>(moved), std::memory_order_relaxed);
                (void)pay_credit(LinkWait::Interruptible);  // or whoever reads next
                return moved;
            }
            if (!outcome) return outcome;
            continue;  // another reader was faster
        }
        if (ended) return 0;
        Result<> const paid = pay_credit(wait);
        if (wait == LinkWait::NoWait) return fail(Error::WouldBlock);
        TRY(paid);
        TRY(input_queue_.wait_until([&] { return input_.is_ready() || owes_credit(); }, kNever,
                                    WaitMode::Interruptible));
    }
}

Result<> LinkSession::pay_credit(LinkWait wait) {
    if (!owes_credit() || input_.has_ended()) return {};
    TRY(lock_transmit(wait));
    sched::MutexGuard guard{transmit_mutex_, sched::kAdoptLock};
    if (wait == LinkWait::NoWait && port_.transmit_room() < kHeader + sizeof(hal::CreditPayload))
        return fail(Error::WouldBlock);
    hal::CreditPayload const credit{credit_owed_.exchange(0, std::memory_order_relaxed)};
    if (credit.bytes == 0) return {};
    auto const sent = send_frame(FrameType::StdinCredit, sizeof credit, wait, WaitMode::Interruptible,
                                 [&](FrameBytes& frame, size_t count) -> Result<u64> {
        frame.write(kHeader, {reinterpret_cast<u8 const*>(&credit), count});
        return count;
    });
    if (sent) return {};
    credit_owed_.fetch_add(credit.bytes, std::memory_order_relaxed);
    input_queue_.wake_all();  // another reader may have found no debt meanwhile, and waits
    return fail(sent.error());
}

WindowSize LinkSession::window_size() const {
    u32 const both = window_.load(std::memory_order_relaxed);
    return {static_cast<u16>(both >> 16), static_cast<u16>(both)};
}

ISR_SAFE void LinkSession::end_input(char const* why) {
    if (input_.has_ended()) return;
    if (why != nullptr) log_error("host link: {}; no more input is taken", why);
    input_.end();
    input_queue_.wake_all();
}

Result<> LinkSession::set_events(host_link::Events const& events) {
    events_ = events;
    auto const run = [](void* self) { static_cast<LinkSession*>(self)->run_events(); };
    event_thread_ = TRY(sched::Thread::create({.name = "host-link"}, run, this));
    event_thread_->start();
    return {};
}

ISR_SAFE void LinkSession::raise_event(u64 signals) {
    // release: pairs with the acquire in run_events(); the window's change is visible with it.
    pending_signals_.fetch_or(signals, std::memory_order_release);
    event_queue_.wake_one();
}

void LinkSession::run_events() {
    for (;;) {
        (void)event_queue_.wait_until([&] {
            return pending_signals_.load(std::memory_order_acquire) != 0 ||
                   window_changed_.load(std::memory_order_relaxed);
        });
        if (window_changed_.exchange(false, std::memory_order_relaxed) && events_.window_changed != nullptr)
            events_.window_changed();
        for (u64 signals = pending_signals_.exchange(0, std::memory_order_acquire); signals != 0;
             signals &= signals - 1)
            if (events_.signal != nullptr) events_.signal(static_cast<u32>(std::countr_zero(signals)) + 1);
    }
}

ISR_SAFE void LinkSession::on_received(std::span<u8 const> bytes) {
    if (!decoder_.feed(bytes, *this)) end_input("the host broke the protocol");
}

ISR_SAFE void LinkSession::frame_begin(hal::FrameHeader header) {
    incoming_ = header.type;
    control_size_ = 0;
}

ISR_SAFE void LinkSession::frame_data(std::span<u8 const> bytes) {
    if (incoming_ == FrameType::Stdin) {
        if (input_.has_ended()) return;
        if (!input_.push(bytes)) return end_input("the host sent more input than it had credit for");
        input_queue_.wake_all();
        return;
    }
    size_t const count = std::min(bytes.size(), control_.size() - control_size_);
    std::memcpy(control_.data() + control_size_, bytes.data(), count);
    control_size_ += count;
}

ISR_SAFE void LinkSession::frame_end(hal::FrameHeader header) {
    switch (header.type) {
        case FrameType::Stdin: break;
        case FrameType::StdinEof: end_input(nullptr); break;
        case FrameType::Signal: {
            hal::SignalPayload signal;
            if (header.length != sizeof signal) return end_input("a signal frame of the wrong size came");
            std::memcpy(&signal, control_.data(), sizeof signal);
            if (signal.number >= 1 && signal.number <= 64) raise_event(u64{1} << (signal.number - 1));
            break;
        }
        case FrameType::WindowSize: {
            hal::WindowSizePayload size;
            if (header.length != sizeof size) return end_input("a window-size frame of the wrong size came");
            std::memcpy(&size, control_.data(), sizeof size);
            window_.store(u32{size.rows} << 16 | size.columns, std::memory_order_relaxed);
            window_changed_.store(true, std::memory_order_relaxed);
            raise_event(0);
            break;
        }
        default: end_input("the host sent a frame that only the kernel sends"); break;
    }
}

}  // namespace tutti::drivers
