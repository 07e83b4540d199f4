// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/sysfs/sysfs.hpp"

#include <new>

#include "mem/frame/frame_allocator.hpp"
#include "smp/percpu/percpu.hpp"
#include "vfs/generated/generated_node.hpp"
#include "vfs/sysfs/cpu_directory.hpp"

namespace tutti::vfs {

namespace {

constexpr u64 kMagic = 0x62656572;

u64 line(char const* text) { return reinterpret_cast<u64>(text); }

Result<> generate_node_memory(u64, String& text) {
    mem::FrameStatistics const frames = mem::frame_statistics();
    u64 const total = frames.total * (kPageSize / 1024);
    u64 const free = frames.free * (kPageSize / 1024);
    return text.append_format("Node 0 MemTotal:       {:8} kB\nNode 0 MemFree:        {:8} kB\n"
                              "Node 0 MemUsed:        {:8} kB\n", total, free, total - free);
}

// One memory node, with every CPU: placement does not matter here.
Result<> add_memory_nodes(GeneratedDirectory& root) {
    TextEntry const entries[] = {
        {"devices/system/node/online", generate_line, line("0")},
        {"devices/system/node/possible", generate_line, line("0")},
        {"devices/system/node/has_cpu", generate_line, line("0")},
        {"devices/system/node/has_memory", generate_line, line("0")},
        {"devices/system/node/has_normal_memory", generate_line, line("0")},
        {"devices/system/node/node0/cpulist", generate_online_cpus},
        {"devices/system/node/node0/cpumap", generate_online_cpu_mask},
        {"devices/system/node/node0/distance", generate_line, line("10")},
        {"devices/system/node/node0/meminfo", generate_node_memory},
    };
    for (TextEntry const& entry : entries) TRY(add_text(root, entry));
    return {};
}

Result<> add_kernel_settings(GeneratedDirectory& root) {
    TextEntry const entries[] = {
        {"kernel/mm/transparent_hugepage/enabled", generate_line, line("always madvise [never]")},
        {"kernel/mm/transparent_hugepage/defrag", generate_line, line("always defer defer+madvise madvise [never]")},
        {"kernel/mm/transparent_hugepage/shmem_enabled", generate_line,
         line("always within_size advise [never] deny force")},
        {"kernel/mm/transparent_hugepage/use_zero_page", generate_number, 0},
        {"kernel/mm/transparent_hugepage/hpage_pmd_size", generate_number, u64{2} << 20},
        {"devices/system/clocksource/clocksource0/available_clocksource", generate_line, line("tsc ")},
        {"devices/system/clocksource/clocksource0/current_clocksource", generate_line, line("tsc")},
    };
    for (TextEntry const& entry : entries) TRY(add_text(root, entry));
    for (std::string_view const path : {"block", "bus", "class", "dev", "fs", "module"}) TRY(add_directory(root, path));
    return {};
}

}  // namespace

Result<> mount_sysfs(Namespace& names) {
    auto* const filesystem = new (std::nothrow) GeneratedFilesystem{kMagic};
    if (filesystem == nullptr) return fail(Error::NoMemory);
    Ref<GeneratedDirectory> const root = TRY(make_ref<GeneratedDirectory>(*filesystem, Ref<Inode>{}, "sys"));
    TRY(add_cpu_directories(*root));
    TRY(add_memory_nodes(*root));
    TRY(add_kernel_settings(*root));
    return mount_at(names, "/sys", *root);
}

}  // namespace tutti::vfs
