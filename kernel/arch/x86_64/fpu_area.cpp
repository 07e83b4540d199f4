// SPDX-License-Identifier: BSD-3-Clause
// State areas as memory; also where the kernel is a process (arch/hosted).
#include <cstring>

#include "arch/x86_64/fpu_area.hpp"

namespace tutti::arch {
namespace {

constexpr size_t kHeaderSize = 64;

constinit FpuLayout layout{};

}  // namespace

void set_fpu_layout(FpuLayout const& found) { layout = found; }
size_t fpu_area_size() { return layout.size; }
u64 fpu_features() { return layout.features; }

void fpu_reset(void* area) {
    std::memset(area, 0, layout.size);
    auto* const bytes = static_cast<char*>(area);
    u16 const control = 0x37f;
    u32 const mxcsr = 0x1f80;
    std::memcpy(bytes, &control, sizeof control);
    std::memcpy(bytes + 24, &mxcsr, sizeof mxcsr);
    if (layout.features != 0) {
        // XSTATE_BV: x87 and SSE come from the area; the rest is in its initial configuration.
        u64 const present = 3;
        std::memcpy(bytes + kFpuLegacySize, &present, sizeof present);
    }
}

void fpu_sanitize(void* area) {
    auto* const bytes = static_cast<char*>(area);
    u32 mxcsr;
    std::memcpy(&mxcsr, bytes + 24, sizeof mxcsr);
    mxcsr &= layout.mxcsr_mask;
    std::memcpy(bytes + 24, &mxcsr, sizeof mxcsr);
    if (layout.features != 0) {
        u64 present;
        std::memcpy(&present, bytes + kFpuLegacySize, sizeof present);
        present &= layout.features;
        std::memcpy(bytes + kFpuLegacySize, &present, sizeof present);
        // XCOMP_BV and the reserved header bytes must be zero for XRSTOR in standard form.
        std::memset(bytes + kFpuLegacySize + 8, 0, kHeaderSize - 8);
    }
}

}  // namespace tutti::arch
