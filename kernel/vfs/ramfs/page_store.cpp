// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/ramfs/page_store.hpp"

#include <algorithm>
#include <new>

#include "smp/debug/race_point.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::vfs {

struct alignas(8) PageStore::Node {
    std::atomic<u64> slots[kWays];  // a Node* above level 1, a mem::Frame* at level 1, 0 for nothing
};

namespace {

// Inserted less removed on each CPU: one may be negative, the sum is not.
constinit smp::PerCpu<i64> page_balance PERCPU_SECTION;

mem::Frame* frame_of(u64 word) { return reinterpret_cast<mem::Frame*>(word); }

// Takes a reference unless the frame is free.
bool try_get(mem::Frame& frame) {
    u32 count = frame.references.load(std::memory_order_relaxed);
    while (count != 0)
        // acquire: what was written to the page before it was inserted is visible.
        if (frame.references.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                                   std::memory_order_relaxed))
            return true;
    return false;
}

}  // namespace

bool PageStore::covers(u64 root, u64 index) {
    unsigned const bits = levels(root) * kBits;
    return bits >= 64 || index >> bits == 0;
}

PageStore::~PageStore() {
    (void)remove(0, ~u64{0});
    u64 const root = root_.load(std::memory_order_relaxed);  // nobody else is left
    if (levels(root) > 0) free_nodes(root & ~kLevelMask, levels(root));
}

void PageStore::free_nodes(u64 word, unsigned level) {
    auto* const node = reinterpret_cast<Node*>(word);
    if (level > 1)
        for (auto& slot : node->slots)
            if (u64 const child = slot.load(std::memory_order_relaxed)) free_nodes(child, level - 1);
    delete node;
}

std::atomic<u64>* PageStore::find_slot(u64 index) const {
    u64 const root = root_.load(std::memory_order_acquire);  // pairs with make_slot
    if (!covers(root, index)) return nullptr;
    unsigned level = levels(root);
    if (level == 0) return &root_;
    u64 word = root & ~kLevelMask;
    while (true) {
        auto* const node = reinterpret_cast<Node*>(word);
        std::atomic<u64>& slot = node->slots[index >> ((level - 1) * kBits) & (kWays - 1)];
        if (--level == 0) return &slot;
        word = slot.load(std::memory_order_acquire);  // pairs with make_slot
        if (word == 0) return nullptr;
    }
}

mem::FrameRef PageStore::find(u64 index) const {
    while (true) {
        std::atomic<u64>* const slot = find_slot(index);
        if (slot == nullptr) return {};
        u64 const word = slot->load(std::memory_order_acquire);
        if (word == 0) return {};
        if (slot == &root_ && levels(word) != 0) continue;  // the tree grew under us
        mem::Frame* const frame = frame_of(word);
        if (!try_get(*frame)) continue;
        mem::FrameRef reference = mem::FrameRef::adopt(*frame);
        if (slot->load(std::memory_order_acquire) == word) return reference;
    }
}

Result<std::atomic<u64>*> PageStore::make_slot(u64 index) {
    // Grow until the root covers the index.
    u64 root = root_.load(std::memory_order_acquire);
    while (!covers(root, index)) {
        if (levels(root) == kLevelMask) return fail(Error::FileTooBig);
        auto* const node = new (std::nothrow) Node{};
        if (node == nullptr) return fail(Error::NoMemory);
        node->slots[0].store(root & ~kLevelMask, std::memory_order_relaxed);  // published by the exchange
        u64 const grown = reinterpret_cast<u64>(node) | (levels(root) + 1);
        if (root_.compare_exchange_strong(root, grown, std::memory_order_acq_rel, std::memory_order_acquire))
            root = grown;
        else
            delete node;
    }
    unsigned level = levels(root);
    if (level == 0) return &root_;
    u64 word = root & ~kLevelMask;
    while (true) {
        auto* const node = reinterpret_cast<Node*>(word);
        std::atomic<u64>& slot = node->slots[index >> ((level - 1) * kBits) & (kWays - 1)];
        if (--level == 0) return &slot;
        word = slot.load(std::memory_order_acquire);
        if (word != 0) continue;
        auto* const child = new (std::nothrow) Node{};
        if (child == nullptr) return fail(Error::NoMemory);
        // release: the child's zeroes are visible to whoever follows the slot.
        if (slot.compare_exchange_strong(word, reinterpret_cast<u64>(child), std::memory_order_acq_rel,
                                         std::memory_order_acquire))
            word = reinterpret_cast<u64>(child);
        else
            delete child;
    }
}

Result<mem::FrameRef> PageStore::insert(u64 index, mem::FrameRef frame) {
    while (true) {
        std::atomic<u64>* const slot = TRY(make_slot(index));
        u64 expected = 0;
        u64 const word = reinterpret_cast<u64>(frame.get());
        frame->get();  // the store's own reference
        if (slot->compare_exchange_strong(expected, word, std::memory_order_acq_rel, std::memory_order_acquire)) {
            page_balance.add(1);
            return frame;
        }
        frame->put();
        // Somebody was first, or the root grew into a node meanwhile: find() tells the two apart.
        if (mem::FrameRef present = find(index)) return present;
    }
}

u64 PageStore::remove_below(u64 word, unsigned level, u64 base, u64 first, u64 end) {
    auto* const node = reinterpret_cast<Node*>(word);
    u64 const span = u64{1} << ((level - 1) * kBits);
    u64 removed = 0;
    for (u64 way = 0; way < kWays; ++way) {
        u64 const begin = base + way * span;
        if (begin >= end) break;
        if (begin + (span - 1) < first) continue;
        std::atomic<u64>& slot = node->slots[way];
        if (level > 1) {
            if (u64 const child = slot.load(std::memory_order_acquire))
                removed += remove_below(child, level - 1, begin, first, end);
        } else if (u64 const page = slot.exchange(0, std::memory_order_acq_rel)) {  // pairs with the second look in find()
            frame_of(page)->put();
            page_balance.add(-1);
            ++removed;
        }
    }
    return removed;
}

u64 PageStore::total_pages() {
    i64 sum = 0;
    smp::for_each_cpu([&](CpuId cpu) { sum += page_balance.on(cpu); });
    return static_cast<u64>(std::max(sum, i64{0}));
}

u64 PageStore::remove(u64 first, u64 end) {
    if (first >= end) return 0;
    u64 root = root_.load(std::memory_order_acquire);
    while (levels(root) == 0) {
        if (first != 0 || root == 0) return 0;
        // Not an exchange: the root may have grown into a node meanwhile.
        if (root_.compare_exchange_weak(root, 0, std::memory_order_acq_rel, std::memory_order_acquire)) {
            frame_of(root)->put();
            page_balance.add(-1);
            return 1;
        }
    }
    smp::race_point();
    return remove_below(root & ~kLevelMask, levels(root), 0, first, end);  // not root_: it may have grown meanwhile
}

}  // namespace tutti::vfs
