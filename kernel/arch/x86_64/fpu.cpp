// SPDX-License-Identifier: BSD-3-Clause
#include "arch/fpu.hpp"

#include <cstring>

#include "arch/cpu.hpp"
#include "arch/x86_64/fpu_area.hpp"
#include "base/types.hpp"

namespace tutti::arch {
namespace {

constinit u64 features = 0;

bool cpu_has_xsave() { return (cpuid(1).ecx & (1u << 26)) != 0 && cpuid(0).eax >= 0xd; }

void write_xcr0(u64 value) {
    asm volatile("xsetbv" ::"c"(0), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}

}  // namespace

void fpu_init() {
    if (cpu_has_xsave()) {
        CpuidResult const supported = cpuid(0xd, 0);
        features = fpu_usable_features(supported.eax | (u64{supported.edx} << 32));
    }
    fpu_init_cpu();
    FpuLayout layout{.features = features};
    alignas(16) static constinit u8 legacy[kFpuLegacySize]{};
    asm volatile("fxsave64 (%0)" ::"r"(legacy) : "memory");
    u32 stated;
    std::memcpy(&stated, legacy + 28, sizeof stated);
    if (stated != 0) layout.mxcsr_mask = stated;
    if (features != 0) layout.size = cpuid(0xd, 0).ebx;  // size for the components enabled in XCR0
    set_fpu_layout(layout);
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

}  // namespace tutti::arch
