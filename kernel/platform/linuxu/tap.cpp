// SPDX-License-Identifier: BSD-3-Clause
// Each queue of the interface is a descriptor. A frame is a write or a read that does not wait, by the owner of the queue on
// its own CPU: no thread and no lock lies between it and the host.
//
// Only a CPU that has nothing to take needs more. One helper thread waits for all queues by epoll and interrupts the CPU of
// the one that has frames. Why not signals to the CPU's thread (O_ASYNC): they come for each frame, also while the CPU is
// busy with the queue. An armed descriptor (EPOLLONESHOT) reports once, or at once if there are frames already: so the
// interrupt is off until it is enabled again, and no frame is missed in between.
#include "platform/linuxu/tap.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>

#include "arch/host_call.hpp"
#include "base/log.hpp"
#include "base/string.hpp"
#include "drivers/net/net_device.hpp"
#include "platform/linuxu/host_error.hpp"
#include "platform/linuxu/host_thread.hpp"
#include "platform/linuxu/interrupts.hpp"
#include "platform/linuxu/options.hpp"

namespace tutti::platform {
namespace {

using arch::host_argument;
using arch::host_call;
using drivers::kEthernetHeaderSize;
using drivers::PacketBuffer;
using drivers::SentPacket;

constexpr u32 kMaxQueues = 256;  // Linux's own limit
constexpr size_t kVlanTagSize = 4;

struct OpenTap {
    char const* interface = nullptr;
    u32 queues = 0;
    int files[kMaxQueues];
    drivers::MacAddress address{};
    size_t mtu = 0;
};
constinit OpenTap opened{};

class alignas(kCacheLine) TapQueue final : public drivers::NetQueue {
  public:
    TapQueue() = default;

    // Errors: NoMemory, Busy (no interrupt is left).
    Result<> start(CpuId cpu, int file, int epoll, size_t largest_frame) {
        cpu_ = cpu;
        file_ = static_cast<u64>(file);
        epoll_ = static_cast<u64>(epoll);
        largest_frame_ = largest_frame;
        // A byte more than a frame, so that one that has been cut shows.
        pool_ = TRY(drivers::PacketPool::create(kBuffers, largest_frame + 1));
        interrupt_ = TRY(hal::allocate_interrupt(cpu, &TapQueue::interrupt, this));
        return {};
    }
    [[nodiscard]] hal::InterruptHandle interrupt_handle() const { return interrupt_; }

    size_t transmit(std::span<Ref<PacketBuffer>> packets) override;
    size_t take_sent(std::span<SentPacket> sent) override;
    size_t receive(std::span<Ref<PacketBuffer>> packets) override;
    bool enable_interrupt() override;

  private:
    static constexpr size_t kBuffers = 128;
    static constexpr size_t kSentPackets = 128;

    static void interrupt(void* self) { static_cast<TapQueue*>(self)->call_handler(); }
    Result<> send(std::span<u8 const> frame);

    u64 file_ = 0;
    u64 epoll_ = 0;
    size_t largest_frame_ = 0;
    hal::InterruptHandle interrupt_;
    std::unique_ptr<drivers::PacketPool> pool_;
    Ref<PacketBuffer> next_;  // to read into
    bool watched_ = false;    // the helper thread's epoll knows us
    bool gone_ = false;
    // What the host has taken, or refused: between begin and end, which count for ever.
    u64 sent_begin_ = 0;
    u64 sent_end_ = 0;
    SentPacket sent_[kSentPackets];
};

Result<> TapQueue::send(std::span<u8 const> frame) {
    if (gone_) return fail(Error::NoDevice);
    if (frame.size() > largest_frame_) return fail(Error::MessageTooLong);
    i64 written;
    do written = host_call(SYS_write, file_, host_argument(frame.data()), frame.size());
    while (written == kHostInterrupted);
    if (written >= 0) return {};
    switch (written) {
        case kHostAgain:
        case kHostNoBuffers:
            return fail(Error::NoBufferSpace);
        case kHostBadState:
            gone_ = true;
            return fail(Error::NoDevice);
        default:
            return fail(host_error(written));
    }
}

size_t TapQueue::transmit(std::span<Ref<PacketBuffer>> packets) {
    size_t taken = 0;
    for (; taken < packets.size() && sent_end_ - sent_begin_ < kSentPackets; ++taken) {
        SentPacket& sent = sent_[sent_end_++ % kSentPackets];
        sent.packet = std::move(packets[taken]);
        sent.result = send(sent.packet->bytes());
    }
    return taken;
}

size_t TapQueue::take_sent(std::span<SentPacket> sent) {
    size_t count = 0;
    while (count < sent.size() && sent_begin_ != sent_end_)
        sent[count++] = std::move(sent_[sent_begin_++ % kSentPackets]);
    return count;
}

size_t TapQueue::receive(std::span<Ref<PacketBuffer>> packets) {
    size_t count = 0;
    while (count < packets.size() && !gone_) {
        if (!next_) {
            Result<Ref<PacketBuffer>> buffer = pool_->take();
            if (!buffer) break;
            next_ = std::move(*buffer);
        }
        std::span<u8> const memory = next_->memory();
        i64 const size = host_call(SYS_read, file_, host_argument(memory.data()), memory.size());
        if (size == kHostInterrupted) continue;
        if (size == kHostAgain) break;
        if (size < 0) {
            gone_ = true;
            log_error("tap {}: its queue of CPU {} has gone (error {})", opened.interface, cpu_.value(),
                      -size);
        } else if (static_cast<size_t>(size) <= largest_frame_) {
            next_->set_size(static_cast<size_t>(size));
            packets[count++] = std::move(next_);
        }
    }
    return count;
}

bool TapQueue::enable_interrupt() {
    if (sent_begin_ != sent_end_) return false;
    if (gone_) return true;  // nothing will ever come
    epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.ptr = this}};
    u64 const operation = watched_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    // Where the host has no room for another watched descriptor the owner goes on polling.
    if (host_call(SYS_epoll_ctl, epoll_, operation, file_, host_argument(&event)) != 0) return false;
    watched_ = true;
    return true;
}

