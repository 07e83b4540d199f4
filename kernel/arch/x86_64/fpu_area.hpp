// SPDX-License-Identifier: BSD-3-Clause
// What the state areas of fpu.hpp hold.
#pragma once

#include "arch/fpu.hpp"

namespace tutti::arch {

inline constexpr size_t kFpuLegacySize = 512;
// x87, SSE, AVX, AVX-512 (opmask, ZMM_Hi256, Hi16_ZMM), PKRU left out: protection keys are not offered.
inline constexpr u64 kFpuWantedFeatures = 0xe7;

// The components to keep of those that the CPU has.
[[nodiscard]] constexpr u64 fpu_usable_features(u64 supported) {
    u64 features = supported & kFpuWantedFeatures;
    if ((features & 0xe0) != 0xe0) features &= ~u64{0xe0};  // AVX-512 all or nothing (SDM vol. 1, 13.3)
    if ((features & 4) == 0) features &= ~u64{0xe0};
    return features;
}

struct FpuLayout {
    size_t size = kFpuLegacySize;
    u64 features = 0;
    u32 mxcsr_mask = 0xffbf;  // of CPUs that do not state theirs (SDM vol. 1, 11.6.6)
};
void set_fpu_layout(FpuLayout const& found);

}  // namespace tutti::arch
