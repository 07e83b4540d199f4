// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/vdso/vdso.hpp"

#include <atomic>
#include <cstring>

#include "base/vector.hpp"
#include "hal/clock.hpp"
#include "linux_abi/vdso/vdso_data.hpp"
#include "linux_abi/machine/cpu_number.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "smp/spin/spin.hpp"
#include "vfs/wall_clock.hpp"
#include "vm/address_space.hpp"

extern "C" {
extern unsigned char const vdso_image[];
extern unsigned char const vdso_image_end[];
}

namespace tutti::linux_abi::vdso {
namespace {

// Page 0: the data. Then the image.
class Pages final : public vm::Backing {
  public:
    Result<> fill() {
        std::span<u8 const> image{vdso_image, vdso_image_end};
        TRY(append({}));
        for (; !image.empty(); image = image.subspan(std::min<size_t>(image.size(), kPageSize)))
            TRY(append(image.first(std::min<size_t>(image.size(), kPageSize))));
        return {};
    }
    [[nodiscard]] Data& data() { return *frames_[0].data<Data>(); }
    [[nodiscard]] u64 size() const { return frames_.size() * kPageSize; }

    Result<mem::FrameRef> page(u64 index) override { return try_page(index); }
    Result<mem::FrameRef> try_page(u64 index) override {
        if (index >= frames_.size()) return fail(Error::OutOfRange);
        return mem::FrameRef{frames_[index]};
    }
    void describe(vm::BackingDescription& description) const override { description.path.assign("[vdso]"); }

  private:
    Result<> append(std::span<u8 const> bytes) {
        mem::FrameRef frame = TRY(mem::allocate_frame(mem::FrameFill::Zero));
        std::memcpy(frame.data(), bytes.data(), bytes.size());
        return frames_.try_push_back(std::move(frame));
    }
    Vector<mem::FrameRef> frames_;
};

// Set once, at boot, before programs run.
constinit Pages* g_pages = nullptr;
// Writers of the data page exclude each other.
constinit smp::SpinLock g_write_lock{smp::LockRank::VdsoData, "vDSO data"};

// Sequence lock, see vdso_data.hpp.
template <class Change>
void write_data(Change change) {
    smp::SpinIrqGuard guard{g_write_lock};
    Data& data = g_pages->data();
    std::atomic_ref<u32> sequence{data.sequence};
    u32 const before = sequence.load(std::memory_order_relaxed);
    sequence.store(before + 1, std::memory_order_relaxed);
    // release: the odd number comes before the changes; pairs with the reader's acquire fence.
    std::atomic_thread_fence(std::memory_order_release);
    change(data);
    // release: the changes come before the even number; pairs with the reader's acquire load.
    sequence.store(before + 2, std::memory_order_release);
}

template <class T>
void store(T& field, T value) {
    std::atomic_ref<T>{field}.store(value, std::memory_order_relaxed);  // ordered by the sequence
}

}  // namespace

Result<> initialize() {
    Ref<Pages> pages = TRY(make_ref<Pages>());
    TRY(pages->fill());
    g_pages = pages.leak();
    hal::CounterScale const scale = hal::counter_scale();
    write_data([&](Data& data) {
        store(data.counter_base, scale.base);
        store(data.multiplier, scale.multiplier);
        store(data.shift, scale.shift);
        store(data.wall_offset, static_cast<std::int64_t>(vfs::wall_clock_offset().count()));
        store(data.flags, kCounterValid | (user_cpu_number_present() ? kCpuNumberValid : 0u));
    });
    return {};
}

Result<VirtAddr> map(vm::AddressSpace& space) {
    if (g_pages == nullptr) return fail(Error::NotFound);
    Ref<vm::Backing> const backing{Ref<Pages>{*g_pages}};
    vm::MapRequest request;
    request.length = g_pages->size();
    request.protection = {.read = true};
    request.shared = true;
    request.kind = vm::AreaKind::Vvar;
    request.backing = backing;
    VirtAddr const start = TRY(space.map(request));
    request.address = start + kPageSize;
    request.length = g_pages->size() - kPageSize;
    request.protection = {.read = true, .execute = true};
    request.placement = vm::Placement::Fixed;
    request.kind = vm::AreaKind::Vdso;
    request.offset = kPageSize;
    return space.map(request);
}

VirtAddr signal_return(VirtAddr base) {
    constexpr size_t kEntryField = 24;  // e_entry of the ELF header: the image's only use of it
    u64 entry = 0;
    std::memcpy(&entry, vdso_image + kEntryField, sizeof entry);
    return base.is_null() || entry == 0 ? VirtAddr{} : base + entry;
}

void set_wall_offset(Nanoseconds offset) {
    if (g_pages == nullptr) return vfs::set_wall_clock_offset(offset);
    // Both under one lock: of callers that come at once, the same one is the last for both.
    write_data([&](Data& data) {
        vfs::set_wall_clock_offset(offset);
        store(data.wall_offset, static_cast<std::int64_t>(offset.count()));
    });
}

}  // namespace tutti::linux_abi::vdso
