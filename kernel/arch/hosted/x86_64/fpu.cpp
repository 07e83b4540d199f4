// SPDX-License-Identifier: BSD-3-Clause
#include "arch/fpu.hpp"

#include <algorithm>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/percpu.hpp"
#include "arch/x86_64/fpu_area.hpp"
#include "base/assert.hpp"

extern "C" {
TUTTI_PERCPU tutti::u64 hosted_user_fpu = 0;
}

namespace tutti::arch {
namespace {

constexpr size_t kBaseSize = kFpuLegacySize + 64;
constexpr u64 kBaseFeatures = 3;
constexpr u64 kAvx = 4;
constexpr size_t kAvxEnd = kBaseSize + 256;

u64 read_xcr0() {
    u32 low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return u64{high} << 32 | low;
}

}  // namespace

void fpu_init() {
    CHECK((cpuid(1).ecx & (1u << 27)) != 0, "this host does not use XSAVE");
    FpuLayout layout{.size = kBaseSize, .features = fpu_usable_features(read_xcr0())};
    for (u32 component = 2; component < 8; ++component)
        if ((layout.features >> component & 1) != 0) {
            CpuidResult const place = cpuid(0xd, component);
            layout.size = std::max<size_t>(layout.size, place.ebx + place.eax);
        }
    alignas(16) static constinit u8 legacy[kFpuLegacySize]{};
    asm volatile("fxsave64 (%0)" ::"r"(legacy) : "memory");
    u32 stated;
    std::memcpy(&stated, legacy + 28, sizeof stated);
    if (stated != 0) layout.mxcsr_mask = stated;
    set_fpu_layout(layout);
}

void fpu_init_cpu() {}

void fpu_copy(void* to, void const* from) {
    u64 present;
    std::memcpy(&present, static_cast<char const*>(from) + kFpuLegacySize, sizeof present);
    present &= fpu_features();
    // What is not present is in its initial configuration, whatever the bytes are.
    size_t const size = (present & ~(kBaseFeatures | kAvx)) != 0 ? fpu_area_size() : (present & kAvx) != 0 ? kAvxEnd : kBaseSize;
    std::memcpy(to, from, size);
    std::memcpy(static_cast<char*>(to) + kFpuLegacySize, &present, sizeof present);
}

void fpu_save(void* area) { fpu_copy(area, reinterpret_cast<void const*>(percpu_load(hosted_user_fpu))); }
void fpu_restore(void const* area) { fpu_copy(reinterpret_cast<void*>(percpu_load(hosted_user_fpu)), area); }

}  // namespace tutti::arch
