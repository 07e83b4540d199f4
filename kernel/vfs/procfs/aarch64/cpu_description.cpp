// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/cpu_description.hpp"

#include "hal/clock.hpp"
#include "smp/ipi/call.hpp"
#include "smp/percpu/percpu.hpp"
#include "vfs/procfs/aarch64/cpu_features.hpp"

namespace tutti::vfs {

namespace {

constinit smp::PerCpu<u64> midr PERCPU_SECTION;  // each CPU's own

Result<> append_cpu(String& text, CpuId cpu, std::string_view features) {
    u64 const id = midr.on(cpu);
    u64 const kilohertz = hal::counter_frequency() / 1000;
    u64 const bogomips = kilohertz * 2;  // as for a delay loop of two ticks a turn
    TRY(text.append_format("processor\t: {}\nBogoMIPS\t: {}.{:02}\nFeatures\t:", cpu, bogomips / 1000, bogomips % 1000 / 10));
    TRY(text.append(features));
    return text.append_format("\nCPU implementer\t: {:#x}\nCPU architecture: 8\nCPU variant\t: {:#x}\nCPU part\t: {:#05x}\n"
                              "CPU revision\t: {}\n\n", id >> 24 & 0xff, id >> 20 & 0xf, id >> 4 & 0xfff, id & 0xf);
}

}  // namespace

Result<> generate_cpu_information(u64, String& text) {
    smp::call_on_all([](void*) ISR_SAFE_LAMBDA { midr.store(arch::read_midr()); }, nullptr);
    String features;
    for (CpuFeature const& feature : kCpuFeatures)
        if (cpu_has(feature)) TRY(features.append_format(" {}", feature.name));
    Result<> outcome{};
    smp::for_each_online_cpu([&](CpuId cpu) {
        if (outcome) outcome = append_cpu(text, cpu, features.view());
    });
    return outcome;
}

// The CPU's own registers say how caches are to be maintained, not how large they are (Arm ARM, CCSIDR_EL1).
u32 cache_count() { return 0; }
CacheDescription cache_description(u32) { return {}; }

}  // namespace tutti::vfs
