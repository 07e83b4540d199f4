// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/identity.hpp"

#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kUnchanged = ~u32{0};
constexpr u64 kMaxGroups = 65536;

// Root may become anyone; no file here is owned by anyone else, so only changes that keep root are taken, and the
// others are told so instead of silently keeping the rights.
bool keeps_root(u32 id) { return id == 0 || id == kUnchanged; }

bool is_this_process(Task& task, i32 pid) { return pid == 0 || pid == task.process().pid(); }

}  // namespace

SyscallResult sys_getpid(Task& task) { return task.process().pid(); }
SyscallResult sys_getppid(Task& task) { return task.process().parent_pid(); }
SyscallResult sys_gettid(Task& task) { return task.tid(); }
SyscallResult sys_getuid(Task&) { return 0; }

SyscallResult sys_setuid(Task& task, u32 id) {
    if (id == kUnchanged) return kEINVAL;
    return sys_setresuid(task, id, id, id);
}

SyscallResult sys_setreuid(Task& task, u32 real, u32 effective) {
    return sys_setresuid(task, real, effective, kUnchanged);
}

SyscallResult sys_setresuid(Task&, u32 real, u32 effective, u32 saved) {
    return keeps_root(real) && keeps_root(effective) && keeps_root(saved) ? SyscallResult{0} : SyscallResult{kEPERM};
}

SyscallResult sys_getresuid(Task&, UserPtr<u32> real, UserPtr<u32> effective, UserPtr<u32> saved) {
    if (!write_user(real, 0U) || !write_user(effective, 0U) || !write_user(saved, 0U)) return kEFAULT;
    return 0;
}

SyscallResult sys_setfsuid(Task&, u32) { return 0; }  // returns the previous id

SyscallResult sys_getgroups(Task&, i32 size, UserPtr<u32>) { return size < 0 ? SyscallResult{kEINVAL} : 0; }

SyscallResult sys_setgroups(Task&, u64 size, UserPtr<u32> list) {
    if (size > kMaxGroups) return kEINVAL;
    for (u64 i = 0; i < size; ++i) {
        auto const group = read_user(list + i);
        if (!group) return kEFAULT;
        if (*group != 0) return kEPERM;
    }
    return 0;
}

SyscallResult sys_getpgid(Task& task, i32 pid) {
    return is_this_process(task, pid) ? SyscallResult{task.process().pid()} : SyscallResult{kESRCH};
}
SyscallResult sys_getpgrp(Task& task) { return task.process().pid(); }

SyscallResult sys_setpgid(Task& task, i32 pid, i32 group) {
    if (group < 0) return kEINVAL;
    if (!is_this_process(task, pid)) return kESRCH;
    return kEPERM;  // the process leads its session
}

SyscallResult sys_getsid(Task& task, i32 pid) { return sys_getpgid(task, pid); }
SyscallResult sys_setsid(Task&) { return kEPERM; }  // the process leads its group already

SyscallResult sys_capget(Task& task, UserPtr<CapHeader> header, UserPtr<CapData> data) {
    auto request = read_user(header);
    if (!request) return kEFAULT;
    unsigned words = 2;
    if (request->version == kCapVersion1) {
        words = 1;
    } else if (request->version != kCapVersion2 && request->version != kCapVersion3) {
        request->version = kCapVersion3;
        if (!write_user(header, *request)) return kEFAULT;
        return data.is_null() ? SyscallResult{0} : SyscallResult{kEINVAL};
    }
    if (request->pid < 0) return kEINVAL;
    if (request->pid != 0 && !task.process().threads().find(request->pid)) return kESRCH;
    if (data.is_null()) return 0;
    // Root's sets: all of the 41 capabilities that Linux 6.1 knows.
    constexpr CapData kFull[2] = {{~0U, ~0U, 0}, {0x1ff, 0x1ff, 0}};
    for (unsigned i = 0; i < words; ++i)
        if (!write_user(data + i, kFull[i])) return kEFAULT;
    return 0;
}

SyscallResult sys_capset(Task& task, UserPtr<CapHeader> header, UserPtr<CapData> data) {
    auto request = read_user(header);
    if (!request) return kEFAULT;
    if (request->version != kCapVersion1 && request->version != kCapVersion2 && request->version != kCapVersion3)
        return kEINVAL;
    if (request->pid != 0 && request->pid != task.tid()) return kEPERM;
    unsigned const words = request->version == kCapVersion1 ? 1 : 2;
    for (unsigned i = 0; i < words; ++i)
        if (!read_user(data + i)) return kEFAULT;
    return 0;  // dropped rights are accepted: a program may give up what it does not need
}

}  // namespace tutti::linux_abi
