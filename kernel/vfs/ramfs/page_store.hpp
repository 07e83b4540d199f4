// SPDX-License-Identifier: BSD-3-Clause
// The pages of one file: a radix tree from page index to frame. Lookups take no lock.
//
// Shape: 64-way nodes; the root word holds a pointer and, in its low three bits, the number of levels below it. Level
// 0 is a frame itself, so a file of one page needs no node.
//
//   root = frame | 0            index 0 only
//   root = node  | 1            64 pages
//   root = node  | h            64^h pages
//
// Growth puts a new root above the old one with one compare-and-swap. Nodes stay until the store dies, so a lookup never
// touches freed memory. A page can go while it is looked up (truncation): frame descriptors are never freed either, so
// the lookup takes a reference unless the count is zero and then looks at the slot again:
//
//   lookup                                 remove
//     f = slot            (acquire)          f = slot.exchange(0)     (acq_rel)
//     references: n>0 -> n+1                 put f
//     slot == f ? done : put f, again
//
// If the slot still holds f after the reference was taken, f belonged to this file at that moment; a frame that was
// freed and reused meanwhile fails the second look. (A reused frame's count is raised and dropped again without harm.)
//
// Progress: lookup and insert are lock-free. Any context; allocate nodes with the heap.
#pragma once

#include <atomic>

#include "base/result.hpp"
#include "mem/frame/frame.hpp"

namespace tutti::vfs {

class PageStore {
  public:
    PageStore() = default;
    PageStore(PageStore const&) = delete;
    PageStore& operator=(PageStore const&) = delete;
    ~PageStore();

    // The frame at `index`, or an empty reference.
    [[nodiscard]] mem::FrameRef find(u64 index) const;
    // Puts `frame` there unless another is there already; the one that is there now. Error::NoMemory.
    Result<mem::FrameRef> insert(u64 index, mem::FrameRef frame);
    // Drops the pages from `first` up to, not including, `end`. How many there were.
    u64 remove(u64 first, u64 end);

    // Pages that all stores hold together, for statistics; may be off by what is under way.
    [[nodiscard]] static u64 total_pages();

  private:
    static constexpr unsigned kBits = 6;
    static constexpr u64 kWays = u64{1} << kBits;
    static constexpr u64 kLevelMask = 7;
    struct Node;

    [[nodiscard]] static unsigned levels(u64 root) { return static_cast<unsigned>(root & kLevelMask); }
    [[nodiscard]] static bool covers(u64 root, u64 index);
    // The slot of `index`, or null when no node leads there.
    [[nodiscard]] std::atomic<u64>* find_slot(u64 index) const;
    Result<std::atomic<u64>*> make_slot(u64 index);
    // `word`: a node with `level` levels (at least one) from it down, whose first page is `base`.
    static u64 remove_below(u64 word, unsigned level, u64 base, u64 first, u64 end);
    static void free_nodes(u64 word, unsigned level);

    mutable std::atomic<u64> root_{0};
};

}  // namespace tutti::vfs
