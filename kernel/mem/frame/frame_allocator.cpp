// SPDX-License-Identifier: BSD-3-Clause
#include "mem/frame/frame_allocator.hpp"

#include <algorithm>
#include <new>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "base/bits.hpp"
#include "hal/boot_info.hpp"
#include "hal/cpu.hpp"
#include "mem/allocation_fault.hpp"
#include "mem/frame/buddy.hpp"

namespace tutti::mem {
namespace {

constinit Buddy buddy;
constinit u64 total_frames = 0;

// Frames that this CPU freed or fetched, not zeroed, references 0, state Allocated. Touched with interrupts off by its
// own CPU only; `count` is read by others for statistics, hence atomic (relaxed: nothing is derived from it).
struct FrameCache {
    static constexpr u32 kCapacity = 64;
    static constexpr u32 kBatch = 16;
    std::atomic<u32> count{0};
    Frame* frames[kCapacity]{};
};
TUTTI_PERCPU FrameCache frame_cache{};
// Small machines keep small caches: at most an eighth of memory rests in them.
constinit u32 cache_limit = FrameCache::kCapacity;

constinit std::atomic<u32> fault_period{0};
TUTTI_PERCPU u32 allocations_until_fault = 0;

bool injected_fault() {
    if constexpr (!kDebugBuild) return false;
    if (allocation_fails()) return true;
    u32 const period = fault_period.load(std::memory_order_relaxed);
    if (period == 0) return false;
    u32& left = *arch::percpu_address(allocations_until_fault);
    if (left == 0 || left > period) left = period;
    return --left == 0;
}

class InterruptsOff {
  public:
    InterruptsOff() : before_{arch::disable_interrupts()} {}
    ~InterruptsOff() { arch::restore_interrupts(before_); }
    InterruptsOff(InterruptsOff const&) = delete;
    InterruptsOff& operator=(InterruptsOff const&) = delete;

