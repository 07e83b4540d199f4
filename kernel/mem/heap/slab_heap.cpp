// SPDX-License-Identifier: BSD-3-Clause
#include "mem/heap/slab_heap.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/cpu.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::mem {
namespace {

struct SizeClass {
    u16 size;
    u8 order;  // frames of a slab: 2^order
};
// Waste inside a slab is under an eighth. Larger requests take whole frames.
constexpr std::array<SizeClass, 16> kClasses{{{16, 0}, {32, 0}, {48, 0}, {64, 0}, {96, 0}, {128, 0}, {192, 0}, {256, 0},
                                              {384, 0}, {512, 0}, {768, 1}, {1024, 1}, {1536, 2}, {2048, 2}, {3072, 3},
                                              {4096, 3}}};
constexpr size_t kLargest = 4096;
constexpr u16 kLargeTag = 0xffff;  // owner_tag of a block that is one allocation

constexpr std::array<u8, kLargest / 16 + 1> kClassOf = [] {
    std::array<u8, kLargest / 16 + 1> table{};
    for (size_t units = 0; units < table.size(); ++units) {
        u8 index = 0;
        while (kClasses[index].size < units * 16) ++index;
        table[units] = index;
    }
    return table;
}();

// A free object's first word links it to the next free one of its slab.
struct FreeObject {
    FreeObject* next;
};

// Debug builds fill free objects, all but the link, so that a use after the free shows: a read as a wild pointer, a write
// at the next allocation.
constexpr u64 kPoison = 0xdf'df'df'df'df'df'df'df;
void poison(void* object, size_t size) {
    if constexpr (kDebugBuild) std::memset(object, static_cast<u8>(kPoison), size);
}
void check_poison(void const* object, size_t size) {
    if constexpr (kDebugBuild) {
        auto const* const words = static_cast<u64 const*>(object);
        for (size_t i = sizeof(FreeObject) / sizeof(u64); i < size / sizeof(u64); ++i)
            CHECK(words[i] == kPoison, "heap object {} of {} bytes was written after it was freed: offset {} has {:#x}",
                  object, size, i * sizeof(u64), words[i]);
    }
}

// Slabs are described by their first frame: owner_tag = class + 1, owner_word = first free object, and the frame's
// reference count minus one = objects in use, so that the count needs no field of its own.
struct alignas(kCacheLine) ClassState {
    smp::SpinLock lock{smp::LockRank::HeapClass, "heap size class"};
    IntrusiveList<Frame, &Frame::node> partial;  // slabs with free objects
    std::atomic<u64> slabs{0};
};
constinit ClassState classes[kClasses.size()];

struct Magazine {
    static constexpr u32 kCapacity = 32;
    static constexpr u32 kBatch = 16;
    u32 count = 0;
    std::atomic<u64> allocated{0};  // objects, for statistics; this CPU writes, others read
    std::atomic<u64> freed{0};
    void* objects[kCapacity]{};
};
struct MagazineSet {
    std::array<Magazine, kClasses.size()> of_class{};
    std::atomic<u64> large_allocated{0};  // bytes
    std::atomic<u64> large_freed{0};
};
TUTTI_PERCPU MagazineSet magazines{};

// This CPU is the only writer and has interrupts off: a plain increment is enough.
void count_up(std::atomic<u64>& counter, u64 amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

Frame* slab_of(void* object, u8 order) {
    u64 const mask = (kPageSize << order) - 1;
    return frame_of(reinterpret_cast<void*>(reinterpret_cast<u64>(object) & ~mask));
}

Frame* make_slab(unsigned index) {
    SizeClass const& size_class = kClasses[index];
    Result<FrameRef> block = allocate_frames(size_class.order);
    if (!block) return nullptr;
    Frame* const slab = block->leak();
    slab->owner_tag = static_cast<u16>(index + 1);
    for (u64 i = 1; i < u64{1} << size_class.order; ++i) slab[i].owner_tag = slab->owner_tag;
    FreeObject* list = nullptr;
    size_t const count = (kPageSize << size_class.order) / size_class.size;
    auto* const base = static_cast<char*>(slab->data());
    poison(base, count * size_class.size);
    for (size_t i = count; i-- != 0;) list = new (base + i * size_class.size) FreeObject{list};
    slab->owner_word = reinterpret_cast<u64>(list);
    return slab;
}

void* take_from(Frame& slab, ClassState& state) REQUIRES(state.lock) {
    auto* const object = reinterpret_cast<FreeObject*>(slab.owner_word);
    slab.owner_word = reinterpret_cast<u64>(object->next);
    slab.references.fetch_add(1, std::memory_order_relaxed);
    if (slab.owner_word == 0) state.partial.remove(slab);
    return object;
}

// Returns the slab when its last object came back and it should go to the frame allocator.
Frame* give_back(void* object, unsigned index, ClassState& state) REQUIRES(state.lock) {
    Frame& slab = *slab_of(object, kClasses[index].order);
    bool const was_full = slab.owner_word == 0;
    slab.owner_word = reinterpret_cast<u64>(new (object) FreeObject{reinterpret_cast<FreeObject*>(slab.owner_word)});
    if (was_full) state.partial.push_front(slab);
    if (slab.references.fetch_sub(1, std::memory_order_relaxed) != 2) return nullptr;
    // Empty. One empty slab stays for the next allocation; a second goes back.
    bool const only = &state.partial.front() == &slab && &state.partial.back() == &slab;
    if (only) return nullptr;
    state.partial.remove(slab);
    return &slab;
}

void refill(Magazine& magazine, unsigned index) {
    ClassState& state = classes[index];
    {
        smp::SpinIrqGuard guard{state.lock};
        while (magazine.count < Magazine::kBatch && !state.partial.empty())
            magazine.objects[magazine.count++] = take_from(state.partial.front(), state);
    }
    if (magazine.count != 0) return;
    Frame* const slab = make_slab(index);
    if (slab == nullptr) return;
    smp::SpinIrqGuard guard{state.lock};
    count_up(state.slabs, 1);
    state.partial.push_front(*slab);
    while (magazine.count < Magazine::kBatch && slab->owner_word != 0)
        magazine.objects[magazine.count++] = take_from(*slab, state);
}

void spill(Magazine& magazine, unsigned index) {
    ClassState& state = classes[index];
    while (magazine.count > Magazine::kCapacity - Magazine::kBatch) {
        Frame* empty = nullptr;
        {
            smp::SpinIrqGuard guard{state.lock};
            while (empty == nullptr && magazine.count > Magazine::kCapacity - Magazine::kBatch)
                empty = give_back(magazine.objects[--magazine.count], index, state);
            if (empty != nullptr) count_up(state.slabs, static_cast<u64>(-1));
        }
        if (empty != nullptr) {
            u8 const order = kClasses[index].order;
            show_memory(empty->data(), kPageSize << order);
            for (u64 i = 0; i < u64{1} << order; ++i) empty[i].owner_tag = 0;
            empty->put();
        }
    }
}

class SlabHeap final : public HeapBackend {
  public:
    void* allocate(size_t size, size_t alignment) override {
        if (alignment > 16) size = align_up(u64{size}, alignment);
        if (size > kLargest || alignment > kPageSize) return allocate_large(size);
        unsigned const index = class_for(size, alignment);
        arch::IrqState const state = arch::disable_interrupts();
        Magazine& magazine = arch::percpu_address(magazines)->of_class[index];
        if (magazine.count == 0) refill(magazine, index);
        void* object = nullptr;
        if (magazine.count != 0) {
            object = magazine.objects[--magazine.count];
            show_memory(object, kClasses[index].size);
            count_up(magazine.allocated, 1);
        }
        arch::restore_interrupts(state);
        if (object != nullptr) check_poison(object, kClasses[index].size);
        return object;
    }

    void free(void* memory) override {
        Frame* const frame = frame_of(memory);
        CHECK(frame != nullptr && frame->owner_tag != 0, "free of {}, which the heap did not give out", memory);
        if (frame->owner_tag == kLargeTag) {
            free_large(*frame);
            return;
        }
        unsigned const index = frame->owner_tag - 1u;
        poison(memory, kClasses[index].size);
        arch::IrqState const state = arch::disable_interrupts();
        Magazine& magazine = arch::percpu_address(magazines)->of_class[index];
        if (magazine.count == Magazine::kCapacity) spill(magazine, index);
        magazine.objects[magazine.count++] = memory;
        hide_memory(static_cast<FreeObject*>(memory) + 1, kClasses[index].size - sizeof(FreeObject));
        count_up(magazine.freed, 1);
        arch::restore_interrupts(state);
    }

    size_t usable_size(void const* memory) const override {
        Frame const* const frame = frame_of(memory);
        if (frame->owner_tag == kLargeTag) return kPageSize << frame->order;
        return kClasses[frame->owner_tag - 1u].size;
    }

    HeapStatistics statistics() const override {
        HeapStatistics sum;
        for (u32 cpu = 0; cpu < hal::cpu_count(); ++cpu) {
            MagazineSet const& set = *arch::percpu_address_in(hal::percpu_area(CpuId{cpu}), magazines);
            for (size_t i = 0; i < kClasses.size(); ++i)
                sum.bytes_in_use += kClasses[i].size * (set.of_class[i].allocated.load(std::memory_order_relaxed) -
                                                        set.of_class[i].freed.load(std::memory_order_relaxed));
            u64 const large = set.large_allocated.load(std::memory_order_relaxed) -
                              set.large_freed.load(std::memory_order_relaxed);
            sum.bytes_in_use += large;
            sum.bytes_reserved += large;
        }
        for (size_t i = 0; i < kClasses.size(); ++i)
            sum.bytes_reserved += classes[i].slabs.load(std::memory_order_relaxed) * (kPageSize << kClasses[i].order);
        return sum;
    }

    std::string_view name() const override { return "slab"; }

  private:
    // The smallest class that is large enough and whose objects all fall on the alignment: slabs start on a multiple
    // of their size, so a class whose size is a multiple of the alignment serves it.
    static unsigned class_for(size_t size, size_t alignment) {
        unsigned index = kClassOf[(size + 15) / 16];
        while (!is_aligned(u64{kClasses[index].size}, alignment)) ++index;
        return index;
    }

    static void* allocate_large(size_t size) {
        u64 const pages = pages_for(size);
        unsigned const order = static_cast<unsigned>(std::bit_width(pages - 1));
        Result<FrameRef> block = allocate_frames(order);
        if (!block) return nullptr;
        Frame* const frame = block->leak();
        frame->owner_tag = kLargeTag;
        arch::IrqState const state = arch::disable_interrupts();
        count_up(arch::percpu_address(magazines)->large_allocated, kPageSize << order);
        arch::restore_interrupts(state);
        return frame->data();
    }
    static void free_large(Frame& frame) {
        arch::IrqState const state = arch::disable_interrupts();
        count_up(arch::percpu_address(magazines)->large_freed, kPageSize << frame.order);
        arch::restore_interrupts(state);
        frame.owner_tag = 0;
        frame.put();
    }
};
constinit SlabHeap the_heap{};

}  // namespace

HeapBackend& slab_heap() { return the_heap; }

}  // namespace tutti::mem
