// SPDX-License-Identifier: BSD-3-Clause
#include "arch/fpu.hpp"

#include <cstddef>
#include <cstring>

#include "base/isr_marks.hpp"

namespace tutti::arch {
namespace {

struct Area {
    alignas(16) u64 reserved;
    u32 status;   // FPSR
    u32 control;  // FPCR
    u64 vectors[64];
};
static_assert(offsetof(Area, vectors) == 16 && sizeof(Area) == 528);

// Defined in every version of the architecture (Arm ARM, C5.2.8, C5.2.9); trap enables only where traps are, which RAZ/WI
// elsewhere.
constexpr u32 kControlBits = 0x07c0'9f00 | 1u << 19;  // AHP, DN, FZ, RMode, trap enables, FZ16
constexpr u32 kStatusBits = 0x0800'009f;              // QC and the cumulative exceptions

}  // namespace

size_t fpu_area_size() { return sizeof(Area); }

void fpu_reset(void* area) { std::memset(area, 0, sizeof(Area)); }

ISR_SAFE void fpu_save(void* area) {
    ISR_NOTE("fpu-switch", "saves the registers of the thread that stops running");
    auto& saved = *static_cast<Area*>(area);
    u64 control, status;
    asm volatile(
        ".arch_extension fp\n\t.arch_extension simd\n\t"
        "stp q0, q1, [%2]\n\tstp q2, q3, [%2, #32]\n\tstp q4, q5, [%2, #64]\n\tstp q6, q7, [%2, #96]\n\t"
        "stp q8, q9, [%2, #128]\n\tstp q10, q11, [%2, #160]\n\tstp q12, q13, [%2, #192]\n\tstp q14, q15, [%2, #224]\n\t"
        "stp q16, q17, [%2, #256]\n\tstp q18, q19, [%2, #288]\n\tstp q20, q21, [%2, #320]\n\tstp q22, q23, [%2, #352]\n\t"
        "stp q24, q25, [%2, #384]\n\tstp q26, q27, [%2, #416]\n\tstp q28, q29, [%2, #448]\n\tstp q30, q31, [%2, #480]\n\t"
        "mrs %0, fpcr\n\tmrs %1, fpsr"
        : "=&r"(control), "=&r"(status)
        : "r"(saved.vectors)
        : "memory");
    saved.control = static_cast<u32>(control);
    saved.status = static_cast<u32>(status);
}

ISR_SAFE void fpu_restore(void const* area) {
    ISR_NOTE("fpu-switch", "loads the registers of the thread that is to run");
    auto const& saved = *static_cast<Area const*>(area);
    asm volatile(
        ".arch_extension fp\n\t.arch_extension simd\n\t"
        "ldp q0, q1, [%2]\n\tldp q2, q3, [%2, #32]\n\tldp q4, q5, [%2, #64]\n\tldp q6, q7, [%2, #96]\n\t"
        "ldp q8, q9, [%2, #128]\n\tldp q10, q11, [%2, #160]\n\tldp q12, q13, [%2, #192]\n\tldp q14, q15, [%2, #224]\n\t"
        "ldp q16, q17, [%2, #256]\n\tldp q18, q19, [%2, #288]\n\tldp q20, q21, [%2, #320]\n\tldp q22, q23, [%2, #352]\n\t"
        "ldp q24, q25, [%2, #384]\n\tldp q26, q27, [%2, #416]\n\tldp q28, q29, [%2, #448]\n\tldp q30, q31, [%2, #480]\n\t"
        "msr fpcr, %0\n\tmsr fpsr, %1" ::"r"(u64{saved.control}),
        "r"(u64{saved.status}), "r"(saved.vectors)
        : "memory");
}

void fpu_sanitize(void* area) {
    auto& saved = *static_cast<Area*>(area);
    saved.control &= kControlBits;
    saved.status &= kStatusBits;
}

}  // namespace tutti::arch
