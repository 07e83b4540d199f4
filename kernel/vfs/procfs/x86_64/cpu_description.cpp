// SPDX-License-Identifier: BSD-3-Clause
// CPUID as text (Intel SDM vol. 2, CPUID; AMD APM vol. 3, appendix E).
#include "vfs/procfs/cpu_description.hpp"

#include "arch/cpu.hpp"
#include "hal/clock.hpp"
#include "smp/ipi/call.hpp"
#include "smp/percpu/percpu.hpp"
#include "vfs/procfs/x86_64/cpu_feature_names.hpp"

namespace tutti::vfs {

namespace {

constexpr u32 kExtended = 0x8000'0000;

constinit smp::PerCpu<u32> apic_id PERCPU_SECTION;  // each CPU's own

ISR_SAFE u32 own_apic_id() {
    if (arch::cpuid(0).eax >= 0xb && arch::cpuid(0xb).ebx != 0) return arch::cpuid(0xb).edx;
    return arch::cpuid(1).ebx >> 24;
}

// Leaf 4 (Intel), or the same layout in AMD's leaf 0x8000001d.
u32 cache_leaf() {
    if (arch::cpuid(0).eax >= 4 && (arch::cpuid(4).eax & 0x1f) != 0) return 4;
    bool const has_amd_leaf = arch::cpuid(kExtended).eax >= 0x8000'001d &&
                              (arch::cpuid(0x8000'0001).ecx & (1u << 22)) != 0;  // TopologyExtensions
    return has_amd_leaf ? 0x8000'001d : 0;
}

struct Signature {
    u32 family, model, stepping;
};
Signature signature() {
    u32 const eax = arch::cpuid(1).eax;
    Signature result{(eax >> 8) & 0xf, (eax >> 4) & 0xf, eax & 0xf};
    if (result.family == 6 || result.family == 0xf) result.model |= (eax >> 12) & 0xf0;
    if (result.family == 0xf) result.family += (eax >> 20) & 0xff;
    return result;
}

// Registers as the bytes of a string.
void append_register(FixedString<64>& to, u32 value) {
    char bytes[64];
    size_t size = to.size();
    std::copy_n(to.view().data(), size, bytes);
    for (unsigned shift = 0; shift < 32; shift += 8)
        if (char const c = static_cast<char>(value >> shift); c != 0) bytes[size++] = c;
    to.assign({bytes, size});
}

FixedString<64> vendor() {
    FixedString<64> text;
    arch::CpuidResult const leaf = arch::cpuid(0);
    for (u32 const value : {leaf.ebx, leaf.edx, leaf.ecx}) append_register(text, value);
    return text;
}

FixedString<64> model_name() {
    FixedString<64> text;
    if (arch::cpuid(kExtended).eax < 0x8000'0004) return FixedString<64>{"unknown"};
    for (u32 number = 0x8000'0002; number <= 0x8000'0004; ++number) {
        arch::CpuidResult const leaf = arch::cpuid(number);
        for (u32 const value : {leaf.eax, leaf.ebx, leaf.ecx, leaf.edx}) append_register(text, value);
    }
    std::string_view trimmed = text.view();
    while (!trimmed.empty() && trimmed.front() == ' ') trimmed.remove_prefix(1);
    while (!trimmed.empty() && trimmed.back() == ' ') trimmed.remove_suffix(1);
    return FixedString<64>{trimmed};
}

Result<> append_flags(String& text) {
    for (CpuFeature const& feature : kCpuFeatures)
        if (cpu_has(feature)) TRY(text.append_format(" {}", feature.name));
    return {};
}

Result<> append_cpu(String& text, CpuId cpu, std::string_view flags) {
    Signature const id = signature();
    u32 const cpus = smp::cpu_count();
    u64 const kilohertz = hal::counter_frequency() / 1000;
    u64 largest_cache = 0;
    for (u32 i = 0; i < cache_count(); ++i) largest_cache = std::max(largest_cache, cache_description(i).size());
    TRY(text.append_format("processor\t: {}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\n"
                           "stepping\t: {}\n", cpu, vendor().view(), id.family, id.model, model_name().view(),
                           id.stepping));
    TRY(text.append_format("cpu MHz\t\t: {}.{:03}\n", kilohertz / 1000, kilohertz % 1000));
    if (largest_cache != 0) TRY(text.append_format("cache size\t: {} KB\n", largest_cache / 1024));
    TRY(text.append_format("physical id\t: 0\nsiblings\t: {}\ncore id\t\t: {}\ncpu cores\t: {}\napicid\t\t: {}\n"
                           "initial apicid\t: {}\n", cpus, cpu, cpus, apic_id.on(cpu), apic_id.on(cpu)));
    TRY(text.append_format("fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: {}\nwp\t\t: yes\nflags\t\t:",
                           arch::cpuid(0).eax));
    TRY(text.append(flags));
    u32 const line_size = (arch::cpuid(1).ebx >> 8 & 0xff) * 8;
    u32 const sizes = arch::cpuid(kExtended).eax >= 0x8000'0008 ? arch::cpuid(0x8000'0008).eax : 36 | 48 << 8;
    u64 const bogomips = kilohertz * 2;  // as for a delay loop of two cycles a turn
    return text.append_format("\nbugs\t\t:\nbogomips\t: {}.{:02}\nclflush size\t: {}\ncache_alignment\t: {}\n"
                              "address sizes\t: {} bits physical, {} bits virtual\npower management:\n\n",
                              bogomips / 1000, bogomips % 1000 / 10, line_size, line_size, sizes & 0xff,
                              sizes >> 8 & 0xff);
}

}  // namespace

Result<> generate_cpu_information(u64, String& text) {
    smp::call_on_all([](void*) ISR_SAFE_LAMBDA { apic_id.store(own_apic_id()); }, nullptr);
    String flags;
    TRY(append_flags(flags));
    Result<> outcome{};
    smp::for_each_online_cpu([&](CpuId cpu) {
        if (outcome) outcome = append_cpu(text, cpu, flags.view());
    });
    return outcome;
}

u32 cache_count() {
    u32 const leaf = cache_leaf();
    if (leaf == 0) return 0;
    u32 count = 0;
    while (count < 8 && (arch::cpuid(leaf, count).eax & 0x1f) != 0) ++count;
    return count;
}

CacheDescription cache_description(u32 index) {
    arch::CpuidResult const leaf = arch::cpuid(cache_leaf(), index);
    constexpr std::string_view kTypes[] = {"", "Data", "Instruction", "Unified"};
    CacheDescription cache;
    cache.level = leaf.eax >> 5 & 7;
    cache.type = kTypes[leaf.eax & 3];
    cache.sharing = (leaf.eax >> 14 & 0xfff) + 1;
    cache.line_size = (leaf.ebx & 0xfff) + 1;
    cache.partitions = (leaf.ebx >> 12 & 0x3ff) + 1;
    cache.ways = (leaf.ebx >> 22) + 1;
    cache.sets = leaf.ecx + 1;
    return cache;
}

}  // namespace tutti::vfs
