// SPDX-License-Identifier: BSD-3-Clause
#include "arch/fpu.hpp"

#include <cstring>

#include "arch/cpu.hpp"
#include "base/types.hpp"

namespace tutti::arch {
namespace {

constexpr size_t kLegacySize = 512;
constexpr size_t kHeaderSize = 64;
// x87, SSE, AVX, AVX-512 (opmask, ZMM_Hi256, Hi16_ZMM), PKRU left out: protection keys are not offered.
constexpr u64 kWantedFeatures = 0xe7;

constinit size_t area_size = kLegacySize;
constinit u64 features = 0;
constinit u32 mxcsr_mask = 0xffbf;  // of CPUs that do not state theirs (SDM vol. 1, 11.6.6)

bool cpu_has_xsave() { return (cpuid(1).ecx & (1u << 26)) != 0 && cpuid(0).eax >= 0xd; }

void write_xcr0(u64 value) {
    asm volatile("xsetbv" ::"c"(0), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}

}  // namespace

size_t fpu_area_size() { return area_size; }
u64 fpu_features() { return features; }

void fpu_init() {
    if (cpu_has_xsave()) {
        CpuidResult const supported = cpuid(0xd, 0);
        features = (supported.eax | (u64{supported.edx} << 32)) & kWantedFeatures;
        if ((features & 0xe0) != 0xe0) features &= ~u64{0xe0};  // AVX-512 all or nothing (SDM vol. 1, 13.3)
        if ((features & 4) == 0) features &= ~u64{0xe0};
    }
    fpu_init_cpu();
    alignas(16) static constinit u8 legacy[kLegacySize]{};
    asm volatile("fxsave64 (%0)" ::"r"(legacy) : "memory");
    u32 stated;
    std::memcpy(&stated, legacy + 28, sizeof stated);
    if (stated != 0) mxcsr_mask = stated;
    if (features != 0) area_size = cpuid(0xd, 0).ebx;  // size for the components enabled in XCR0
}

void fpu_init_cpu() {
    u64 cr0 = read_cr0();
    cr0 &= ~u64{(1 << 2) | (1 << 3)};  // EM, TS
    cr0 |= (1 << 1) | (1 << 5);        // MP, NE
    write_cr0(cr0);
    write_cr4(read_cr4() | (1 << 9) | (1 << 10) | (features != 0 ? u64{1} << 18 : 0));  // OSFXSR, OSXMMEXCPT, OSXSAVE
    if (features != 0) write_xcr0(features);
    asm volatile("fninit");
}

void fpu_reset(void* area) {
    std::memset(area, 0, area_size);
    auto* const bytes = static_cast<char*>(area);
    u16 const control = 0x37f;
    u32 const mxcsr = 0x1f80;
    std::memcpy(bytes, &control, sizeof control);
    std::memcpy(bytes + 24, &mxcsr, sizeof mxcsr);
    if (features != 0) {
        // XSTATE_BV: x87 and SSE come from the area; the rest is in its initial configuration.
        u64 const present = 3;
        std::memcpy(bytes + kLegacySize, &present, sizeof present);
    }
}

ISR_SAFE void fpu_save(void* area) {
    ISR_NOTE("fpu-switch", "saves the registers of the thread that stops running");
    if (features != 0)
        asm volatile("xsave64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u) : "memory");
    else
        asm volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

ISR_SAFE void fpu_restore(void const* area) {
    ISR_NOTE("fpu-switch", "loads the registers of the thread that is to run");
    if (features != 0)
        asm volatile("xrstor64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u) : "memory");
    else
        asm volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void fpu_sanitize(void* area) {
    auto* const bytes = static_cast<char*>(area);
    u32 mxcsr;
    std::memcpy(&mxcsr, bytes + 24, sizeof mxcsr);
    mxcsr &= mxcsr_mask;
    std::memcpy(bytes + 24, &mxcsr, sizeof mxcsr);
    if (features != 0) {
        u64 present;
        std::memcpy(&present, bytes + kLegacySize, sizeof present);
        present &= features;
        std::memcpy(bytes + kLegacySize, &present, sizeof present);
        // XCOMP_BV and the reserved header bytes must be zero for XRSTOR in standard form.
        std::memset(bytes + kLegacySize + 8, 0, kHeaderSize - 8);
    }
}

}  // namespace tutti::arch
