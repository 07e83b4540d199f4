// SPDX-License-Identifier: BSD-3-Clause
// What the network stack sees of a network device: queues of frames, at most one for each CPU.
//
//   transmit()          hands frames over, as many as there is room for, and never waits
//   take_sent()         the buffers that the device is done with, each with how it went: the sender may use them again
//   receive()           frames that have come
//   enable_interrupt()  one call of the queue's handler, on the queue's CPU, when there is something to take
//
// Polling is to call the middle two and never the last. Else the handler makes its owner run, the owner takes all there is,
// and enables the interrupt again when it has found nothing: while it is busy no interrupt comes.
//
// A queue has one owner at a time, in general the network stack of its CPU. Its four functions are called one after the
// other, up to Isr context, and take no lock: queues share nothing. Steering is the device's: a frame that comes goes to the
// queue that sent last for its flow, or to one chosen by the flow's hash.
#pragma once

#include <array>
#include <string_view>

#include "drivers/device_list.hpp"
#include "drivers/net/packet_buffer.hpp"

namespace tutti::drivers {

using MacAddress = std::array<u8, 6>;
inline constexpr size_t kEthernetHeaderSize = 14;

struct SentPacket {
    Ref<PacketBuffer> packet;
    // IoError: the link is down; NoBufferSpace: the device has no room now; InvalidArgument: shorter than a header;
    // MessageTooLong; NoDevice: it has gone.
    Result<> result;
};

class NetQueue {
  public:
    // Isr context, on the queue's CPU.
    using Handler = void (*)(NetQueue& queue, void* argument);

    NetQueue(NetQueue const&) = delete;
    NetQueue& operator=(NetQueue const&) = delete;

    [[nodiscard]] CpuId cpu() const { return cpu_; }
    // While no interrupt is enabled.
    void set_handler(Handler handler, void* argument) {
        handler_ = handler;
        handler_argument_ = argument;
    }

    // Takes the references of the first `n` packets, which it returns; they come back through take_sent(), in order. Fewer
    // than all: sent ones must be taken first. The rest stays the caller's.
    [[nodiscard]] virtual size_t transmit(std::span<Ref<PacketBuffer>> packets) = 0;
    // Both fill the first `n` places, which they return. What is received is in buffers of the queue: while its owner keeps
    // all of them nothing comes.
    [[nodiscard]] virtual size_t take_sent(std::span<SentPacket> sent) = 0;
    [[nodiscard]] virtual size_t receive(std::span<Ref<PacketBuffer>> packets) = 0;
    // True: the handler will be called, once. False: nothing was enabled, look again: there is something to take already.
    [[nodiscard]] virtual bool enable_interrupt() = 0;

  protected:
    NetQueue() = default;
    ~NetQueue() = default;
    ISR_SAFE void call_handler() { handler_(*this, handler_argument_); }

    CpuId cpu_;

  private:
    Handler handler_ = nullptr;
    void* handler_argument_ = nullptr;
};

class NetDevice : public ListedDevice<NetDevice> {
  public:
    NetDevice(NetDevice const&) = delete;
    NetDevice& operator=(NetDevice const&) = delete;

    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] virtual MacAddress address() const = 0;
    // Largest frame without its header, in bytes.
    [[nodiscard]] virtual size_t mtu() const = 0;
    // At least one; no two have the same CPU.
    [[nodiscard]] virtual size_t queue_count() const = 0;
    [[nodiscard]] virtual NetQueue& queue(size_t index) = 0;

  protected:
    NetDevice() = default;
    ~NetDevice() = default;
};

// All there are.
[[nodiscard]] DeviceList<NetDevice>& net_devices();

}  // namespace tutti::drivers