class TapDevice final : public drivers::NetDevice {
  public:
    Result<> start();

    std::string_view name() const override { return opened.interface; }
    drivers::MacAddress address() const override { return opened.address; }
    size_t mtu() const override { return opened.mtu; }
    size_t queue_count() const override { return opened.queues; }
    drivers::NetQueue& queue(size_t index) override {
        ASSERT(index < opened.queues);
        return queues_[index];
    }

  private:
    [[noreturn]] void wait_for_frames();  // the helper thread's

    int epoll_ = -1;
    std::unique_ptr<TapQueue[]> queues_;
};

Result<> TapDevice::start() {
    queues_.reset(new (std::nothrow) TapQueue[opened.queues]);
    if (queues_ == nullptr) return fail(Error::NoMemory);
    epoll_ = static_cast<int>(host_call(SYS_epoll_create1, EPOLL_CLOEXEC));
    if (epoll_ < 0) return fail(Error::NoMemory);
    for (u32 i = 0; i < opened.queues; ++i)
        TRY(queues_[i].start(CpuId{i}, opened.files[i], epoll_,
                             kEthernetHeaderSize + kVlanTagSize + opened.mtu));
    auto const main = [](void* self) -> void* { static_cast<TapDevice*>(self)->wait_for_frames(); };
    if (start_helper_thread(main, this) != 0) return fail(Error::NoMemory);
    return {};
}

void TapDevice::wait_for_frames() {
    for (;;) {
        epoll_event events[16];
        i64 const count = host_call(SYS_epoll_pwait, static_cast<u64>(epoll_), host_argument(events),
                                    std::size(events), ~u64{0}, 0, 0);
        for (i64 i = 0; i < count; ++i)
            raise_interrupt(static_cast<TapQueue*>(events[i].data.ptr)->interrupt_handle());
    }
}

[[noreturn]] void refuse_tap(char const* interface, std::string_view why) {
    char advice[256];
    end_before_boot(
        "--tap", interface,
        format_to(
            advice,
            "{}. Make it with: ip tuntap add dev {} mode tap multi_queue user $USER && ip link set {} up",
            why, interface, interface));
}

void name_request(ifreq& request, char const* interface) {
    std::string_view const name = interface;
    if (name.empty() || name.size() >= sizeof request.ifr_name)
        end_before_boot("--tap", interface, "a name has 1 to 15 bytes");
    std::ranges::copy(name, request.ifr_name);
}

// Of the interface, at the host's end.
void read_properties(char const* interface) {
    i64 const socket = host_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    name_request(request, interface);
    if (host_call(SYS_ioctl, static_cast<u64>(socket), SIOCGIFMTU, host_argument(&request)) != 0)
        refuse_tap(interface, "there is no such interface");
    opened.mtu = static_cast<size_t>(request.ifr_mtu);
    host_call(SYS_ioctl, static_cast<u64>(socket), SIOCGIFHWADDR, host_argument(&request));
    // Our end needs another address: local, of one station, and the same each time.
    std::ranges::copy_n(request.ifr_hwaddr.sa_data, opened.address.size(), opened.address.begin());
    opened.address[0] = static_cast<u8>(((opened.address[0] ^ 4) | 2) & ~1);
    host_call(SYS_close, static_cast<u64>(socket));
}

}  // namespace

void open_tap(char const* interface, u32 cpus) {
    read_properties(interface);
    opened.interface = interface;
    opened.queues = std::min(cpus, kMaxQueues);
    for (u32 i = 0; i < opened.queues; ++i) {
        char text[128];
        i64 const file = host_call(SYS_openat, static_cast<u64>(AT_FDCWD), host_argument("/dev/net/tun"),
                                   O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
        if (file < 0)
            end_before_boot("--tap", interface,
                            format_to(text, "/dev/net/tun: {} (error {}). Load it with: modprobe tun",
                                      host_error_text(file), -file));
        ifreq request{};
        name_request(request, interface);
        request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
        i64 const result = host_call(SYS_ioctl, static_cast<u64>(file), TUNSETIFF, host_argument(&request));
        if (result == kHostInvalid) refuse_tap(interface, "it is no tap, or has one queue only");
        if (result != 0)
            refuse_tap(interface,
                       format_to(text, "queue {}: {} (error {})", i, host_error_text(result), -result));
        opened.files[i] = static_cast<int>(file);
    }
}

void start_tap() {
    if (opened.interface == nullptr) return;
    auto* const device = new (std::nothrow) TapDevice;
    if (Result<> const started = device != nullptr ? device->start() : fail(Error::NoMemory); !started)
        return log_error("tap {}: not started: {}", opened.interface, started.error());
    drivers::net_devices().add(*device);  // for ever
}

}  // namespace tutti::platform
