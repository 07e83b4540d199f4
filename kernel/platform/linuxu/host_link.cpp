// SPDX-License-Identifier: BSD-3-Clause
// Sending is a system call that does not wait, by whoever sends. A thread of the process that is no CPU waits for the
// socket, reads what comes, and interrupts the boot CPU.
#include "platform/linuxu/host_link.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>

#include "arch/host_call.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "drivers/console/byte_port.hpp"
#include "drivers/link/start_link.hpp"
#include "platform/linuxu/host_thread.hpp"
#include "platform/linuxu/interrupts.hpp"
#include "platform/linuxu/memory.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::platform {
namespace {

using arch::host_argument;
using arch::host_call;

constexpr i64 kAgain = -11;
constexpr i64 kInterrupted = -4;

constinit int link_file = -1;

class SocketPort final : public drivers::BytePort {
  public:
    explicit SocketPort(int file) : file_{static_cast<u64>(file)} {}

    // The link is made before another CPU runs, and stays.
    void connect(Client& client) override;

    size_t transmit_capacity() const override { return kTransmitSize; }
    ISR_SAFE size_t transmit_room() override {
        smp::SpinIrqGuard guard{lock_};
        return broken_ ? 0 : room();
    }
    ISR_SAFE bool request_room(size_t count) override {
        smp::SpinIrqGuard guard{lock_};
        if (broken_ || room() >= count) return true;
        room_is_wanted_ = true;
        return false;
    }
    ISR_SAFE bool is_broken() override {
        smp::SpinIrqGuard guard{lock_};
        return broken_;
    }
    Space transmit_space(size_t count) override {
        smp::SpinIrqGuard guard{lock_};
        size_t const at = head_ % kTransmitSize;
        size_t const before_wrap = std::min(count, kTransmitSize - at);
        return {{transmit_ + at, before_wrap}, {transmit_, count - before_wrap}};
    }
    void transmit(size_t count) override {
        smp::SpinIrqGuard guard{lock_};
        head_ += count;
        send();
    }

  private:
    static constexpr size_t kTransmitSize = 256 << 10;
    static constexpr size_t kReceiveSize = 64 << 10;
    static constexpr u32 kEnded = ~u32{0};

    [[nodiscard]] size_t room() const REQUIRES(lock_) { return kTransmitSize - (head_ - tail_); }
    void send() REQUIRES(lock_);
    void call_waiter() {
        u64 const one = 1;
        host_call(SYS_write, event_, host_argument(&one), sizeof one);
    }
    ISR_SAFE void interrupt();
    void wait();  // the thread's

    u64 file_;
    u64 event_ = 0;  // makes the thread look again
    hal::InterruptHandle interrupt_;
    Client* client_ = nullptr;
    smp::SpinLock lock_{smp::LockRank::DriverQueue, "host link transmit queue"};
    u8* transmit_ = nullptr;
    u64 head_ GUARDED_BY(lock_) = 0;
    u64 tail_ GUARDED_BY(lock_) = 0;
    bool room_is_wanted_ GUARDED_BY(lock_) = false;
    bool broken_ GUARDED_BY(lock_) = false;
    std::atomic<bool> host_is_full_{false};
    // Bytes in received_: the thread fills it when it is 0, the interrupt empties it.
    std::atomic<u32> received_size_{0};
    u8* received_ = nullptr;
};

void SocketPort::connect(Client& client) {
    client_ = &client;
    transmit_ = static_cast<u8*>(host_allocate(kTransmitSize));
    received_ = static_cast<u8*>(host_allocate(kReceiveSize));
    i64 const event = host_call(SYS_eventfd2, 0, EFD_CLOEXEC);
    CHECK(event >= 0, "no event descriptor from the host: error {}", -event);
    event_ = static_cast<u64>(event);
    auto const interrupt = hal::allocate_interrupt(CpuId{0}, [](void* self) { static_cast<SocketPort*>(self)->interrupt(); }, this);
    CHECK(interrupt, "no interrupt for the host link");
    interrupt_ = *interrupt;
    int const error = start_helper_thread([](void* self) -> void* { static_cast<SocketPort*>(self)->wait(); return nullptr; }, this);
    CHECK(error == 0, "the host gives no thread for the link: error {}", error);
}

ISR_SAFE void SocketPort::send() {
    while (tail_ != head_ && !broken_) {
        size_t const at = tail_ % kTransmitSize;
        size_t const count = std::min<size_t>(head_ - tail_, kTransmitSize - at);
        i64 const sent = host_call(SYS_sendto, file_, host_argument(transmit_ + at), count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent == kInterrupted) continue;
        if (sent == kAgain) {
            host_is_full_.store(true, std::memory_order_release);
            call_waiter();
            return;
        }
        if (sent <= 0)
            broken_ = true;
        else
            tail_ += static_cast<u64>(sent);
    }
}

ISR_SAFE void SocketPort::interrupt() {
    // acquire: the bytes.
    if (u32 const size = received_size_.load(std::memory_order_acquire); size == kEnded) {
        smp::SpinIrqGuard guard{lock_};
        broken_ = true;
    } else if (size != 0) {
        client_->on_received({received_, size});
        received_size_.store(0, std::memory_order_release);
        call_waiter();
    }
    bool tell = false;
    {
        smp::SpinIrqGuard guard{lock_};
        send();
        tell = room_is_wanted_ && (tail_ == head_ || broken_ || room() >= kTransmitSize / 2);
        if (tell) room_is_wanted_ = false;
    }
    if (tell) client_->on_room();
}

void SocketPort::wait() {
    for (;;) {
        bool const may_read = received_size_.load(std::memory_order_acquire) == 0;
        bool const may_send = host_is_full_.load(std::memory_order_acquire);
        pollfd files[] = {{static_cast<int>(file_), static_cast<short>((may_read ? POLLIN : 0) | (may_send ? POLLOUT : 0)), 0},
                          {static_cast<int>(event_), POLLIN, 0}};
        if (host_call(SYS_ppoll, host_argument(files), 2, 0, 0, 0) < 0) continue;
        if ((files[1].revents & POLLIN) != 0) {
            u64 count;
            host_call(SYS_read, event_, host_argument(&count), sizeof count);
        }
        bool happened = false;
        if (may_send && (files[0].revents & POLLOUT) != 0) {
            host_is_full_.store(false, std::memory_order_release);
            happened = true;
        }
        if (may_read && (files[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            i64 const size = host_call(SYS_read, file_, host_argument(received_), kReceiveSize);
            if (size == kInterrupted || size == kAgain) continue;
            received_size_.store(size > 0 ? static_cast<u32>(size) : kEnded, std::memory_order_release);
            happened = true;
        }
        if (happened) raise_interrupt(interrupt_);
        if (received_size_.load(std::memory_order_relaxed) == kEnded)
            for (;;) host_call(SYS_ppoll, 0, 0, 0, 0);
    }
}

}  // namespace

void set_host_link(int file) { link_file = file; }

void start_host_link() {
    if (link_file < 0) return;
    auto* const port = new (std::nothrow) SocketPort{link_file};
    CHECK(port != nullptr, "no memory for the host link");
    if (Result<> const started = drivers::start_link(*port); !started) log_error("host link: {}", started.error());
}

}  // namespace tutti::platform
