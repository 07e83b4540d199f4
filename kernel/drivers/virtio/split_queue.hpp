// SPDX-License-Identifier: BSD-3-Clause
// The driver's side of a virtio split virtqueue (Virtio 1.2, section 2.7) with event index and indirect descriptors.
//
//     descriptor table  16 * size   written by the driver, read by the device
//     available ring     6 + 2*size written by the driver (heads it offers), read by the device
//     used ring          6 + 8*size written by the device (heads it has finished), read by the driver
//     indirect tables   16 * kMaxSegments * size   driver's, one for each head
//
// The device is not trusted. What the driver must remember (the free list, which heads are in flight, how much a
// device may write) lies in private memory; every field that the device writes is read once and checked. A device
// that breaks the rules makes the queue `broken`: it then accepts and returns nothing more.
//
// Not synchronised: the owner's lock guards every call. No call blocks, allocates or faults: any context.
#pragma once

#include <atomic>
#include <optional>
#include <span>

#include "base/bits.hpp"
#include "base/result.hpp"
#include "base/vector.hpp"

namespace tutti::drivers {

// One contiguous piece of memory given to the device.
struct DeviceBuffer {
    PhysAddr address;
    u32 length = 0;
};

struct SplitQueueOptions {
    bool event_index = false;  // VIRTIO_F_EVENT_IDX was negotiated
    bool indirect = false;     // VIRTIO_F_INDIRECT_DESC was negotiated
};

class SplitQueue {
  public:
    static constexpr u16 kMaxSegments = 16;    // buffers of one request
    static constexpr u16 kMaxQueueSize = 1024; // ours; the specification allows 32768

    // A finished request.
    struct Completion {
        u64 token;    // what submit() was given
        u32 written;  // bytes the device says it wrote; never more than the writable buffers hold
    };

    SplitQueue() = default;

    // Bytes of memory a queue of `size` entries needs, page-aligned and physically contiguous.
    [[nodiscard]] static size_t memory_size(u16 size, SplitQueueOptions options);

    // `size` is a power of two up to kMaxQueueSize; `memory` is zeroed, page-aligned, at `physical`, and outlives the
    // queue. Allocates private state: Error::NoMemory; Error::InvalidArgument for a bad size.
    [[nodiscard]] static Result<SplitQueue> create(u16 size, std::span<u8> memory, PhysAddr physical,
                                                   SplitQueueOptions options);

    [[nodiscard]] u16 size() const { return size_; }
    [[nodiscard]] PhysAddr descriptor_address() const { return physical_; }
    [[nodiscard]] PhysAddr available_address() const { return physical_ + layout_.available; }
    [[nodiscard]] PhysAddr used_address() const { return physical_ + layout_.used; }

    // True when a request of `segments` buffers can be submitted now.
    [[nodiscard]] bool has_room(size_t segments) const;
    [[nodiscard]] size_t in_flight() const { return in_flight_; }
    // The device broke the protocol.
    [[nodiscard]] bool is_broken() const { return broken_; }

    // Offers one request: the device reads `readable`, then writes `writable`. Not seen by the device before
    // publish(). Error::WouldBlock without room, InvalidArgument without or with too many buffers, IoError if broken.
    [[nodiscard]] Result<> submit(std::span<DeviceBuffer const> readable, std::span<DeviceBuffer const> writable,
                                  u64 token);

    // Shows the device everything submitted. True when it asked to be notified.
    [[nodiscard]] bool publish();

    // The next finished request, in the device's order.
    [[nodiscard]] std::optional<Completion> take_completion();

    // Asks for an interrupt at the next completion. True when one is there already: take it, no interrupt may come.
    [[nodiscard]] bool enable_interrupts();
    // Asks for none; a hint, interrupts may still come.
    void disable_interrupts();

  private:
    struct Descriptor {
        u64 address;
        u32 length;
        u16 flags;
        u16 next;
    };
    static_assert(sizeof(Descriptor) == 16);
    struct Layout {
        size_t available = 0, used = 0, indirect = 0, end = 0;  // byte offsets
    };
    // What the driver knows of a head that the device holds.
    struct Head {
        u64 token = 0;
        u32 writable = 0;      // bytes the device may write
        u16 descriptors = 0;   // of the table, chained by next_; 0: not in flight
    };

    static Layout layout_for(u16 size, SplitQueueOptions options);

    std::atomic_ref<u16> shared16(size_t offset) const;
    std::atomic_ref<u32> shared32(size_t offset) const;
    [[nodiscard]] std::atomic_ref<u16> available_flags() const { return shared16(layout_.available); }
    [[nodiscard]] std::atomic_ref<u16> available_index() const { return shared16(layout_.available + 2); }
    [[nodiscard]] std::atomic_ref<u16> available_entry(u16 i) const;
    [[nodiscard]] std::atomic_ref<u16> used_event() const;       // in the available ring: ours
    [[nodiscard]] std::atomic_ref<u16> used_flags() const { return shared16(layout_.used); }
    [[nodiscard]] std::atomic_ref<u16> used_index() const { return shared16(layout_.used + 2); }
    [[nodiscard]] std::atomic_ref<u16> available_event() const;  // in the used ring: the device's
    [[nodiscard]] Descriptor* table() const { return reinterpret_cast<Descriptor*>(memory_); }
    [[nodiscard]] Descriptor* indirect_table(u16 head) const;

    u16 take_descriptor();
    void release_chain(u16 head, u16 count);
    void break_queue(char const* why);

    u8* memory_ = nullptr;
    PhysAddr physical_;
    Layout layout_;
    SplitQueueOptions options_;
    u16 size_ = 0;
    u16 free_head_ = 0;
    u16 free_count_ = 0;
    u16 next_available_ = 0;  // our shadow of available->index, ahead of it until publish()
    u16 published_ = 0;       // what available->index holds
    u16 next_used_ = 0;
    u16 in_flight_ = 0;
    bool broken_ = false;
    Vector<Head> heads_;
    Vector<u16> next_;  // private chain links: free list and chains in flight
};

}  // namespace tutti::drivers
