// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/system_text.hpp"

#include "hal/boot_info.hpp"
#include "hal/clock.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "mem/heap/heap.hpp"
#include "sched/scheduler.hpp"
#include "smp/percpu/percpu.hpp"
#include "vfs/procfs/cpu_description.hpp"
#include "vfs/procfs/load_average.hpp"
#include "vfs/procfs/process_text.hpp"
#include "vfs/ramfs/page_store.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::vfs {

namespace {

// The argument of each generator is the address of the process source.
ProcessSource& source_of(u64 argument) { return *reinterpret_cast<ProcessSource*>(argument); }

Result<> append_kilobytes(String& text, std::string_view name, u64 bytes) {
    return text.append_format("{:16}{:8} kB\n", name, bytes / 1024);
}

Result<> generate_memory_information(u64, String& text) {
    mem::FrameStatistics const frames = mem::frame_statistics();
    u64 const total = frames.total * kPageSize;
    u64 const free = frames.free * kPageSize;
    u64 const files = PageStore::total_pages() * kPageSize;
    struct Line {
        std::string_view name;
        u64 bytes;
    };
    // Nothing here can be given back under pressure (files live in memory), so what is free is what is available.
    Line const lines[] = {
        {"MemTotal:", total},  {"MemFree:", free},   {"MemAvailable:", free},
        {"Buffers:", 0},       {"Cached:", files},       {"SwapCached:", 0},
        {"SwapTotal:", 0},     {"SwapFree:", 0},     {"Dirty:", 0},
        {"Writeback:", 0},     {"Shmem:", files},        {"Slab:", mem::heap_statistics().bytes_reserved},
        {"SReclaimable:", 0},  {"SUnreclaim:", mem::heap_statistics().bytes_reserved},
        {"CommitLimit:", total},
    };
    for (Line const& line : lines) TRY(append_kilobytes(text, line.name, line.bytes));
    TRY(text.append("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
                    "HugePages_Surp:        0\n"));
    return append_kilobytes(text, "Hugepagesize:", u64{2} << 20);
}

Result<> append_cpu_times(String& text, Nanoseconds busy, Nanoseconds idle) {
    return text.append_format(" {} 0 0 {} 0 0 0 0 0 0\n", to_clock_ticks(busy), to_clock_ticks(idle));
}

Result<> generate_statistics(u64 argument, String& text) {
    Nanoseconds busy, idle;
    u64 switches = 0;
    String cpus;
    Result<> outcome{};
    smp::for_each_online_cpu([&](CpuId cpu) {
        sched::CpuTimes const times = sched::cpu_times(cpu);
        busy += times.busy;
        idle += times.idle;
        switches += sched::cpu_counters(cpu).switches;
        if (outcome) outcome = cpus.append_format("cpu{}", cpu);
        if (outcome) outcome = append_cpu_times(cpus, times.busy, times.idle);
    });
    TRY(std::move(outcome));
    TRY(text.append("cpu "));
    TRY(append_cpu_times(text, busy, idle));
    TRY(text.append(cpus.view()));
    return text.append_format(
        "intr 0\nctxt {}\nbtime {}\nprocesses {}\nprocs_running {}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
        switches, (wall_clock_now() - hal::now()).count() / 1'000'000'000, source_of(argument).last_thread(),
        runnable_threads());
}

Result<> append_centiseconds(String& text, Nanoseconds time) {
    u64 const hundredths = static_cast<u64>(time.count()) / 10'000'000;
    return text.append_format("{}.{:02}", hundredths / 100, hundredths % 100);
}

Result<> generate_uptime(u64, String& text) {
    Nanoseconds idle;
    smp::for_each_online_cpu([&](CpuId cpu) { idle += sched::cpu_times(cpu).idle; });
    TRY(append_centiseconds(text, hal::now()));
    TRY(text.append(' '));
    TRY(append_centiseconds(text, idle));
    return text.append('\n');
}

Result<> generate_load_average(u64 argument, String& text) {
    ProcessSource& source = source_of(argument);
    for (u64 const average : load_averages()) {
        u64 const rounded = average + (u64{1} << kLoadShift) / 200;
        u64 const fraction = rounded & ((u64{1} << kLoadShift) - 1);
        TRY(text.append_format("{}.{:02} ", rounded >> kLoadShift, fraction * 100 >> kLoadShift));
    }
    u64 threads = 0;
    for (i32 process = source.next_process(0); process >= 0; process = source.next_process(process + 1))
        if (Result<ThreadState> const state = source.thread(process, process)) threads += state->thread_count;
    return text.append_format("{}/{} {}\n", runnable_threads(), threads, source.last_thread());
}

Result<> generate_version(u64 argument, String& text) {
    SystemIdentity const identity = source_of(argument).identity();
    return text.append_format("{} version {} (tutti@tutti) (clang) {}\n", identity.system.view(),
                              identity.release.view(), identity.version.view());
}

Result<> generate_file_systems(u64, String& text) {
    for (std::string_view const name : {"sysfs", "rootfs", "ramfs", "devtmpfs", "proc", "pipefs", "sockfs"})
        TRY(text.append_format("nodev\t{}\n", name));
    return {};
}

Result<> generate_swaps(u64, String& text) { return text.append("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"); }

Result<> generate_command_line(u64, String& text) {
    TRY(text.append(hal::boot_info().command_line));
    return text.append('\n');
}

Result<> generate_virtual_memory_statistics(u64, String& text) {
    mem::FrameStatistics const frames = mem::frame_statistics();
    return text.append_format("nr_free_pages {}\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\noom_kill 0\n", frames.free);
}

Result<> generate_devices(u64, String& text) {
    return text.append("Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n136 pts\n\nBlock devices:\n");
}

Result<> generate_partitions(u64, String& text) { return text.append("major minor  #blocks  name\n\n"); }
Result<> generate_nothing(u64, String&) { return {}; }

}  // namespace

Result<> add_system_texts(GeneratedDirectory& root, ProcessSource& source) {
    u64 const argument = reinterpret_cast<u64>(&source);
    TextEntry const entries[] = {
        {"cpuinfo", generate_cpu_information},
        {"meminfo", generate_memory_information},
        {"stat", generate_statistics, argument},
        {"uptime", generate_uptime},
        {"loadavg", generate_load_average, argument},
        {"version", generate_version, argument},
        {"filesystems", generate_file_systems},
        {"swaps", generate_swaps},
        {"cmdline", generate_command_line},
        {"vmstat", generate_virtual_memory_statistics},
        {"devices", generate_devices},
        {"partitions", generate_partitions},
        {"diskstats", generate_nothing},
        {"modules", generate_nothing},
        {"locks", generate_nothing},
    };
    for (TextEntry const& entry : entries) TRY(add_text(root, entry));
    return {};
}

}  // namespace tutti::vfs
