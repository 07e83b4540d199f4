// SPDX-License-Identifier: BSD-3-Clause
// The bytes of a pipe or fifo: a ring of pages between writers and readers.
//
//   head_ (read position) <= tail_ (write position) <= head_ + capacity_, both counting bytes for ever
//
// Readers exclude each other, writers exclude each other, a reader and a writer run beside each other. Nobody sleeps for
// data or room with a lock held. A write of at most kAtomicWrite bytes is never split (pipe(7), PIPE_BUF).
#pragma once

#include <atomic>

#include "base/ref.hpp"
#include "base/vector.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "sched/wait/mutex.hpp"
#include "sched/wait/wait_queue.hpp"
#include "vm/io_buffer.hpp"

namespace tutti::vfs {

class PipeBuffer : public RefCounted<PipeBuffer> {
  public:
    static constexpr u64 kAtomicWrite = 4096;
    static constexpr u64 kDefaultCapacity = 65536;
    static constexpr u64 kLargestCapacity = 1 << 20;

    // Error::NoMemory. Pages are allocated as they are first needed.
    [[nodiscard]] static Result<Ref<PipeBuffer>> create(u64 capacity = kDefaultCapacity);

    // Ends that exist. With no writer left a reader gets end of file, with no reader left a writer BrokenPipe. What is
    // unread when the last end goes is lost. Thread context; may block.
    void add_reader();
    void add_writer();
    void remove_reader();
    void remove_writer();
    [[nodiscard]] u32 readers() const { return readers_.load(std::memory_order_acquire); }
    [[nodiscard]] u32 writers() const { return writers_.load(std::memory_order_acquire); }
    // Whoever comes may have left again before somebody looks. had_writer_since(count_writers()) tells of writers that
    // were there at the count or have come since.
    [[nodiscard]] u32 count_writers() const {
        u32 const openings = writer_openings_.load(std::memory_order_acquire);  // first: who comes now counts either way
        return writers() != 0 ? openings - 1 : openings;
    }
    [[nodiscard]] u32 count_readers() const {
        u32 const openings = reader_openings_.load(std::memory_order_acquire);
        return readers() != 0 ? openings - 1 : openings;
    }
    [[nodiscard]] bool had_writer_since(u32 before) const {
        return writer_openings_.load(std::memory_order_acquire) != before || writers() != 0;
    }
    [[nodiscard]] bool had_reader_since(u32 before) const {
        return reader_openings_.load(std::memory_order_acquire) != before || readers() != 0;
    }

    // Thread context; block unless told not to. Errors: WouldBlock, Interrupted, BrokenPipe, BadAddress, NoMemory.
    [[nodiscard]] Result<u64> read(vm::IoBuffer& to, bool nonblocking);
    [[nodiscard]] Result<u64> write(vm::IoBuffer& from, bool nonblocking);

    [[nodiscard]] u64 available() const;
    [[nodiscard]] u64 capacity() const { return capacity_.load(std::memory_order_relaxed); }
    // Rounded up to a power of two of pages. Busy when more is queued, NotPermitted above kLargestCapacity.
    [[nodiscard]] Result<u64> set_capacity(u64 bytes);

    [[nodiscard]] bool can_read() const { return available() != 0; }
    [[nodiscard]] bool can_write() const { return capacity() - available() >= kAtomicWrite; }
    // Waits until the other end of a fifo is open, or has been since `before`.
    [[nodiscard]] Result<> wait_for_reader(u32 before);
    [[nodiscard]] Result<> wait_for_writer(u32 before);

    // Woken when data, room or an end came or went. One queue for both ends, so that poll sees every change.
    [[nodiscard]] sched::WaitQueue& queue() { return queue_; }

  private:
    PipeBuffer() = default;
    void changed() { queue_.wake_all(); }
    void discard_if_unused();
    [[nodiscard]] u8* at(u64 position);
    // For the bytes to be written at `position`; no more than the ring holds, at least one.
    [[nodiscard]] Result<> provide_pages(u64 position, u64 bytes) REQUIRES(write_mutex_);

    std::atomic<u32> readers_{0};
    std::atomic<u32> writers_{0};
    std::atomic<u32> reader_openings_{0};
    std::atomic<u32> writer_openings_{0};
    std::atomic<u64> head_{0};  // written by readers (release), read by writers (acquire): the room is really free
    std::atomic<u64> tail_{0};  // written by writers (release), read by readers (acquire): the bytes are really there
    std::atomic<u64> capacity_{0};
    sched::Mutex read_mutex_{"pipe read"};
    sched::Mutex write_mutex_{"pipe write"};
    Vector<mem::FrameRef> pages_;  // slots change with both mutexes, or under write_mutex_ while null
    sched::WaitQueue queue_;
};

}  // namespace tutti::vfs
