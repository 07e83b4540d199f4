// SPDX-License-Identifier: BSD-3-Clause
// The data of a file that lives in memory: pages, a size, and reading, writing and mapping over them.
//
// Reads run in parallel with everything. Writes and size changes of one file are serialised by a mutex. A read that
// overlaps a write may see part of it; each byte is old or new, as on Linux's ramfs.
#pragma once

#include <atomic>

#include "sched/wait/mutex.hpp"
#include "smp/spin/spin.hpp"
#include "vfs/ramfs/page_store.hpp"
#include "vm/backing.hpp"
#include "vm/io_buffer.hpp"

namespace tutti::vfs {

class RamPages final : public vm::Backing {
  public:
    RamPages() = default;

    // vm::Backing: pages for mappings. A page within the file that is not there yet is made, zeroed. Beyond the end:
    // Error::OutOfRange, which becomes SIGBUS. Never blocks.
    Result<mem::FrameRef> page(u64 index) override;
    Result<mem::FrameRef> try_page(u64 index) override { return page(index); }
    void describe(vm::BackingDescription& description) const override;

    [[nodiscard]] u64 size() const { return size_.load(std::memory_order_acquire); }
    // What /proc/self/maps shows; set by whoever maps it first.
    void set_description(std::string_view path, u64 filesystem, u64 inode);

    // All of these: Thread context, may block.
    Result<u64> read(u64 offset, vm::IoBuffer& to);
    // Writes at `offset`, or at the end when `append`; `offset` becomes where it wrote.
    Result<u64> write(u64& offset, vm::IoBuffer& from, bool append);
    Result<> resize(u64 size);
    // Makes sure that writes to the range need no memory; grows the file unless `keep_size`.
    Result<> allocate(u64 offset, u64 length, bool keep_size);
    void punch_hole(u64 offset, u64 length);

    // The next offset at or after `offset` that is data (or a hole); the file's end when there is none.
    [[nodiscard]] u64 next_data(u64 offset) const;
    [[nodiscard]] u64 next_hole(u64 offset) const;
    [[nodiscard]] u64 allocated_bytes() const { return pages_.load(std::memory_order_relaxed) * kPageSize; }

    // Boot: the bytes of an initrd file, in place where they fill whole aligned frames, else copied. The frames have
    // been adopted (mem::adopt_boot_frames).
    Result<> adopt(u64 physical_base, u64 bytes);

  private:
    Result<mem::FrameRef> find_or_create(u64 index);
    void zero_range_in_page(u64 index, u64 begin, u64 end);
    void shrink_locked(u64 size) REQUIRES(mutex_);

    sched::Mutex mutex_{"ramfs pages"};
    PageStore store_;
    std::atomic<u64> size_{0};   // changed under mutex_; release after the pages below it are written
    std::atomic<u64> pages_{0};  // statistics
    mutable smp::SpinLock description_lock_{smp::LockRank::File, "mapped file's name"};
    vm::BackingDescription description_ GUARDED_BY(description_lock_);
};

}  // namespace tutti::vfs
