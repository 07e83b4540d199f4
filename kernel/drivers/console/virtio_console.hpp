// SPDX-License-Identifier: BSD-3-Clause
// One port of the console device (Virtio 1.2, section 5.3) as a plain byte stream: port 1 of a device with ports, else
// the console. A port and not the console, because QEMU holds a port's output back while its reader is slow, and throws
// a console's away.
#pragma once

#include <memory>

#include "drivers/console/byte_port.hpp"
#include "drivers/console/transmit_ring.hpp"
#include "drivers/virtio/device_queue.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::drivers {

class VirtioConsole final : public BytePort {
  public:
    // Makes the device live; it receives nothing before connect(). Errors: the transport's; NoMemory. Thread context.
    [[nodiscard]] static Result<std::unique_ptr<VirtioConsole>> create(std::unique_ptr<VirtioTransport> transport);

    explicit VirtioConsole(std::unique_ptr<VirtioTransport> transport) : transport_{std::move(transport)} {}
    ~VirtioConsole() = default;

    void connect(Client& client) override;
    [[nodiscard]] size_t transmit_capacity() const override { return kTransmitSize; }
    [[nodiscard]] size_t transmit_room() override;
    [[nodiscard]] bool request_room(size_t count) override;
    [[nodiscard]] bool is_broken() override;
    [[nodiscard]] Space transmit_space(size_t count) override;
    void transmit(size_t count) override;

  private:
    // Large enough that a writer and the host overlap; small enough for a machine of 32 MiB.
    static constexpr size_t kTransmitSize = 128 * 1024;
    static constexpr size_t kReceiveBufferSize = 4096;
    static constexpr u16 kReceiveBuffers = 8;
    static constexpr u16 kTransmitEntries = 64;

    [[nodiscard]] Result<> start();
    [[nodiscard]] Result<> prepare_control(u64 features);
    ISR_SAFE static void receive_interrupt(void* self) { static_cast<VirtioConsole*>(self)->receive(); }
    ISR_SAFE static void transmit_interrupt(void* self) { static_cast<VirtioConsole*>(self)->transmitted(); }
    void receive();
    void transmitted();
    void post_buffer(u64 number) REQUIRES(receive_lock_);
    void reclaim() REQUIRES(transmit_lock_);

    Client* client_ = nullptr;  // set by connect(), under the receive lock; read by the interrupts after that

    // Held while received bytes go up: on_received() takes locks of later rank only.
    smp::SpinLock receive_lock_{smp::LockRank::DriverQueue, "console receive queue"};
    DeviceQueue receive_queue_ GUARDED_BY(receive_lock_);
    DeviceMemory receive_memory_;

    smp::SpinLock transmit_lock_{smp::LockRank::DriverQueue, "console transmit queue"};
    DeviceQueue transmit_queue_ GUARDED_BY(transmit_lock_);
    TransmitRing ring_ GUARDED_BY(transmit_lock_);
    bool transmit_broken_ GUARDED_BY(transmit_lock_) = false;
    DeviceMemory transmit_memory_;

    DeviceQueue control_queue_;  // used once, by start()
    DeviceMemory control_memory_;

    std::unique_ptr<VirtioTransport> transport_;  // last: it stops the device before the memory above goes
};

}  // namespace tutti::drivers
