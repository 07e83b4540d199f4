// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/virtio/split_queue.hpp"

#include "base/log.hpp"

namespace tutti::drivers {
namespace {

// Descriptor flags, Virtio 1.2 section 2.7.5.
constexpr u16 kNext = 1;
constexpr u16 kWrite = 2;
constexpr u16 kIndirect = 4;

constexpr u16 kNoInterrupt = 1;  // available->flags
constexpr u16 kNoNotify = 1;     // used->flags

// Section 2.7.10.1: did the index pass `event` on its way from `old_index` to `new_index`? All modulo 2^16.
bool event_passed(u16 event, u16 new_index, u16 old_index) {
    return static_cast<u16>(new_index - event - 1) < static_cast<u16>(new_index - old_index);
}

}  // namespace

SplitQueue::Layout SplitQueue::layout_for(u16 size, SplitQueueOptions options) {
    Layout layout;
    layout.available = sizeof(Descriptor) * size;
    layout.used = align_up(layout.available + 6 + 2 * size_t{size}, size_t{4});
    layout.indirect = align_up(layout.used + 6 + 8 * size_t{size}, size_t{16});
    layout.end = layout.indirect + (options.indirect ? sizeof(Descriptor) * kMaxSegments * size : 0);
    return layout;
}

size_t SplitQueue::memory_size(u16 size, SplitQueueOptions options) { return layout_for(size, options).end; }

Result<SplitQueue> SplitQueue::create(u16 size, std::span<u8> memory, PhysAddr physical, SplitQueueOptions options) {
    if (size == 0 || size > kMaxQueueSize || !is_power_of_two(size)) return fail(Error::InvalidArgument);
    SplitQueue queue;
    queue.layout_ = layout_for(size, options);
    if (memory.size() < queue.layout_.end) return fail(Error::InvalidArgument);
    TRY(queue.heads_.try_resize(size));
    TRY(queue.next_.try_resize(size));
    for (u16 i = 0; i < size; ++i) queue.next_[i] = static_cast<u16>(i + 1);
    queue.memory_ = memory.data();
    queue.physical_ = physical;
    queue.options_ = options;
    queue.size_ = size;
    queue.free_count_ = size;
    return queue;
}

std::atomic_ref<u16> SplitQueue::shared16(size_t offset) const {
    return std::atomic_ref<u16>{*reinterpret_cast<u16*>(memory_ + offset)};
}
std::atomic_ref<u32> SplitQueue::shared32(size_t offset) const {
    return std::atomic_ref<u32>{*reinterpret_cast<u32*>(memory_ + offset)};
}
std::atomic_ref<u16> SplitQueue::available_entry(u16 i) const {
    return shared16(layout_.available + 4 + 2 * size_t{i});
}
std::atomic_ref<u16> SplitQueue::used_event() const {
    return shared16(layout_.available + 4 + 2 * size_t{size_});
}
std::atomic_ref<u16> SplitQueue::available_event() const {
    return shared16(layout_.used + 4 + 8 * size_t{size_});
}
SplitQueue::Descriptor* SplitQueue::indirect_table(u16 head) const {
    return reinterpret_cast<Descriptor*>(memory_ + layout_.indirect) + size_t{head} * kMaxSegments;
}

bool SplitQueue::has_room(size_t segments) const {
    if (broken_ || segments == 0 || segments > kMaxSegments) return false;
    return free_count_ >= (options_.indirect ? 1 : segments);
}

u16 SplitQueue::take_descriptor() {
    u16 const index = free_head_;
    free_head_ = next_[index];
    --free_count_;
    return index;
}

ISR_SAFE void SplitQueue::release_chain(u16 head, u16 count) {
    u16 tail = head;
    for (u16 i = 1; i < count; ++i) tail = next_[tail];
    next_[tail] = free_head_;
    free_head_ = head;
    free_count_ = static_cast<u16>(free_count_ + count);
}

ISR_SAFE void SplitQueue::break_queue(char const* why) {
    if (!broken_) log_error("virtio: the device broke its queue: {}", why);
    broken_ = true;
}

ISR_SAFE Result<> SplitQueue::submit(std::span<DeviceBuffer const> readable, std::span<DeviceBuffer const> writable,
                            u64 token) {
    if (broken_) return fail(Error::IoError);
    size_t const count = readable.size() + writable.size();
    if (count == 0 || count > kMaxSegments) return fail(Error::InvalidArgument);
    if (!has_room(count)) return fail(Error::WouldBlock);

    bool const use_indirect = options_.indirect && count > 1;
    u16 const head = take_descriptor();
    Descriptor* const entries = use_indirect ? indirect_table(head) : table();
    u16 index = use_indirect ? 0 : head;
    u32 writable_bytes = 0;
    for (size_t i = 0; i < count; ++i) {
        bool const write = i >= readable.size();
        DeviceBuffer const& buffer = write ? writable[i - readable.size()] : readable[i];
        bool const last = i + 1 == count;
        u16 next = 0;
        if (!last) {
            next = use_indirect ? static_cast<u16>(i + 1) : take_descriptor();
            if (!use_indirect) next_[index] = next;
        }
        if (write) writable_bytes += buffer.length;
        entries[index] = {buffer.address.value(), buffer.length,
                          static_cast<u16>((write ? kWrite : 0) | (last ? 0 : kNext)), next};
        index = next;
    }
    if (use_indirect) {
        u64 const address = (physical_ + layout_.indirect).value() + size_t{head} * kMaxSegments * sizeof(Descriptor);
        table()[head] = {address, static_cast<u32>(count * sizeof(Descriptor)), kIndirect, 0};
    }
    heads_[head] = {token, writable_bytes, static_cast<u16>(use_indirect ? 1 : count)};
    ++in_flight_;
    // relaxed: the release store in publish() makes the entry visible.
    available_entry(next_available_ & (size_ - 1)).store(head, std::memory_order_relaxed);
    ++next_available_;
    return {};
}

ISR_SAFE bool SplitQueue::publish() {
    if (broken_ || published_ == next_available_) return false;
    u16 const old_index = published_;
    published_ = next_available_;
    // release: descriptors and ring entries come first; pairs with the device's read of the index.
    available_index().store(published_, std::memory_order_release);
    // seq_cst: the index is out before we look whether the device sleeps; pairs with the device's barrier between
    // writing its event (or flag) and looking at the index once more. Without it both could miss each other.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    // relaxed: ordered by the fence; any value is safe, a wrong one costs the device its own notification.
    if (options_.event_index)
        return event_passed(available_event().load(std::memory_order_relaxed), published_, old_index);
    return (used_flags().load(std::memory_order_relaxed) & kNoNotify) == 0;
}

ISR_SAFE std::optional<SplitQueue::Completion> SplitQueue::take_completion() {
    if (broken_) return std::nullopt;
    // acquire: pairs with the device's release of the index; the entry and the buffers' bytes are visible after it.
    u16 const index = used_index().load(std::memory_order_acquire);
    if (index == next_used_) return std::nullopt;
    if (static_cast<u16>(index - next_used_) > in_flight_) {
        break_queue("more requests finished than were given");
        return std::nullopt;
    }
    size_t const entry = layout_.used + 4 + 8 * size_t{static_cast<u16>(next_used_ & (size_ - 1))};
    // relaxed: ordered by the acquire above. Read once: the device may change them under us.
    u32 const id = shared32(entry).load(std::memory_order_relaxed);
    u32 const written = shared32(entry + 4).load(std::memory_order_relaxed);
    if (id >= size_ || heads_[id].descriptors == 0) {
        break_queue("it finished a request that it did not hold");
        return std::nullopt;
    }
    Head& head = heads_[id];
    if (written > head.writable) {
        break_queue("it says it wrote more than there was room for");
        return std::nullopt;
    }
    u64 const token = head.token;
    release_chain(static_cast<u16>(id), head.descriptors);
    head = {};
    --in_flight_;
    ++next_used_;
    return Completion{token, written};
}

ISR_SAFE bool SplitQueue::enable_interrupts() {
    // relaxed: the fence orders these against the look at the index.
    if (options_.event_index)
        used_event().store(next_used_, std::memory_order_relaxed);
    else
        available_flags().store(0, std::memory_order_relaxed);
    // seq_cst: the request is out before we look; pairs with the device's barrier between its used index and its look
    // at our event (or flag).
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return !broken_ && used_index().load(std::memory_order_relaxed) != next_used_;
}

ISR_SAFE void SplitQueue::disable_interrupts() {
    // relaxed: a hint to the device. With event index an event just passed is as far away as one can be.
    if (options_.event_index)
        used_event().store(static_cast<u16>(next_used_ - 1), std::memory_order_relaxed);
    else
        available_flags().store(kNoInterrupt, std::memory_order_relaxed);
}

}  // namespace tutti::drivers
