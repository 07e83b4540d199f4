// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/pipe/pipe_buffer.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "smp/debug/race_point.hpp"

namespace tutti::vfs {

Result<Ref<PipeBuffer>> PipeBuffer::create(u64 capacity) {
    auto* const object = new (std::nothrow) PipeBuffer;
    if (object == nullptr) return fail(Error::NoMemory);
    Ref<PipeBuffer> pipe = Ref<PipeBuffer>::adopt(object);
    TRY(pipe->pages_.try_resize(capacity >> kPageShift));
    pipe->capacity_.store(capacity, std::memory_order_relaxed);
    return pipe;
}

void PipeBuffer::add_reader() {
    readers_.fetch_add(1, std::memory_order_seq_cst);
    reader_openings_.fetch_add(1, std::memory_order_release);  // whoever sees it sees the reader, or that it has left
    changed();
}
void PipeBuffer::add_writer() {
    writers_.fetch_add(1, std::memory_order_seq_cst);
    writer_openings_.fetch_add(1, std::memory_order_release);
    changed();
}
void PipeBuffer::remove_reader() {
    readers_.fetch_sub(1, std::memory_order_seq_cst);
    discard_if_unused();
    changed();
}
void PipeBuffer::remove_writer() {
    writers_.fetch_sub(1, std::memory_order_seq_cst);
    discard_if_unused();
    changed();
}

void PipeBuffer::discard_if_unused() {
    auto const unused = [this] {
        return readers_.load(std::memory_order_seq_cst) == 0 && writers_.load(std::memory_order_seq_cst) == 0;
    };
    if (!unused() || !can_read()) return;
    sched::MutexGuard reading{read_mutex_};
    sched::MutexGuard writing{write_mutex_};
    // A fifo may have been opened again meanwhile: by somebody who comes before us, or finds it empty.
    if (unused()) head_.store(tail_.load(std::memory_order_relaxed), std::memory_order_release);
}

u64 PipeBuffer::available() const {
    // head first: it never passes tail, so the difference is never negative.
    u64 const head = head_.load(std::memory_order_acquire);
    return tail_.load(std::memory_order_acquire) - head;
}

u8* PipeBuffer::at(u64 position) {
    u64 const offset = position & (capacity() - 1);
    return pages_[offset >> kPageShift].data<u8>() + (offset & kPageMask);
}

Result<> PipeBuffer::provide_pages(u64 position, u64 bytes) {
    for (u64 page = position >> kPageShift; page <= (position + bytes - 1) >> kPageShift; ++page) {
        mem::FrameRef& frame = pages_[page & (pages_.size() - 1)];
        if (!frame) frame = TRY(mem::allocate_frame());
    }
    return {};
}

Result<u64> PipeBuffer::read(vm::IoBuffer& to, bool nonblocking) {
    if (to.remaining() == 0) return u64{0};
    for (;;) {
        {
            sched::MutexGuard guard{read_mutex_};
            u64 head = head_.load(std::memory_order_relaxed);
            u64 const tail = tail_.load(std::memory_order_acquire);
            u64 moved = 0;
            Result<u64> step{u64{0}};
            while (head != tail && to.remaining() != 0) {
                u64 const chunk = std::min({tail - head, kPageSize - (head & kPageMask), to.remaining()});
                step = to.write_to(at(head), chunk);
                if (!step) break;
                moved += *step;
                head += *step;
                if (*step < chunk) break;
            }
            if (moved != 0) {
                head_.store(head, std::memory_order_release);
                changed();
                return moved;
            }
            if (!step) return step;
        }
        if (writers() == 0) {
            // A writer may have left data behind between our look and its going.
            if (can_read()) continue;
            return u64{0};
        }
        if (nonblocking) return fail(Error::WouldBlock);
        TRY(queue_.wait_until([this] { return can_read() || writers() == 0; }, kNever,
                              sched::WaitMode::Interruptible));
    }
}

Result<u64> PipeBuffer::write(vm::IoBuffer& from, bool nonblocking) {
    u64 written = 0;
    // What an error after some bytes means: the bytes count.
    auto const outcome = [&](Error error) -> Result<u64> {
        if (written != 0) return written;
        return fail(error);
    };
    bool const atomic = from.remaining() <= kAtomicWrite;
    u64 const needed = atomic ? from.remaining() : 1;
    while (from.remaining() != 0) {
        if (readers() == 0) return outcome(Error::BrokenPipe);
        {
            sched::MutexGuard guard{write_mutex_};
            u64 tail = tail_.load(std::memory_order_relaxed);
            u64 room = capacity() - (tail - head_.load(std::memory_order_acquire));
            u64 const before = written;
            Result<> failure;
            if (room >= needed) {
                while (room != 0 && from.remaining() != 0) {
                    u64 const chunk = std::min({room, kPageSize - (tail & kPageMask), from.remaining()});
                    failure = provide_pages(tail, atomic ? from.remaining() : chunk);
                    if (!failure) break;
                    Result<u64> const step = from.read_from(at(tail), chunk);
                    if (!step) {
                        failure = fail(step.error());
                        break;
                    }
                    tail += *step;
                    room -= *step;
                    written += *step;
                    // A reader sees a small write as a whole.
                    if (!atomic) tail_.store(tail, std::memory_order_release);
                    smp::race_point();
                    if (*step < chunk) break;
                }
            }
            bool const progress = written != before;
            if (progress) {
                tail_.store(tail, std::memory_order_release);
                changed();
            }
            if (!failure) return outcome(failure.error());
            if (from.remaining() == 0) break;
            if (progress && room != 0) return written;  // a bad address in the middle
        }
        if (nonblocking) return outcome(Error::WouldBlock);
        Result<> const waited = queue_.wait_until(
            [&] { return capacity() - available() >= needed || readers() == 0; }, kNever,
            sched::WaitMode::Interruptible);
        if (!waited) return outcome(waited.error());
    }
    return written;
}

Result<u64> PipeBuffer::set_capacity(u64 bytes) {
    if (bytes > kLargestCapacity) return fail(Error::NotPermitted);
    u64 const wanted = std::bit_ceil(std::max(bytes, kPageSize));
    sched::MutexGuard reading{read_mutex_};
    sched::MutexGuard writing{write_mutex_};
    u64 const queued = available();
    if (queued > wanted) return fail(Error::Busy);
    Vector<mem::FrameRef> pages;
    TRY(pages.try_resize(wanted >> kPageShift));
    // The queued bytes move to the start of the new ring.
    u64 const head = head_.load(std::memory_order_relaxed);
    for (u64 done = 0; done < queued;) {
        mem::FrameRef& page = pages[done >> kPageShift];
        if (!page) page = TRY(mem::allocate_frame());
        u64 const chunk = std::min({queued - done, kPageSize - (done & kPageMask), kPageSize - ((head + done) & kPageMask)});
        std::memcpy(page.data<u8>() + (done & kPageMask), at(head + done), chunk);
        done += chunk;
    }
    pages_ = std::move(pages);
    head_.store(0, std::memory_order_relaxed);
    tail_.store(queued, std::memory_order_relaxed);
    capacity_.store(wanted, std::memory_order_release);
    changed();
    return wanted;
}

Result<> PipeBuffer::wait_for_reader(u32 before) {
    return queue_.wait_until([&] { return had_reader_since(before); }, kNever, sched::WaitMode::Interruptible);
}
Result<> PipeBuffer::wait_for_writer(u32 before) {
    return queue_.wait_until([&] { return had_writer_since(before); }, kNever, sched::WaitMode::Interruptible);
}

}  // namespace tutti::vfs
