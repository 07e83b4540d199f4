// SPDX-License-Identifier: BSD-3-Clause
// The names that /proc/cpuinfo has for CPUID's feature bits, in its order.
#pragma once

#include "arch/cpu.hpp"
#include "base/string.hpp"

namespace tutti::vfs {

struct CpuFeature {
    enum Source : u8 { Leaf1Edx, ExtendedEdx, Leaf1Ecx, ExtendedEcx, Leaf7Ebx, LeafDEax, Leaf7Ecx, Leaf7Edx };
    Source source;
    u8 bit;
    std::string_view name;
};

inline constexpr CpuFeature kCpuFeatures[] = {
    {CpuFeature::Leaf1Edx, 0, "fpu"}, {CpuFeature::Leaf1Edx, 1, "vme"}, {CpuFeature::Leaf1Edx, 2, "de"},
    {CpuFeature::Leaf1Edx, 3, "pse"}, {CpuFeature::Leaf1Edx, 4, "tsc"}, {CpuFeature::Leaf1Edx, 5, "msr"},
    {CpuFeature::Leaf1Edx, 6, "pae"}, {CpuFeature::Leaf1Edx, 7, "mce"}, {CpuFeature::Leaf1Edx, 8, "cx8"},
    {CpuFeature::Leaf1Edx, 9, "apic"}, {CpuFeature::Leaf1Edx, 11, "sep"}, {CpuFeature::Leaf1Edx, 12, "mtrr"},
    {CpuFeature::Leaf1Edx, 13, "pge"}, {CpuFeature::Leaf1Edx, 14, "mca"}, {CpuFeature::Leaf1Edx, 15, "cmov"},
    {CpuFeature::Leaf1Edx, 16, "pat"}, {CpuFeature::Leaf1Edx, 17, "pse36"}, {CpuFeature::Leaf1Edx, 19, "clflush"},
    {CpuFeature::Leaf1Edx, 23, "mmx"}, {CpuFeature::Leaf1Edx, 24, "fxsr"}, {CpuFeature::Leaf1Edx, 25, "sse"},
    {CpuFeature::Leaf1Edx, 26, "sse2"}, {CpuFeature::Leaf1Edx, 27, "ss"}, {CpuFeature::Leaf1Edx, 28, "ht"},
    {CpuFeature::ExtendedEdx, 11, "syscall"}, {CpuFeature::ExtendedEdx, 20, "nx"},
    {CpuFeature::ExtendedEdx, 22, "mmxext"}, {CpuFeature::ExtendedEdx, 25, "fxsr_opt"},
    {CpuFeature::ExtendedEdx, 26, "pdpe1gb"}, {CpuFeature::ExtendedEdx, 27, "rdtscp"},
    {CpuFeature::ExtendedEdx, 29, "lm"}, {CpuFeature::ExtendedEdx, 30, "3dnowext"},
    {CpuFeature::ExtendedEdx, 31, "3dnow"},
    {CpuFeature::Leaf1Ecx, 0, "pni"}, {CpuFeature::Leaf1Ecx, 1, "pclmulqdq"}, {CpuFeature::Leaf1Ecx, 3, "monitor"},
    {CpuFeature::Leaf1Ecx, 5, "vmx"}, {CpuFeature::Leaf1Ecx, 9, "ssse3"}, {CpuFeature::Leaf1Ecx, 12, "fma"},
    {CpuFeature::Leaf1Ecx, 13, "cx16"}, {CpuFeature::Leaf1Ecx, 17, "pcid"}, {CpuFeature::Leaf1Ecx, 19, "sse4_1"},
    {CpuFeature::Leaf1Ecx, 20, "sse4_2"}, {CpuFeature::Leaf1Ecx, 21, "x2apic"}, {CpuFeature::Leaf1Ecx, 22, "movbe"},
    {CpuFeature::Leaf1Ecx, 23, "popcnt"}, {CpuFeature::Leaf1Ecx, 24, "tsc_deadline_timer"},
    {CpuFeature::Leaf1Ecx, 25, "aes"}, {CpuFeature::Leaf1Ecx, 26, "xsave"}, {CpuFeature::Leaf1Ecx, 28, "avx"},
    {CpuFeature::Leaf1Ecx, 29, "f16c"}, {CpuFeature::Leaf1Ecx, 30, "rdrand"}, {CpuFeature::Leaf1Ecx, 31, "hypervisor"},
    {CpuFeature::ExtendedEcx, 0, "lahf_lm"}, {CpuFeature::ExtendedEcx, 2, "svm"},
    {CpuFeature::ExtendedEcx, 4, "cr8_legacy"}, {CpuFeature::ExtendedEcx, 5, "abm"},
    {CpuFeature::ExtendedEcx, 6, "sse4a"}, {CpuFeature::ExtendedEcx, 7, "misalignsse"},
    {CpuFeature::ExtendedEcx, 8, "3dnowprefetch"}, {CpuFeature::ExtendedEcx, 16, "fma4"},
    {CpuFeature::Leaf7Ebx, 0, "fsgsbase"}, {CpuFeature::Leaf7Ebx, 3, "bmi1"}, {CpuFeature::Leaf7Ebx, 5, "avx2"},
    {CpuFeature::Leaf7Ebx, 7, "smep"}, {CpuFeature::Leaf7Ebx, 8, "bmi2"}, {CpuFeature::Leaf7Ebx, 9, "erms"},
    {CpuFeature::Leaf7Ebx, 10, "invpcid"}, {CpuFeature::Leaf7Ebx, 14, "mpx"}, {CpuFeature::Leaf7Ebx, 16, "avx512f"},
    {CpuFeature::Leaf7Ebx, 17, "avx512dq"}, {CpuFeature::Leaf7Ebx, 18, "rdseed"}, {CpuFeature::Leaf7Ebx, 19, "adx"},
    {CpuFeature::Leaf7Ebx, 20, "smap"}, {CpuFeature::Leaf7Ebx, 21, "avx512ifma"},
    {CpuFeature::Leaf7Ebx, 23, "clflushopt"}, {CpuFeature::Leaf7Ebx, 24, "clwb"},
    {CpuFeature::Leaf7Ebx, 28, "avx512cd"}, {CpuFeature::Leaf7Ebx, 29, "sha_ni"},
    {CpuFeature::Leaf7Ebx, 30, "avx512bw"}, {CpuFeature::Leaf7Ebx, 31, "avx512vl"},
    {CpuFeature::LeafDEax, 0, "xsaveopt"}, {CpuFeature::LeafDEax, 1, "xsavec"}, {CpuFeature::LeafDEax, 2, "xgetbv1"},
    {CpuFeature::LeafDEax, 3, "xsaves"},
    {CpuFeature::Leaf7Ecx, 1, "avx512vbmi"}, {CpuFeature::Leaf7Ecx, 2, "umip"}, {CpuFeature::Leaf7Ecx, 6, "avx512_vbmi2"},
    {CpuFeature::Leaf7Ecx, 8, "gfni"}, {CpuFeature::Leaf7Ecx, 9, "vaes"}, {CpuFeature::Leaf7Ecx, 10, "vpclmulqdq"},
    {CpuFeature::Leaf7Ecx, 11, "avx512_vnni"}, {CpuFeature::Leaf7Ecx, 12, "avx512_bitalg"},
    {CpuFeature::Leaf7Ecx, 14, "avx512_vpopcntdq"}, {CpuFeature::Leaf7Ecx, 16, "la57"},
    {CpuFeature::Leaf7Ecx, 22, "rdpid"}, {CpuFeature::Leaf7Edx, 4, "fsrm"}, {CpuFeature::Leaf7Edx, 14, "serialize"},
};

// On the CPU that runs this; all CPUs of a machine are the same. A feature that needs the kernel's help counts when the
// kernel has switched it on.
[[nodiscard]] inline bool cpu_has(CpuFeature const& feature) {
    auto const leaf = [&](u32 number, u32 subleaf = 0) {
        u32 const range = number & 0x8000'0000;
        return arch::cpuid(range).eax >= number ? arch::cpuid(number, subleaf) : arch::CpuidResult{};
    };
    auto const word = [&]() -> u32 {
        switch (feature.source) {
            case CpuFeature::Leaf1Edx: return leaf(1).edx;
            case CpuFeature::Leaf1Ecx: return leaf(1).ecx;
            case CpuFeature::ExtendedEdx: return leaf(0x8000'0001).edx;
            case CpuFeature::ExtendedEcx: return leaf(0x8000'0001).ecx;
            case CpuFeature::Leaf7Ebx: return leaf(7).ebx;
            case CpuFeature::Leaf7Ecx: return leaf(7).ecx;
            case CpuFeature::Leaf7Edx: return leaf(7).edx;
            case CpuFeature::LeafDEax: return leaf(0xd, 1).eax;
        }
        return 0;
    };
    if ((word() >> feature.bit & 1) == 0) return false;
    if (feature.name == "fsgsbase") return arch::programs_may_set_bases();
    if (feature.name == "la57") return arch::has_five_page_table_levels();
    bool const needs_saved_state = feature.name.starts_with("avx") || feature.name == "fma" || feature.name == "f16c";
    constexpr u32 kOsXsave = 1u << 27;
    return !needs_saved_state || (leaf(1).ecx & kOsXsave) != 0;
}

}  // namespace tutti::vfs
