// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/sysfs/cpu_directory.hpp"

#include <algorithm>

#include "smp/percpu/percpu.hpp"
#include "vfs/procfs/cpu_description.hpp"
#include "vfs/procfs/cpu_list.hpp"

namespace tutti::vfs {

namespace {

// Every CPU is a core of one package: the order of the CPUs says nothing about how they are related.
Result<smp::CpuSet> online_cpus() {
    smp::CpuSet cpus = TRY(smp::CpuSet::create(smp::cpu_count()));
    smp::for_each_online_cpu([&](CpuId cpu) { cpus.add(cpu); });
    return cpus;
}

Result<> append_line(String& text, smp::CpuSet const& cpus, Result<> (*append)(String&, smp::CpuSet const&)) {
    TRY(append(text, cpus));
    return text.append('\n');
}

Result<> generate_possible_cpus(u64, String& text) {
    return append_line(text, TRY(smp::CpuSet::create_all(smp::cpu_count())), append_cpu_list);
}
Result<> generate_no_cpus(u64, String& text) { return text.append('\n'); }

// The argument is the CPU's number.
Result<> generate_this_cpu(u64 cpu, String& text) {
    smp::CpuSet cpus = TRY(smp::CpuSet::create(smp::cpu_count()));
    cpus.add(CpuId{static_cast<u32>(cpu)});
    return append_line(text, cpus, append_cpu_list);
}
Result<> generate_this_cpu_mask(u64 cpu, String& text) {
    smp::CpuSet cpus = TRY(smp::CpuSet::create(smp::cpu_count()));
    cpus.add(CpuId{static_cast<u32>(cpu)});
    return append_line(text, cpus, append_cpu_mask);
}

Result<> add_topology(GeneratedDirectory& directory, u64 cpu) {
    TextEntry const entries[] = {
        {"core_id", generate_number, cpu},
        {"physical_package_id", generate_number, 0},
        {"die_id", generate_number, 0},
        {"core_cpus", generate_this_cpu_mask, cpu},
        {"core_cpus_list", generate_this_cpu, cpu},
        {"thread_siblings", generate_this_cpu_mask, cpu},
        {"thread_siblings_list", generate_this_cpu, cpu},
        {"core_siblings", generate_online_cpu_mask},
        {"core_siblings_list", generate_online_cpus},
        {"die_cpus", generate_online_cpu_mask},
        {"die_cpus_list", generate_online_cpus},
        {"package_cpus", generate_online_cpu_mask},
        {"package_cpus_list", generate_online_cpus},
    };
    for (TextEntry const& entry : entries) TRY(add_text(directory, entry));
    return {};
}

// Caches: the argument is the CPU's number and, above it, the cache's index.
constexpr unsigned kIndexShift = 32;
u32 cpu_of(u64 argument) { return static_cast<u32>(argument); }
CacheDescription cache_of(u64 argument) { return cache_description(static_cast<u32>(argument >> kIndexShift)); }

template <auto Field>
Result<> generate_cache_number(u64 argument, String& text) {
    return generate_number(cache_of(argument).*Field, text);
}
Result<> generate_cache_type(u64 argument, String& text) {
    return text.append_format("{}\n", cache_of(argument).type);
}
Result<> generate_cache_size(u64 argument, String& text) {
    return text.append_format("{}K\n", cache_of(argument).size() / 1024);
}
// CPUID tells how many CPUs may share a cache; a share of one, two or more in the order of the numbers.
Result<smp::CpuSet> cache_sharers(u64 argument) {
    u32 const share = std::max(cache_of(argument).sharing, 1u);
    u32 const first = cpu_of(argument) / share * share;
    smp::CpuSet cpus = TRY(smp::CpuSet::create(smp::cpu_count()));
    for (u32 cpu = first; cpu < std::min(first + share, smp::cpu_count()); ++cpu) cpus.add(CpuId{cpu});
    return cpus;
}
Result<> generate_sharers(u64 argument, String& text) {
    return append_line(text, TRY(cache_sharers(argument)), append_cpu_list);
}
Result<> generate_sharers_mask(u64 argument, String& text) {
    return append_line(text, TRY(cache_sharers(argument)), append_cpu_mask);
}

Result<> add_cache(GeneratedDirectory& directory, u64 argument) {
    TextEntry const entries[] = {
        {"level", generate_cache_number<&CacheDescription::level>, argument},
        {"type", generate_cache_type, argument},
        {"size", generate_cache_size, argument},
        {"coherency_line_size", generate_cache_number<&CacheDescription::line_size>, argument},
        {"ways_of_associativity", generate_cache_number<&CacheDescription::ways>, argument},
        {"number_of_sets", generate_cache_number<&CacheDescription::sets>, argument},
        {"physical_line_partition", generate_cache_number<&CacheDescription::partitions>, argument},
        {"shared_cpu_list", generate_sharers, argument},
        {"shared_cpu_map", generate_sharers_mask, argument},
    };
    for (TextEntry const& entry : entries) TRY(add_text(directory, entry));
    return {};
}

Result<> add_caches(GeneratedDirectory& directory, u64 cpu) {
    for (u32 index = 0; index < cache_count(); ++index) {
        char name[16];
        TRY(add_lazy_directory(directory, format_to(name, "index{}", index), add_cache,
                               cpu | u64{index} << kIndexShift));
    }
    return {};
}

Result<> add_cpu(GeneratedDirectory& directory, u64 cpu) {
    // The first CPU cannot go offline, so it has no switch, as on Linux.
    if (cpu != 0) TRY(add_text(directory, {"online", generate_number, 1}));
    TRY(add_lazy_directory(directory, "topology", add_topology, cpu));
    TRY(add_lazy_directory(directory, "cache", add_caches, cpu));
    return add_link(directory, "node0", "../../node/node0");
}

Result<> add_cpus(GeneratedDirectory& directory, u64) {
    constexpr u64 kMostCpus = 8192;
    TextEntry const entries[] = {
        {"online", generate_online_cpus},
        {"possible", generate_possible_cpus},
        {"present", generate_possible_cpus},
        {"offline", generate_no_cpus},
        {"isolated", generate_no_cpus},
        {"kernel_max", generate_number, kMostCpus - 1},
        {"smt/active", generate_number, 0},
        {"smt/control", generate_line, reinterpret_cast<u64>("notsupported")},
    };
    for (TextEntry const& entry : entries) TRY(add_text(directory, entry));
    for (u32 cpu = 0; cpu < smp::cpu_count(); ++cpu) {
        char name[16];
        TRY(add_lazy_directory(directory, format_to(name, "cpu{}", cpu), add_cpu, cpu));
    }
    return {};
}

}  // namespace

Result<> add_cpu_directories(GeneratedDirectory& root) {
    return add_lazy_directory(root, "devices/system/cpu", add_cpus, 0);
}

Result<> generate_online_cpus(u64, String& text) { return append_line(text, TRY(online_cpus()), append_cpu_list); }
Result<> generate_online_cpu_mask(u64, String& text) { return append_line(text, TRY(online_cpus()), append_cpu_mask); }

}  // namespace tutti::vfs
