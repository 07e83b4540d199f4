// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/ramfs/ram_pages.hpp"

#include <algorithm>
#include <cstring>

#include "arch/memory_layout.hpp"
#include "base/bits.hpp"
#include "mem/frame/frame_allocator.hpp"

namespace tutti::vfs {

namespace {

constexpr u64 kLargestFile = u64{1} << 47;

}  // namespace

Result<mem::FrameRef> RamPages::find_or_create(u64 index) {
    if (mem::FrameRef present = store_.find(index)) return present;
    mem::FrameRef frame = TRY(mem::allocate_frame(mem::FrameFill::Zero));
    mem::Frame* const mine = frame.get();
    mem::FrameRef stored = TRY(store_.insert(index, std::move(frame)));
    if (stored.get() == mine) pages_.fetch_add(1, std::memory_order_relaxed);
    return stored;
}

void RamPages::describe(vm::BackingDescription& description) const {
    smp::SpinGuard guard{description_lock_};
    description = description_;
}

void RamPages::set_description(std::string_view path, u64 filesystem, u64 inode) {
    smp::SpinGuard guard{description_lock_};
    if (description_.path.view() == path) return;
    description_.path.assign(path);
    description_.device = filesystem;
    description_.inode = inode;
}

Result<mem::FrameRef> RamPages::page(u64 index) {
    if (index >= pages_for(size())) return fail(Error::OutOfRange);
    return find_or_create(index);
}

Result<u64> RamPages::read(u64 offset, vm::IoBuffer& to) {
    u64 const end = size();
    u64 done = 0;
    while (to.remaining() != 0 && offset + done < end) {
        u64 const at = offset + done;
        u64 const in_page = at & kPageMask;
        u64 const count = std::min({kPageSize - in_page, end - at, to.remaining()});
        mem::FrameRef const frame = store_.find(at >> kPageShift);
        Result<u64> const moved =
            frame ? to.write_to(frame.data<u8>() + in_page, count) : to.write_zeros(count);
        if (!moved) {
            if (done == 0) return fail(moved.error());
            break;
        }
        done += *moved;
        if (*moved < count) break;
    }
    return done;
}

Result<u64> RamPages::write(u64& offset, vm::IoBuffer& from, bool append) {
    sched::MutexGuard guard{mutex_};
    if (append) offset = size_.load(std::memory_order_relaxed);
    if (from.remaining() == 0) return u64{0};
    if (offset >= kLargestFile) return fail(Error::FileTooBig);
    u64 done = 0;
    Result<> outcome;
    while (from.remaining() != 0 && offset + done < kLargestFile) {
        u64 const at = offset + done;
        u64 const in_page = at & kPageMask;
        u64 const count = std::min(kPageSize - in_page, from.remaining());
        Result<mem::FrameRef> const frame = find_or_create(at >> kPageShift);
        if (!frame) {
            outcome = fail(frame.error() == Error::NoMemory ? Error::NoSpace : frame.error());
            break;
        }
        Result<u64> const moved = from.read_from(frame->data<u8>() + in_page, count);
        if (!moved) {
            outcome = fail(moved.error());
            break;
        }
        done += *moved;
        if (*moved < count) break;
    }
    if (offset + done > size_.load(std::memory_order_relaxed))
        size_.store(offset + done, std::memory_order_release);  // readers see the bytes below the size
    if (!outcome && done == 0) return fail(outcome.error());
    return done;
}

void RamPages::zero_range_in_page(u64 index, u64 begin, u64 end) {
    if (mem::FrameRef const frame = store_.find(index)) std::memset(frame.data<u8>() + begin, 0, end - begin);
}

void RamPages::shrink_locked(u64 size) {
    u64 const old_size = size_.load(std::memory_order_relaxed);
    size_.store(size, std::memory_order_release);
    // What lies beyond the new end must read as zero if the file grows again.
    if ((size & kPageMask) != 0) zero_range_in_page(size >> kPageShift, size & kPageMask, kPageSize);
    // First: from then on programs that map what is cut off get no page, and add none behind the end.
    unmap_pages(pages_for(size), kLargestFile >> kPageShift, vm::PrivatePages::Go);
    u64 const removed = store_.remove(pages_for(size), pages_for(old_size) + 1);
    pages_.fetch_sub(removed, std::memory_order_relaxed);
}

Result<> RamPages::resize(u64 size) {
    if (size > kLargestFile) return fail(Error::FileTooBig);
    sched::MutexGuard guard{mutex_};
    u64 const old_size = size_.load(std::memory_order_relaxed);
    if (size < old_size)
        shrink_locked(size);
    else
        size_.store(size, std::memory_order_release);
    return {};
}

Result<> RamPages::allocate(u64 offset, u64 length, bool keep_size) {
    u64 end = 0;
    if (__builtin_add_overflow(offset, length, &end) || end > kLargestFile) return fail(Error::FileTooBig);
    sched::MutexGuard guard{mutex_};
    for (u64 index = offset >> kPageShift; index < pages_for(end); ++index)
        if (!find_or_create(index)) return fail(Error::NoSpace);
    if (!keep_size && end > size_.load(std::memory_order_relaxed)) size_.store(end, std::memory_order_release);
    return {};
}

void RamPages::punch_hole(u64 offset, u64 length) {
    sched::MutexGuard guard{mutex_};
    u64 const end = std::min(offset + length, size_.load(std::memory_order_relaxed));
    if (offset >= end) return;
    u64 const first_whole = (offset + kPageMask) >> kPageShift;
    u64 const end_whole = end >> kPageShift;
    if (first_whole > end_whole) {  // within one page
        zero_range_in_page(offset >> kPageShift, offset & kPageMask, end & kPageMask);
        return;
    }
    if ((offset & kPageMask) != 0) zero_range_in_page(offset >> kPageShift, offset & kPageMask, kPageSize);
    if ((end & kPageMask) != 0) zero_range_in_page(end_whole, 0, end & kPageMask);
    pages_.fetch_sub(store_.remove(first_whole, end_whole), std::memory_order_relaxed);
    unmap_pages(first_whole, end_whole, vm::PrivatePages::Stay);
}

u64 RamPages::next_data(u64 offset) const {
    u64 const end = size();
    for (u64 index = offset >> kPageShift; index < pages_for(end); ++index)
        if (store_.find(index)) return std::max(offset, index << kPageShift);
    return end;
}

u64 RamPages::next_hole(u64 offset) const {
    u64 const end = size();
    for (u64 index = offset >> kPageShift; index < pages_for(end); ++index)
        if (!store_.find(index)) return std::min(end, std::max(offset, index << kPageShift));
    return end;
}

Result<> RamPages::adopt(u64 physical_base, u64 bytes) {
    sched::MutexGuard guard{mutex_};
    bool const in_place = (physical_base & kPageMask) == 0;
    for (u64 offset = 0; offset < bytes; offset += kPageSize) {
        u64 const count = std::min(kPageSize, bytes - offset);
        PhysAddr const source{physical_base + offset};
        mem::FrameRef frame;
        if (in_place && count == kPageSize) {
            frame = mem::FrameRef::adopt(*mem::frame_at(source));
        } else {
            // Copied, so that the bytes after the end are zero, not the archive's next header.
            frame = TRY(mem::allocate_frame(mem::FrameFill::Zero));
            std::memcpy(frame.data(), arch::phys_to_virt(source), count);
        }
        TRY(store_.insert(offset >> kPageShift, std::move(frame)));
        pages_.fetch_add(1, std::memory_order_relaxed);
    }
    size_.store(bytes, std::memory_order_release);
    return {};
}

}  // namespace tutti::vfs
