// SPDX-License-Identifier: BSD-3-Clause
// A split queue in memory of its own, known to a device.
#pragma once

#include "drivers/virtio/split_queue.hpp"
#include "drivers/virtio/transport.hpp"
#include "mem/frame/frame.hpp"

namespace tutti::drivers {

// Synchronisation is that of SplitQueue: the owner's lock.
class DeviceQueue {
  public:
    DeviceQueue() = default;

    // Makes queue `index` of at most `wanted` entries (a power of two); `features` are those agreed on.
    // Error::NoDevice: the device has no such queue; NoMemory; those of connect_queue(). Thread context.
    [[nodiscard]] static Result<DeviceQueue> create(VirtioTransport& transport, u16 index, u16 wanted, u64 features,
                                                    QueueHandler handler, CpuId cpu);

    SplitQueue& operator*() { return queue_; }
    SplitQueue* operator->() { return &queue_; }
    // Shows the device what was submitted, and tells it if it wants to know.
    ISR_SAFE void kick() {
        if (queue_.publish()) transport_->notify(index_);
    }

  private:
    VirtioTransport* transport_ = nullptr;
    u16 index_ = 0;
    mem::FrameRef memory_;
    SplitQueue queue_;
};

// A block of memory that device and driver share: at least `size` bytes, zeroed, physically contiguous.
struct DeviceMemory {
    mem::FrameRef frames;
    std::span<u8> bytes;
    PhysAddr physical;
};
[[nodiscard]] Result<DeviceMemory> allocate_device_memory(size_t size);

}  // namespace tutti::drivers
