// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/system_control.hpp"

#include "drivers/rng/entropy.hpp"
#include "sched/policy.hpp"

namespace tutti::vfs {

namespace {

ProcessSource& source_of(u64 argument) { return *reinterpret_cast<ProcessSource*>(argument); }

template <auto Field>
Result<> generate_identity(u64 argument, String& text) {
    SystemIdentity const identity = source_of(argument).identity();
    return text.append_format("{}\n", (identity.*Field).view());
}
Result<> set_host_name(u64 argument, std::string_view name) { return source_of(argument).set_host_name(name); }
Result<> set_domain_name(u64 argument, std::string_view name) { return source_of(argument).set_domain_name(name); }
Result<> generate_most_threads(u64 argument, String& text) {
    return generate_number(static_cast<u64>(source_of(argument).most_threads()), text);
}
Result<> generate_most_descriptors(u64 argument, String& text) {
    return generate_number(source_of(argument).most_descriptors(), text);
}

// A version 4 UUID (RFC 4122).
struct Uuid {
    u8 bytes[16];
    [[nodiscard]] static Uuid make() {
        Uuid uuid;
        drivers::random_fill(uuid.bytes);
        uuid.bytes[6] = static_cast<u8>((uuid.bytes[6] & 0x0f) | 0x40);
        uuid.bytes[8] = static_cast<u8>((uuid.bytes[8] & 0x3f) | 0x80);
        return uuid;
    }
};
constinit Uuid boot_id{};  // written once, before the tree is mounted

Result<> append_uuid(String& text, Uuid const& uuid) {
    for (size_t i = 0; i < sizeof uuid.bytes; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) TRY(text.append('-'));
        TRY(text.append_format("{:02x}", uuid.bytes[i]));
    }
    return text.append('\n');
}
Result<> generate_uuid(u64, String& text) { return append_uuid(text, Uuid::make()); }
Result<> generate_boot_id(u64, String& text) { return append_uuid(text, boot_id); }

u64 line(char const* text) { return reinterpret_cast<u64>(text); }

}  // namespace

Result<> add_system_control(GeneratedDirectory& root, ProcessSource& source) {
    u64 const who = reinterpret_cast<u64>(&source);
    constexpr u64 kUnlimited = 0x7fff'ffff;
    constexpr u64 kMostSharedMemory = 18446744073692774399u;
    constexpr u64 kSocketBuffer = 212992;
    boot_id = Uuid::make();
    TextEntry const entries[] = {
        {"sys/kernel/ostype", generate_identity<&SystemIdentity::system>, who},
        {"sys/kernel/osrelease", generate_identity<&SystemIdentity::release>, who},
        {"sys/kernel/version", generate_identity<&SystemIdentity::version>, who},
        {"sys/kernel/hostname", generate_identity<&SystemIdentity::host>, who, 0644, set_host_name},
        {"sys/kernel/domainname", generate_identity<&SystemIdentity::domain>, who, 0644, set_domain_name},
        {"sys/kernel/pid_max", generate_most_threads, who},
        {"sys/kernel/threads-max", generate_most_threads, who},
        {"sys/kernel/ngroups_max", generate_number, 65536},
        {"sys/kernel/cap_last_cap", generate_number, 40},
        {"sys/kernel/overflowuid", generate_number, 65534},
        {"sys/kernel/overflowgid", generate_number, 65534},
        {"sys/kernel/random/uuid", generate_uuid},
        {"sys/kernel/random/boot_id", generate_boot_id},
        {"sys/kernel/random/entropy_avail", generate_number, 256},
        {"sys/kernel/random/poolsize", generate_number, 256},
        {"sys/kernel/random/write_wakeup_threshold", generate_number, 256},
        {"sys/kernel/random/urandom_min_reseed_secs", generate_number, 60},
        {"sys/kernel/sched_rt_period_us", generate_number, 1'000'000},
        {"sys/kernel/sched_rt_runtime_us", generate_line, line("-1")},  // real-time threads are not held back
        {"sys/kernel/sched_rr_timeslice_ms", generate_number,
         static_cast<u64>(sched::kRoundRobinSlice.count() / 1'000'000)},
        {"sys/kernel/sched_child_runs_first", generate_number, 0},
        {"sys/kernel/sched_autogroup_enabled", generate_number, 0},
        {"sys/kernel/shmmax", generate_number, kMostSharedMemory},
        {"sys/kernel/shmall", generate_number, kMostSharedMemory},
        {"sys/kernel/shmmni", generate_number, 4096},
        {"sys/kernel/msgmax", generate_number, 8192},
        {"sys/kernel/msgmnb", generate_number, 16384},
        {"sys/kernel/msgmni", generate_number, 32000},
        {"sys/kernel/sem", generate_line, line("32000\t1024000000\t500\t32000")},
        {"sys/kernel/printk", generate_line, line("4\t4\t1\t7")},
        {"sys/kernel/panic", generate_number, 0},
        {"sys/kernel/tainted", generate_number, 0},
        {"sys/kernel/sysrq", generate_number, 0},
        {"sys/kernel/randomize_va_space", generate_number, 0},
        {"sys/kernel/core_pattern", generate_line, line("core")},
        {"sys/kernel/core_uses_pid", generate_number, 0},
        {"sys/kernel/perf_event_paranoid", generate_number, 4},
        {"sys/kernel/kptr_restrict", generate_number, 2},
        {"sys/kernel/dmesg_restrict", generate_number, 1},
        {"sys/kernel/numa_balancing", generate_number, 0},
        {"sys/vm/overcommit_memory", generate_number, 0},
        {"sys/vm/overcommit_ratio", generate_number, 50},
        {"sys/vm/overcommit_kbytes", generate_number, 0},
        {"sys/vm/max_map_count", generate_number, kUnlimited},
        {"sys/vm/mmap_min_addr", generate_number, 65536},
        {"sys/vm/swappiness", generate_number, 0},
        {"sys/vm/nr_hugepages", generate_number, 0},
        {"sys/vm/legacy_va_layout", generate_number, 0},
        {"sys/vm/panic_on_oom", generate_number, 0},
        {"sys/fs/file-max", generate_number, 9223372036854775807},
        {"sys/fs/nr_open", generate_most_descriptors, who},
        {"sys/fs/pipe-max-size", generate_number, 1048576},
        {"sys/fs/epoll/max_user_watches", generate_number, kUnlimited},
        {"sys/fs/overflowuid", generate_number, 65534},
        {"sys/fs/overflowgid", generate_number, 65534},
        {"sys/net/core/somaxconn", generate_number, 4096},
        {"sys/net/core/rmem_default", generate_number, kSocketBuffer},
        {"sys/net/core/rmem_max", generate_number, kSocketBuffer},
        {"sys/net/core/wmem_default", generate_number, kSocketBuffer},
        {"sys/net/core/wmem_max", generate_number, kSocketBuffer},
    };
    for (TextEntry const& entry : entries) TRY(add_text(root, entry));
    return {};
}

}  // namespace tutti::vfs
