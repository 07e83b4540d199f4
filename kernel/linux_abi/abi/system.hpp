// SPDX-License-Identifier: BSD-3-Clause
// System, resource and identity structures of the Linux ABI (64-bit).
#pragma once

#include "base/types.hpp"
#include "linux_abi/abi/time.hpp"

namespace tutti::linux_abi {

struct Utsname {
    char system_name[65], node_name[65], release[65], version[65], machine[65], domain_name[65];
};

struct SysInfo {
    i64 uptime;
    u64 loads[3];
    u64 total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
    u16 processes, pad0;
    u32 pad1;
    u64 total_high, free_high;
    u32 memory_unit;
    u32 pad2;
};
static_assert(sizeof(SysInfo) == 112);

struct Rusage {
    Timeval user_time, system_time;
    i64 max_rss, shared_rss, unshared_data, unshared_stack, minor_faults, major_faults, swaps, blocks_in, blocks_out,
        messages_sent, messages_received, signals, voluntary_switches, involuntary_switches;
};
static_assert(sizeof(Rusage) == 144);
enum RusageWho : i32 { kRusageSelf = 0, kRusageChildren = -1, kRusageThread = 1 };

struct Rlimit { u64 current; u64 maximum; };
inline constexpr u64 kRlimInfinity = ~u64{0};
enum RlimitKind : u32 {
    kRlimitCpu, kRlimitFileSize, kRlimitData, kRlimitStack, kRlimitCore, kRlimitRss, kRlimitProcesses, kRlimitFiles,
    kRlimitMemlock, kRlimitAddressSpace, kRlimitLocks, kRlimitSigPending, kRlimitMsgQueue, kRlimitNice,
    kRlimitRtPriority, kRlimitRtTime, kRlimitCount,
};

struct CapHeader { u32 version; i32 pid; };
struct CapData { u32 effective, permitted, inheritable; };
inline constexpr u32 kCapVersion1 = 0x19980330, kCapVersion2 = 0x20071026, kCapVersion3 = 0x20080522;

}  // namespace tutti::linux_abi
