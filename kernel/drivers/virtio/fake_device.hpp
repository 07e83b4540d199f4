// SPDX-License-Identifier: BSD-3-Clause
// The device's side of a split virtqueue, for host tests: honest, or hostile where a test asks for it.
// Device addresses are host pointers. Written from the specification, not from split_queue.cpp.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "drivers/virtio/split_queue.hpp"

namespace tutti::drivers::test {

class FakeDevice {
  public:
    struct Segment {
        u8* data;
        u32 length;
        bool writable;
    };
    struct Request {
        u16 head;
        std::vector<Segment> segments;
    };

    FakeDevice(SplitQueue const& queue, bool event_index)
        : size_{queue.size()},
          table_{pointer<u8>(queue.descriptor_address())},
          available_{pointer<u8>(queue.available_address())},
          used_{pointer<u8>(queue.used_address())},
          event_index_{event_index} {}

    // The next request offered; false when there is none.
    bool take(Request& request) {
        u16 const index = at16(available_ + 2).load(std::memory_order_acquire);
        if (index == next_available_) return false;
        request.head = at16(available_ + 4 + 2 * (next_available_ % size_)).load(std::memory_order_relaxed);
        ++next_available_;
        request.segments.clear();
        walk(table_, request.head, size_, request.segments);
        return true;
    }

    // Finishes a request. True when the driver wants an interrupt.
    bool finish(u32 id, u32 written) {
        u8* const entry = used_ + 4 + 8 * (next_used_ % size_);
        at32(entry).store(id, std::memory_order_relaxed);
        at32(entry + 4).store(written, std::memory_order_relaxed);
        u16 const old_index = next_used_++;
        at16(used_ + 2).store(next_used_, std::memory_order_release);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (!event_index_) return (at16(available_).load(std::memory_order_relaxed) & 1) == 0;
        u16 const event = at16(available_ + 4 + 2 * size_).load(std::memory_order_relaxed);
        return static_cast<u16>(next_used_ - event - 1) < static_cast<u16>(next_used_ - old_index);
    }

    // Asks to be notified of the next request. True when one is there already.
    bool enable_notifications() {
        if (event_index_)
            at16(used_ + 4 + 8 * size_).store(next_available_, std::memory_order_relaxed);
        else
            at16(used_).store(0, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        return at16(available_ + 2).load(std::memory_order_acquire) != next_available_;
    }
    void disable_notifications() {
        if (!event_index_) at16(used_).store(1, std::memory_order_relaxed);
    }

    // Hostile access to what the device may write.
    void set_used_index(u16 value) { at16(used_ + 2).store(value, std::memory_order_release); }
    [[nodiscard]] u16 used_index() const { return next_used_; }
    void scribble_descriptor(u16 index, u64 a, u64 b) {
        std::memcpy(table_ + 16 * size_t{index}, &a, 8);
        std::memcpy(table_ + 16 * size_t{index} + 8, &b, 8);
    }

  private:
    template <class T>
    static T* pointer(PhysAddr address) { return reinterpret_cast<T*>(address.value()); }
    static std::atomic_ref<u16> at16(u8* p) { return std::atomic_ref<u16>{*reinterpret_cast<u16*>(p)}; }
    static std::atomic_ref<u32> at32(u8* p) { return std::atomic_ref<u32>{*reinterpret_cast<u32*>(p)}; }

    void walk(u8* table, u16 index, u32 limit, std::vector<Segment>& out) {
        for (u32 steps = 0; steps < limit; ++steps) {
            ASSERT_LT(index, limit);
            u8* const entry = table + 16 * size_t{index};
            u64 const address = load_le<u64>(entry);
            u32 const length = load_le<u32>(entry + 8);
            u16 const flags = load_le<u16>(entry + 12);
            if (flags & 4) {  // indirect: alone in the outer table
                ASSERT_EQ(flags, 4);
                ASSERT_EQ(length % 16, 0u);
                walk(reinterpret_cast<u8*>(address), 0, length / 16, out);
                return;
            }
            // Readable segments come first (section 2.7.4.2).
            if (!out.empty() && out.back().writable) { ASSERT_TRUE(flags & 2); }
            out.push_back({reinterpret_cast<u8*>(address), length, (flags & 2) != 0});
            if (!(flags & 1)) return;
            index = load_le<u16>(entry + 14);
        }
        FAIL() << "descriptor chain without an end";
    }

    u16 size_;
    u8* table_;
    u8* available_;
    u8* used_;
    bool event_index_;
    u16 next_available_ = 0;
    u16 next_used_ = 0;
};

}  // namespace tutti::drivers::test
