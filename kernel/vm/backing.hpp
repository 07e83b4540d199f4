// SPDX-License-Identifier: BSD-3-Clause
// Where the pages of a mapping come from, when not from nowhere: files, shared memory.
#pragma once

#include <atomic>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "base/string.hpp"
#include "mem/frame/frame.hpp"

namespace tutti::vm {

// What /proc/self/maps says about a mapped object.
struct BackingDescription {
    FixedString<240> path;
    u64 device = 0;
    u64 inode = 0;
};

// What becomes of the pages of private mappings, copied ones too: a file that is cut takes them along (SIGBUS), one that gets
// a hole leaves them.
enum class PrivatePages : u8 { Go, Stay };

// An object whose pages can be mapped: usually a file's page cache. The pages are shared by everybody who maps or reads
// the object; a private mapping copies a page before it writes.
class Backing : public RefCounted<Backing> {
  public:
    virtual ~Backing() = default;

    // The page at `index` (offset / page size), with a reference for the caller. Holes become zeroed pages. May block.
    // Error::OutOfRange beyond the last page (a bus error to a program), NoMemory, IoError.
    [[nodiscard]] virtual Result<mem::FrameRef> page(u64 index) = 0;

    // The same without blocking, in NoPreempt context: Error::WouldBlock when only page() can bring it.
    [[nodiscard]] virtual Result<mem::FrameRef> try_page(u64 index) = 0;

    virtual void describe(BackingDescription& description) const = 0;

    // Whoever maps pages of [first, end) faults on them again; faults that are under way have ended. For an object that
    // refuses these pages from now on (its size), or has replaced them already. Thread context, may block.
    void unmap_pages(u64 first, u64 end, PrivatePages copies);

    // An area that maps the object came (+1) or went.
    void on_area(i32 change) {
        areas_.fetch_add(static_cast<u32>(change), std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with unmap_pages()
    }

    // A shared mapping that may be written came or went; for file descriptors that forbid it (memfd seals).
    virtual void on_shared_mapping(i64 change) { (void)change; }

    // Never given again, unlike the address. Taken at the first call, so that most objects need none; any context.
    [[nodiscard]] u64 number() {
        // Relaxed: a number stands for itself.
        u64 number = number_.load(std::memory_order_relaxed);
        if (number != 0) return number;
        u64 const fresh = next_number.fetch_add(1, std::memory_order_relaxed);
        return number_.compare_exchange_strong(number, fresh, std::memory_order_relaxed) ? fresh : number;
    }

  private:
    inline static constinit std::atomic<u64> next_number{1};
    std::atomic<u64> number_{0};
    std::atomic<u32> areas_{0};
};

}  // namespace tutti::vm
