// SPDX-License-Identifier: BSD-3-Clause
// The features of the CPU that programs are told of: their names in /proc/cpuinfo, in its order, and their bits in the
// auxiliary vector (linux/Documentation/arm64/elf_hwcaps.rst). What the kernel does not offer is not in the list: SVE,
// SME, pointer authentication, branch targets, memory tags, emulated ID registers, the event stream.
#pragma once

#include <string_view>

#include "arch/id_registers.hpp"

namespace tutti::vfs {

struct CpuFeature {
    std::string_view name;
    u8 bit;  // of AT_HWCAP, or 64 more of AT_HWCAP2
    arch::IdRegister source;
    u8 shift;  // of a field of 4 bits
    i8 least;
    bool is_signed = false;
};

inline constexpr CpuFeature kCpuFeatures[] = {
    {"fp", 0, arch::IdRegister::Processor0, 16, 0, true},
    {"asimd", 1, arch::IdRegister::Processor0, 20, 0, true},
    {"aes", 3, arch::IdRegister::Instructions0, 4, 1},
    {"pmull", 4, arch::IdRegister::Instructions0, 4, 2},
    {"sha1", 5, arch::IdRegister::Instructions0, 8, 1},
    {"sha2", 6, arch::IdRegister::Instructions0, 12, 1},
    {"crc32", 7, arch::IdRegister::Instructions0, 16, 1},
    {"atomics", 8, arch::IdRegister::Instructions0, 20, 2},
    {"fphp", 9, arch::IdRegister::Processor0, 16, 1, true},
    {"asimdhp", 10, arch::IdRegister::Processor0, 20, 1, true},
    {"asimdrdm", 12, arch::IdRegister::Instructions0, 28, 1},
    {"jscvt", 13, arch::IdRegister::Instructions1, 12, 1},
    {"fcma", 14, arch::IdRegister::Instructions1, 16, 1},
    {"lrcpc", 15, arch::IdRegister::Instructions1, 20, 1},
    {"dcpop", 16, arch::IdRegister::Instructions1, 0, 1},
    {"sha3", 17, arch::IdRegister::Instructions0, 32, 1},
    {"sm3", 18, arch::IdRegister::Instructions0, 36, 1},
    {"sm4", 19, arch::IdRegister::Instructions0, 40, 1},
    {"asimddp", 20, arch::IdRegister::Instructions0, 44, 1},
    {"sha512", 21, arch::IdRegister::Instructions0, 12, 2},
    {"asimdfhm", 23, arch::IdRegister::Instructions0, 48, 1},
    {"dit", 24, arch::IdRegister::Processor0, 48, 1},
    {"uscat", 25, arch::IdRegister::Memory2, 32, 1},
    {"ilrcpc", 26, arch::IdRegister::Instructions1, 20, 2},
    {"flagm", 27, arch::IdRegister::Instructions0, 52, 1},
    {"ssbs", 28, arch::IdRegister::Processor1, 4, 2},
    {"sb", 29, arch::IdRegister::Instructions1, 36, 1},
    {"dcpodp", 64 + 0, arch::IdRegister::Instructions1, 0, 2},
    {"flagm2", 64 + 7, arch::IdRegister::Instructions0, 52, 2},
    {"frint", 64 + 8, arch::IdRegister::Instructions1, 32, 1},
    {"i8mm", 64 + 13, arch::IdRegister::Instructions1, 52, 1},
    {"bf16", 64 + 14, arch::IdRegister::Instructions1, 44, 1},
    {"dgh", 64 + 15, arch::IdRegister::Instructions1, 48, 1},
    {"rng", 64 + 16, arch::IdRegister::Instructions0, 60, 1},
};

[[nodiscard]] inline bool cpu_has(CpuFeature const& feature) {
    auto const field = static_cast<i32>(arch::read_id_register(feature.source) >> feature.shift & 0xf);
    return (feature.is_signed && field >= 8 ? field - 16 : field) >= feature.least;
}

// AT_HWCAP (word 0) and AT_HWCAP2 (word 1).
[[nodiscard]] inline u64 hardware_capabilities(unsigned word) {
    u64 bits = 0;
    for (CpuFeature const& feature : kCpuFeatures)
        if (feature.bit / 64 == word && cpu_has(feature)) bits |= u64{1} << feature.bit % 64;
    return bits;
}

}  // namespace tutti::vfs
