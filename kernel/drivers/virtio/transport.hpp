// SPDX-License-Identifier: BSD-3-Clause
// How a virtio device is reached: identity, features, status, queues, configuration (Virtio 1.2, section 4). PCI and
// memory-mapped devices implement it; drivers see only this. Modern devices only (VIRTIO_F_VERSION_1).
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "drivers/virtio/split_queue.hpp"

namespace tutti::drivers {

// Device types, section 5.
enum class VirtioType : u32 { Network = 1, Block = 2, Console = 3, Entropy = 4 };

// Features of every device, section 6.
inline constexpr u64 kVirtioIndirectDescriptors = u64{1} << 28;
inline constexpr u64 kVirtioEventIndex = u64{1} << 29;
inline constexpr u64 kVirtioVersion1 = u64{1} << 32;

// Device status bits, section 2.1.
inline constexpr u8 kVirtioAcknowledge = 1;
inline constexpr u8 kVirtioDriver = 2;
inline constexpr u8 kVirtioDriverOk = 4;
inline constexpr u8 kVirtioFeaturesOk = 8;
inline constexpr u8 kVirtioNeedsReset = 64;
inline constexpr u8 kVirtioFailed = 128;

// Called in Isr context when the queue's device asks for attention, perhaps without a reason. Null: no interrupts.
struct QueueHandler {
    void (*function)(void* argument) = nullptr;
    void* argument = nullptr;
};

class VirtioTransport {
  public:
    virtual ~VirtioTransport() = default;

    [[nodiscard]] virtual VirtioType type() const = 0;
    [[nodiscard]] virtual std::string_view name() const = 0;  // "pci 0000:00:03.0", for messages

    [[nodiscard]] virtual u8 status() = 0;
    virtual void set_status(u8 status) = 0;  // 0 resets
    [[nodiscard]] virtual u64 offered_features() = 0;
    virtual void set_accepted_features(u64 features) = 0;

    // Largest size of queue `index`; 0: there is no such queue.
    [[nodiscard]] virtual u16 max_queue_size(u16 index) = 0;
    // Makes the queue known to the device, its interrupts to `handler` on `cpu`. Thread context; before DRIVER_OK.
    [[nodiscard]] virtual Result<> connect_queue(u16 index, SplitQueue const& queue, QueueHandler handler,
                                                 CpuId cpu) = 0;
    // Tells the device that the queue has something new. Any context.
    virtual void notify(u16 index) = 0;

    // Device-specific configuration, little-endian, as many bytes as `out` has. Consistent: read again when the device
    // changed it meanwhile. Error::OutOfRange when the device has less; Busy when it never stops changing.
    [[nodiscard]] virtual Result<> read_config(size_t offset, std::span<u8> out) = 0;

    // Takes the device from reset to features agreed (section 3.1.1, steps 1 to 6): accepts those of `wanted` that it
    // offers. Error::NotSupported when one of `required` is missing or the device refuses; then it is marked failed.
    [[nodiscard]] Result<u64> negotiate(u64 required, u64 wanted);
    // Step 8: the device is live.
    void start() { set_status(status() | kVirtioDriverOk); }
    void give_up() { set_status(status() | kVirtioFailed); }
};

}  // namespace tutti::drivers
