// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/process_text.hpp"

#include "mem/frame/frame_allocator.hpp"
#include "smp/percpu/percpu.hpp"
#include "vfs/procfs/cpu_list.hpp"

namespace tutti::vfs {

namespace {

using Activity = sched::Thread::Activity;

char state_letter(ThreadState const& state) {
    if (state.thread->has_ended()) return 'X';
    if (state.is_stopped) return 'T';
    Activity const activity = state.thread->activity();
    return activity == Activity::Running || activity == Activity::New ? 'R' : 'S';
}

std::string_view state_text(char letter) {
    switch (letter) {
        case 'R': return "R (running)";
        case 'T': return "T (stopped)";
        case 'X': return "X (dead)";
        default: return "S (sleeping)";
    }
}

// SCHED_*.
unsigned policy_number(sched::Policy policy) {
    switch (policy.kind) {
        case sched::PolicyKind::Fifo: return 1;
        case sched::PolicyKind::RoundRobin: return 2;
        case sched::PolicyKind::Idle: return 5;
        case sched::PolicyKind::Fair: break;
    }
    return 0;
}

struct LimitText {
    std::string_view name;
    std::string_view unit;
};
constexpr LimitText kLimits[kResourceLimits] = {
    {"Max cpu time", "seconds"},       {"Max file size", "bytes"},      {"Max data size", "bytes"},
    {"Max stack size", "bytes"},       {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
    {"Max processes", "processes"},    {"Max open files", "files"},     {"Max locked memory", "bytes"},
    {"Max address space", "bytes"},    {"Max file locks", "locks"},     {"Max pending signals", "signals"},
    {"Max msgqueue size", "bytes"},    {"Max nice priority", ""},       {"Max realtime priority", ""},
    {"Max realtime timeout", "us"},
};
constexpr size_t kResidentLimit = 5, kPendingLimit = 11;

std::string_view limit_value(std::span<char> buffer, u64 value) {
    return value == ~u64{0} ? std::string_view{"unlimited"} : format_to(buffer, "{}", value);
}

}  // namespace

Result<> generate_stat(ProcessEntry const& entry, String& text) {
    ThreadState const thread = TRY(entry.source.thread(entry.process, entry.thread));
    ProcessState const process = TRY(entry.source.process(entry.process));
    vm::SpaceStatistics const memory = process.space->statistics();
    sched::Policy const policy = thread.thread->policy();
    u64 const time = to_clock_ticks(entry.is_task ? thread.thread->cpu_time() : process.cpu_time);
    i64 const priority = policy.is_realtime() ? -1 - i64{policy.priority} : 20 + i64{policy.nice};
    SignalSets const& signals = thread.signals;
    constexpr u64 kClassic = 0x7fffffff;  // these fields know no real-time signals
    TRY(text.append_format("{} ({}) {} {} {} {} 0 -1 4194304 {} 0 {} 0 ", entry.thread, thread.thread->name(),
                           state_letter(thread), thread.parent, entry.process, entry.process, memory.minor_faults,
                           memory.major_faults));
    // Times are not divided into user and system: all is user time, also in getrusage.
    TRY(text.append_format("{} 0 0 0 {} {} {} 0 {} {} {} ", time, priority, policy.nice, thread.thread_count,
                           to_clock_ticks(process.started), memory.virtual_bytes, memory.resident_pages));
    TRY(text.append_format("{} {} {} {} 0 0 ", process.limits[kResidentLimit].current, process.code_start.value(),
                           process.code_end.value(), process.stack_start.value()));
    TRY(text.append_format("{} {} {} {} 0 0 0 17 {} {} {} 0 0 0 ", signals.thread_pending & kClassic,
                           signals.blocked & kClassic, signals.ignored & kClassic, signals.caught & kClassic,
                           thread.thread->cpu(), policy.priority, policy_number(policy)));
    return text.append_format("{} {} {} {} {} {} {} 0\n", process.data_start.value(), process.data_end.value(),
                              process.break_start.value(), process.arguments_start.value(),
                              process.arguments_end.value(), process.environment_start.value(),
                              process.environment_end.value());
}

Result<> generate_status(ProcessEntry const& entry, String& text) {
    ThreadState const thread = TRY(entry.source.thread(entry.process, entry.thread));
    ProcessState const process = TRY(entry.source.process(entry.process));
    MemoryUse const memory = TRY(memory_use(*process.space));
    char octal[8];
    for (unsigned digit = 0; digit < 4; ++digit)
        octal[digit] = static_cast<char>('0' + (process.file_mode_mask >> (9 - 3 * digit) & 7));
    TRY(text.append_format("Name:\t{}\nUmask:\t{}\nState:\t{}\n", thread.thread->name(), std::string_view{octal, 4},
                           state_text(state_letter(thread))));
    TRY(text.append_format("Tgid:\t{}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t0\n", entry.process, entry.thread,
                           thread.parent));
    TRY(text.append_format("Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t{}\nGroups:\t0 \n", process.descriptor_slots));
    TRY(text.append_format("NStgid:\t{}\nNSpid:\t{}\nNSpgid:\t{}\nNSsid:\t{}\n", entry.process, entry.thread,
                           entry.process, entry.process));
    struct Line {
        std::string_view name;
        u64 pages;
    };
    Line const lines[] = {
        {"VmPeak", memory.virtual_pages}, {"VmSize", memory.virtual_pages},
        {"VmLck", 0},                     {"VmPin", 0},
        {"VmHWM", memory.resident()},     {"VmRSS", memory.resident()},
        {"RssAnon", memory.resident_anonymous}, {"RssFile", memory.resident_file},
        {"RssShmem", memory.resident_shared},   {"VmData", memory.data_pages},
        {"VmStk", memory.stack_pages},          {"VmExe", memory.executable_pages},
        {"VmLib", 0},                     {"VmSwap", 0},
        {"HugetlbPages", 0},
    };
    for (Line const& line : lines)
        TRY(text.append_format("{}:\t{:8} kB\n", line.name, line.pages * (kPageSize / 1024)));
    SignalSets const& signals = thread.signals;
    TRY(text.append_format("CoreDumping:\t0\nTHP_enabled:\t0\nThreads:\t{}\nSigQ:\t0/{}\n", thread.thread_count,
                           process.limits[kPendingLimit].current));
    TRY(text.append_format("SigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n",
                           signals.thread_pending, signals.process_pending, signals.blocked, signals.ignored,
                           signals.caught));
    constexpr u64 kAllCapabilities = (u64{1} << 41) - 1;
    TRY(text.append_format("CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\n",
                           0, kAllCapabilities, kAllCapabilities, kAllCapabilities, 0));
    TRY(text.append_format("NoNewPrivs:\t{}\nSeccomp:\t0\nSeccomp_filters:\t0\n", thread.no_new_privileges ? 1 : 0));
    TRY(text.append("Cpus_allowed:\t"));
    TRY(append_cpu_mask(text, thread.thread->affinity()));
    TRY(text.append("\nCpus_allowed_list:\t"));
    TRY(append_cpu_list(text, thread.thread->affinity()));
    return text.append_format(
        "\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n",
        thread.thread->voluntary_switches(), thread.thread->involuntary_switches());
}

Result<> generate_limits(ProcessEntry const& entry, String& text) {
    ProcessState const process = TRY(entry.source.process(entry.process));
    TRY(text.append_format("{:25} {:20} {:20} {:10}\n", "Limit", "Soft Limit", "Hard Limit", "Units"));
    for (size_t i = 0; i < kResourceLimits; ++i) {
        char soft[24], hard[24];
        TRY(text.append_format("{:25} {:20} {:20} ", kLimits[i].name, limit_value(soft, process.limits[i].current),
                               limit_value(hard, process.limits[i].maximum)));
        if (kLimits[i].unit.empty())
            TRY(text.append('\n'));
        else
            TRY(text.append_format("{:10}\n", kLimits[i].unit));
    }
    return {};
}

Result<> generate_comm(ProcessEntry const& entry, String& text) {
    ThreadState const thread = TRY(entry.source.thread(entry.process, entry.thread));
    return text.append_format("{}\n", thread.thread->name());
}

Result<> generate_command_line(ProcessEntry const& entry, String& text) {
    ProcessState const process = TRY(entry.source.process(entry.process));
    return entry.source.read_memory(entry.process, process.arguments_start, process.arguments_end, text);
}

Result<> generate_environment(ProcessEntry const& entry, String& text) {
    ProcessState const process = TRY(entry.source.process(entry.process));
    return entry.source.read_memory(entry.process, process.environment_start, process.environment_end, text);
}

Result<> generate_auxiliary_vector(ProcessEntry const& entry, String& text) {
    ProcessState const process = TRY(entry.source.process(entry.process));
    return entry.source.read_memory(entry.process, process.auxiliary_start,
                                    process.auxiliary_start + process.auxiliary_size, text);
}

}  // namespace tutti::vfs
