// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/system.hpp"

#include <algorithm>

#include "drivers/rng/entropy.hpp"
#include "hal/clock.hpp"
#include "linux_abi/process/host_identity.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "smp/ipi/call.hpp"
#include "vfs/procfs/load_average.hpp"

namespace tutti::linux_abi {

namespace {

constexpr size_t kHostNameLimit = 64;

Result<size_t> read_name(UserPtr<char> from, u64 size, char (&to)[kHostNameLimit]) {
    if (size > kHostNameLimit) return fail(Error::InvalidArgument);
    TRY(vm::copy_from_user(to, from.address(), size));
    return static_cast<size_t>(size);
}

// Limits that the address space enforces are told to it.
Result<> set_limit(Task& task, RlimitKind kind, Rlimit limit) {
    TRY(task.process().limits().set(kind, limit));
    if (kind == kRlimitStack) task.process().address_space().set_stack_limit(limit.current);
    return {};
}

}  // namespace

SyscallResult sys_uname(Task&, UserPtr<Utsname> name) { return write_user(name, host_identity()); }

SyscallResult sys_sysinfo(Task& task, UserPtr<SysInfo> info) {
    auto const memory = mem::frame_statistics();
    SysInfo result{};
    result.uptime = to_timespec(hal::now()).sec;
    result.total_ram = memory.total * kPageSize;
    result.free_ram = memory.free * kPageSize;
    result.processes = static_cast<u16>(task.process().threads().count());
    result.memory_unit = 1;
    static_assert(vfs::kLoadShift == 16, "SI_LOAD_SHIFT");
    std::ranges::copy(vfs::load_averages(), result.loads);
    return write_user(info, result);
}

SyscallResult sys_getrandom(Task& task, UserPtr<u8> buffer, u64 size, u32 flags) {
    constexpr u32 kNonBlock = 1, kRandom = 2, kInsecure = 4;
    constexpr u64 kInterruptible = 256;  // up to here a signal does not shorten the result (getrandom(2))
    if ((flags & ~(kNonBlock | kRandom | kInsecure)) != 0 || (flags & (kRandom | kInsecure)) == (kRandom | kInsecure))
        return kEINVAL;
    if (size > 0x7fff'ffff) size = 0x7fff'ffff;
    u64 done = 0;
    u8 chunk[256];
    while (done < size) {
        u64 const count = std::min<u64>(size - done, sizeof chunk);
        drivers::random_fill(std::span{chunk, count});
        if (!vm::copy_to_user((buffer + done).address(), chunk, count)) {
            if (done == 0) return kEFAULT;
            break;
        }
        done += count;
        if (done >= kInterruptible && task.thread().is_interrupted()) break;
    }
    __builtin_memset(chunk, 0, sizeof chunk);
    return done;
}

SyscallResult sys_prctl(Task& task, i32 option, u64 arg2, u64 arg3, u64 arg4, u64 arg5) {
    constexpr i32 kSetPdeathsig = 1, kGetPdeathsig = 2, kGetDumpable = 3, kSetDumpable = 4, kGetKeepCaps = 7,
                  kSetKeepCaps = 8, kGetTiming = 13, kSetName = 15, kGetName = 16, kGetSeccomp = 21,
                  kCapBsetRead = 23, kCapBsetDrop = 24, kGetTimerSlack = 30, kSetTimerSlack = 29, kSetMm = 35,
                  kSetChildSubreaper = 36, kGetChildSubreaper = 37, kSetNoNewPrivs = 38, kGetNoNewPrivs = 39,
                  kGetTidAddress = 40, kSetThpDisable = 41, kGetThpDisable = 42, kCapAmbient = 47,
                  kSetVma = 0x53564d41;
    constexpr size_t kNameSize = 16;
    constexpr u64 kLastCapability = 40;
    switch (option) {
        case kSetName: {
            char name[kNameSize] = {};
            for (size_t i = 0; i + 1 < kNameSize; ++i) {
                name[i] = TRY(read_user(UserPtr<char>{arg2 + i}));
                if (name[i] == 0) break;
            }
            task.thread().set_name(name);
            return 0;
        }
        case kGetName: {
            char name[kNameSize] = {};
            std::string_view const current = task.name();
            __builtin_memcpy(name, current.data(), std::min(current.size(), kNameSize - 1));
            return vm::copy_to_user(VirtAddr{arg2}, name, sizeof name);
        }
        case kSetPdeathsig:
            if (arg2 > kSignalCount) return kEINVAL;
            task.parent_death_signal = arg2;  // the parent is not in this machine: it never comes
            return 0;
        case kGetPdeathsig: return write_user(UserPtr<i32>{arg2}, static_cast<i32>(task.parent_death_signal));
        case kGetDumpable: return task.process().is_dumpable() ? 1 : 0;
        case kSetDumpable:
            if (arg2 > 1) return kEINVAL;
            task.process().set_dumpable(arg2 == 1);
            return 0;
        case kGetKeepCaps: return 0;
        case kSetKeepCaps: return arg2 <= 1 ? SyscallResult{0} : SyscallResult{kEINVAL};
        case kGetTiming: return 0;
        case kGetSeccomp: return 0;
        case kCapBsetRead: return arg2 <= kLastCapability ? SyscallResult{1} : SyscallResult{kEINVAL};
        case kCapBsetDrop: return arg2 <= kLastCapability ? SyscallResult{0} : SyscallResult{kEINVAL};
        case kGetTimerSlack: return task.timer_slack_ns;
        case kSetTimerSlack: task.timer_slack_ns = arg2 == 0 ? 50'000 : arg2; return 0;
        case kSetChildSubreaper: return 0;
        case kGetChildSubreaper: return write_user(UserPtr<i32>{arg2}, 0);
        case kSetNoNewPrivs:
            if (arg2 != 1 || arg3 != 0 || arg4 != 0 || arg5 != 0) return kEINVAL;
            task.process().set_no_new_privileges();
            return 0;
        case kGetNoNewPrivs: return task.process().no_new_privileges() ? 1 : 0;
        case kGetTidAddress: return write_user(UserPtr<u64>{arg2}, task.clear_child_tid);
        case kSetThpDisable: return 0;  // there are no huge pages to switch off
        case kGetThpDisable: return 0;
        case kSetMm: return kEINVAL;
        case kSetVma: return kEINVAL;      // as on a Linux without CONFIG_ANON_VMA_NAME
        case kCapAmbient: return kEINVAL;
        default: return kEINVAL;
    }
}

SyscallResult sys_personality(Task&, u64 persona) {
    constexpr u64 kQuery = 0xffff'ffff;
    // Only the plain Linux personality, and the flags that change nothing here (ADDR_NO_RANDOMIZE and the like).
    if (persona != kQuery && (persona & 0xff) != 0) return kEINVAL;
    return 0;
}

SyscallResult sys_getrlimit(Task& task, u32 resource, UserPtr<Rlimit> limit) {
    if (resource >= kRlimitCount) return kEINVAL;
    return write_user(limit, task.process().limits().get(static_cast<RlimitKind>(resource)));
}

SyscallResult sys_setrlimit(Task& task, u32 resource, UserPtr<Rlimit> limit) {
    auto const value = TRY(read_user(limit));
    if (resource >= kRlimitCount) return kEINVAL;
    return set_limit(task, static_cast<RlimitKind>(resource), value);
}

SyscallResult sys_prlimit64(Task& task, i32 pid, u32 resource, UserPtr<Rlimit> limit, UserPtr<Rlimit> old) {
    if (resource >= kRlimitCount) return kEINVAL;
    if (pid != 0 && !task.process().threads().find(pid)) return kESRCH;
    ResourceLimits& limits = task.process().limits();
    auto const kind = static_cast<RlimitKind>(resource);
    Rlimit const previous = limits.get(kind);
    if (!limit.is_null()) TRY(set_limit(task, kind, TRY(read_user(limit))));
    return write_user_if_wanted(old, previous);
}

SyscallResult sys_sethostname(Task&, UserPtr<char> name, u64 size) {
    char buffer[kHostNameLimit];
    size_t const length = TRY(read_name(name, size, buffer));
    return set_host_name({buffer, length});
}

SyscallResult sys_setdomainname(Task&, UserPtr<char> name, u64 size) {
    char buffer[kHostNameLimit];
    size_t const length = TRY(read_name(name, size, buffer));
    return set_domain_name({buffer, length});
}

// A process never has children here.
SyscallResult sys_wait4(Task&, i32 pid, UserPtr<i32>, i32 options, UserPtr<Rusage>) {
    constexpr i32 kKnown = 1 | 2 | 8 | 0x20000000 | 0x40000000 | static_cast<i32>(0x80000000);
    if ((options & ~kKnown) != 0) return kEINVAL;
    if (pid == std::numeric_limits<i32>::min()) return kESRCH;
    return kECHILD;
}

SyscallResult sys_waitid(Task&, i32 kind, i32, u64, i32 options, UserPtr<Rusage>) {
    constexpr i32 kExited = 4, kStopped = 2, kContinued = 8;
    if (kind < 0 || kind > 3 || (options & (kExited | kStopped | kContinued)) == 0) return kEINVAL;
    return kECHILD;
}

SyscallResult sys_membarrier(Task& task, i32 command, u32 flags, i32) {
    enum Command : i32 {
        kQuery = 0, kGlobal = 1, kGlobalExpedited = 2, kRegisterGlobalExpedited = 4, kPrivateExpedited = 8,
        kRegisterPrivateExpedited = 16, kPrivateExpeditedSyncCore = 32, kRegisterPrivateExpeditedSyncCore = 64,
    };
    constexpr i32 kSupported = kGlobal | kGlobalExpedited | kRegisterGlobalExpedited | kPrivateExpedited |
                               kRegisterPrivateExpedited | kPrivateExpeditedSyncCore |
                               kRegisterPrivateExpeditedSyncCore;
    if (flags != 0) return kEINVAL;
    // An interrupt is a full barrier, and returns to the program with IRET, which serialises the instruction stream.
    auto const barrier_everywhere = [] {
        std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with the interrupt entry on the other CPUs
        smp::call_on_all([](void*) ISR_SAFE_LAMBDA {}, nullptr);
        std::atomic_thread_fence(std::memory_order_seq_cst);
    };
    switch (command) {
        case kQuery: return kSupported;
        case kGlobal:
        case kGlobalExpedited: barrier_everywhere(); return 0;
        case kRegisterGlobalExpedited: return 0;
        case kRegisterPrivateExpedited:
        case kRegisterPrivateExpeditedSyncCore: task.process().register_membarrier(); return 0;
        case kPrivateExpedited:
        case kPrivateExpeditedSyncCore:
            if (!task.process().membarrier_registered()) return kEPERM;
            barrier_everywhere();
            return 0;
        default: return kEINVAL;
    }
}

// Restartable sequences are not there; the C library falls back (rseq(2) is optional for it).
SyscallResult sys_rseq(Task&, u64, u32, i32, u32) { return kENOSYS; }

SyscallResult sys_syslog(Task&, i32 type, u64, i32) {
    constexpr i32 kSizeUnread = 9, kSizeBuffer = 10;
    return type == kSizeUnread || type == kSizeBuffer ? SyscallResult{0} : SyscallResult{kEPERM};
}

}  // namespace tutti::linux_abi