  private:
    arch::IrqState before_;
};

Frame* take_cached() {
    FrameCache& cache = *arch::percpu_address(frame_cache);
    u32 count = cache.count.load(std::memory_order_relaxed);
    if (count == 0) {
        u32 const batch = std::min(FrameCache::kBatch, std::max(cache_limit / 2, 1u));
        while (count < batch) {
            Frame* const frame = buddy.allocate(0);
            if (frame == nullptr) break;
            cache.frames[count++] = frame;
        }
        if (count == 0) return nullptr;
    }
    Frame* const frame = cache.frames[--count];
    cache.count.store(count, std::memory_order_relaxed);
    frame->references.store(1, std::memory_order_relaxed);
    return frame;
}

void give_cached(Frame& frame) {
    FrameCache& cache = *arch::percpu_address(frame_cache);
    u32 count = cache.count.load(std::memory_order_relaxed);
    if (count >= cache_limit) {
        u32 const keep = cache_limit / 2;
        while (count > keep) {
            Frame& spilled = *cache.frames[--count];
            spilled.references.store(0, std::memory_order_relaxed);
            buddy.free(spilled);
        }
    }
    frame.owner_tag = 0;
    cache.frames[count++] = &frame;
    cache.count.store(count, std::memory_order_relaxed);
}

// Calls visit(first, count) for each run of frames in `ram` that no reserved range touches.
template <class Visit>
void for_each_free_run(hal::BootInfo const& info, Visit visit) {
    for (PhysRange const& ram : info.ram) {
        u64 at = ram.base.value();
        for (PhysRange const& reserved : info.reserved) {
            u64 const first = reserved.base.value();
            u64 const last = reserved.end().value();
            if (last <= at || first >= ram.end().value()) continue;
            if (first > at) visit(FrameNumber::of(PhysAddr{at}), (first - at) >> kPageShift);
            at = std::max(at, last);
        }
        if (at < ram.end().value()) visit(FrameNumber::of(PhysAddr{at}), (ram.end().value() - at) >> kPageShift);
    }
}

}  // namespace

void frame_init() {
    hal::BootInfo const& info = hal::boot_info();
    u64 const alignment = u64{1} << Buddy::kMaxOrder;
    u64 const first = align_down(FrameNumber::of(info.ram.front().base).value(), alignment);
    u64 const last = FrameNumber::of(info.ram.back().end()).value();
    u64 const bytes = align_up((last - first) * sizeof(Frame), kPageSize);

    // The descriptors take the end of the largest free run.
    FrameNumber best{};
    u64 best_count = 0;
    for_each_free_run(info, [&](FrameNumber run, u64 count) {
        if (count >= best_count) {
            best = run;
            best_count = count;
        }
    });
    u64 const needed = bytes >> kPageShift;
    CHECK(best_count > needed, "no room for {} KiB of frame descriptors: give the machine more memory", bytes >> 10);
    FrameNumber const table = best + (best_count - needed);
    auto* const frames = arch::phys_to_virt<Frame>(table.address());
    for (u64 i = 0; i < last - first; ++i) new (frames + i) Frame;

    buddy.init({frames, last - first}, FrameNumber{first});
    for_each_free_run(info, [&](FrameNumber run, u64 count) {
        if (run == best) count -= needed;
        buddy.add(run, count);
        total_frames += count;
    });
    u64 const share = total_frames / 8 / std::max(info.cpu_count, 1u);
    cache_limit = static_cast<u32>(std::clamp<u64>(share, 2, FrameCache::kCapacity));
}

void release_boot_memory(PhysRange range) {
    FrameNumber const first = FrameNumber::of(PhysAddr{align_up(range.base.value(), kPageSize)});
    FrameNumber const last = FrameNumber::of(range.end());
    if (last <= first) return;
    buddy.add(first, last - first);
    total_frames += last - first;
}

void adopt_boot_frames(PhysRange range) {
    for (u64 offset = 0; offset < range.size; offset += kPageSize) {
        Frame& frame = *buddy.frame_at(FrameNumber::of(range.base + offset));
        CHECK(frame.state.load(std::memory_order_relaxed) == FrameState::Reserved);
        frame.order = 0;
        frame.references.store(1, std::memory_order_relaxed);
        frame.state.store(FrameState::Allocated, std::memory_order_relaxed);
    }
    total_frames += range.size >> kPageShift;
}

ALLOCATES Result<FrameRef> allocate_frame(FrameFill fill) {
    Frame* frame = nullptr;
    {
        InterruptsOff const off;
        if (!injected_fault()) frame = take_cached();
    }
    if (frame == nullptr) return fail(Error::NoMemory);
    if (fill == FrameFill::Zero) zero_page(frame->data());
    return FrameRef::adopt(*frame);
}

ALLOCATES Result<FrameRef> allocate_frames(unsigned order, FrameFill fill) {
    if (order == 0) return allocate_frame(fill);
    if (order > Buddy::kMaxOrder) return fail(Error::NoMemory);
    {
        InterruptsOff const off;
        if (injected_fault()) return fail(Error::NoMemory);
    }
    Frame* const block = buddy.allocate(order);
    if (block == nullptr) return fail(Error::NoMemory);
    if (fill == FrameFill::Zero)
        for (u64 i = 0; i < u64{1} << order; ++i) zero_page(static_cast<char*>(block->data()) + i * kPageSize);
    return FrameRef::adopt(*block);
}

void Frame::put() {
    // release: our use of the frame comes before its next owner's; pairs with the acquire of whoever drops the last.
    u32 const before = references.fetch_sub(1, std::memory_order_release);
    ASSERT(before != 0, "frame put more often than got");
    if (before != 1) return;
    (void)references.load(std::memory_order_acquire);
    if (order == 0) {
        InterruptsOff const off;
        give_cached(*this);
    } else {
        buddy.free(*this);
    }
}

PhysAddr Frame::address() const { return buddy.number_of(*this).address(); }
void* Frame::data() const { return arch::phys_to_virt(address()); }

Frame* frame_at(PhysAddr address) {
    Frame* const frame = buddy.frame_at(FrameNumber::of(address));
    return frame != nullptr && frame->state.load(std::memory_order_relaxed) != FrameState::Reserved ? frame : nullptr;
}
Frame* frame_of(void const* pointer) { return frame_at(arch::virt_to_phys(pointer)); }

FrameStatistics frame_statistics() {
    u64 cached = 0;
    for (u32 i = 0; i < hal::cpu_count(); ++i)
        cached += arch::percpu_address_in(hal::percpu_area(CpuId{i}), frame_cache)->count.load(std::memory_order_relaxed);
    return {total_frames, buddy.free_frames() + cached};
}

void set_allocation_fault_period(u32 every_nth) { fault_period.store(every_nth, std::memory_order_relaxed); }

// Eight stores a round: close to the string instructions on hardware, and several times faster than them under
// emulation, where each iteration of a string instruction is a step of its own.
void zero_page(void* page) {
    auto* word = static_cast<u64*>(page);
    for (u64 const* const end = word + kPageSize / sizeof(u64); word != end; word += 8) {
        word[0] = 0, word[1] = 0, word[2] = 0, word[3] = 0;
        word[4] = 0, word[5] = 0, word[6] = 0, word[7] = 0;
        asm volatile("" : "+r"(word)::"memory");  // not to be turned into a call of memset
    }
}

void copy_page(void* to, void const* from) {
    auto* out = static_cast<u64*>(to);
    auto const* in = static_cast<u64 const*>(from);
    for (u64 const* const end = in + kPageSize / sizeof(u64); in != end; in += 8, out += 8) {
        out[0] = in[0], out[1] = in[1], out[2] = in[2], out[3] = in[3];
        out[4] = in[4], out[5] = in[5], out[6] = in[6], out[7] = in[7];
        asm volatile("" : "+r"(out)::"memory");
    }
}

}  // namespace tutti::mem
