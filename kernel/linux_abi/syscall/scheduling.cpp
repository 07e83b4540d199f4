// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/scheduling.hpp"

#include <algorithm>

#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "smp/percpu/cpu_set.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::linux_abi {

namespace {

constexpr i32 kLowestNice = 19;
constexpr i32 kHighestNice = -20;

Result<Ref<Task>> target(Task& task, i32 tid) {
    if (tid < 0) return fail(Error::InvalidArgument);
    if (tid == 0 || tid == task.tid()) return Ref<Task>{task};
    Ref<Task> found = task.process().threads().find(tid);
    if (!found) return fail(Error::NoSuchProcess);
    return found;
}

bool is_realtime(i32 policy) { return policy == kSchedFifo || policy == kSchedRr; }

Result<sched::Policy> to_policy(i32 policy, i32 priority, i32 nice) {
    if (is_realtime(policy)) {
        if (priority < 1 || priority > sched::kMaxRealtimePriority) return fail(Error::InvalidArgument);
        return sched::Policy{.kind = policy == kSchedFifo ? sched::PolicyKind::Fifo : sched::PolicyKind::RoundRobin,
                             .nice = 0,
                             .priority = static_cast<u8>(priority)};
    }
    if (priority != 0) return fail(Error::InvalidArgument);
    auto const clamped = static_cast<i8>(std::clamp(nice, kHighestNice, kLowestNice));
    switch (policy) {
        case kSchedOther:
        case kSchedBatch: return sched::Policy{.kind = sched::PolicyKind::Fair, .nice = clamped, .priority = 0};
        case kSchedIdle: return sched::Policy{.kind = sched::PolicyKind::Idle, .nice = clamped, .priority = 0};
        default: return fail(Error::InvalidArgument);  // SCHED_DEADLINE is not there
    }
}

i32 policy_of(Task const& task) {
    switch (task.thread().policy().kind) {
        case sched::PolicyKind::Fair: return task.is_batch.load(std::memory_order_relaxed) ? kSchedBatch : kSchedOther;
        case sched::PolicyKind::Idle: return kSchedIdle;
        case sched::PolicyKind::Fifo: return kSchedFifo;
        case sched::PolicyKind::RoundRobin: return kSchedRr;
    }
    return kSchedOther;
}

SyscallResult change_policy(Task& task, i32 tid, i32 policy, i32 priority) {
    Ref<Task> const other = TRY(target(task, tid));
    sched::Policy const wanted = TRY(to_policy(policy & ~kSchedResetOnFork, priority, other->thread().policy().nice));
    TRY(other->thread().set_policy(wanted));
    other->is_batch.store((policy & ~kSchedResetOnFork) == kSchedBatch, std::memory_order_relaxed);
    return 0;
}

}  // namespace

SyscallResult sys_sched_yield(Task&) {
    sched::yield();
    return 0;
}

SyscallResult sys_sched_setaffinity(Task& task, i32 tid, u32 size, UserPtr<u8> mask) {
    Ref<Task> const other = TRY(target(task, tid));
    smp::CpuSet cpus = TRY(smp::CpuSet::create(smp::cpu_count()));
    bool any = false;
    // The whole mask is read, though only the bits of CPUs that exist count.
    constexpr u32 kUsualSize = 128;
    Vector<u8> bytes;
    TRY(bytes.try_resize(std::min(size, std::max(kUsualSize, (smp::cpu_count() + 7) / 8))));
    TRY(vm::copy_from_user(bytes.data(), mask.address(), bytes.size()));
    for (u32 i = 0; i < bytes.size(); ++i) {
        for (u32 bit = 0; bit < 8; ++bit) {
            u32 const cpu = i * 8 + bit;
            if ((bytes[i] >> bit & 1) == 0 || cpu >= smp::cpu_count() || !smp::is_online(CpuId{cpu})) continue;
            cpus.add(CpuId{cpu});
            any = true;
        }
    }
    if (!any) return kEINVAL;
    return other->thread().set_affinity(cpus);
}

SyscallResult sys_sched_getaffinity(Task& task, i32 tid, u32 size, UserPtr<u8> mask) {
    u32 const needed = (smp::cpu_count() + 63) / 64 * 8;
    if (size < (smp::cpu_count() + 7) / 8 || size % 8 != 0) return kEINVAL;
    Ref<Task> const other = TRY(target(task, tid));
    u32 const bytes = std::min(size, needed);
    for (u32 i = 0; i < bytes; ++i) {
        u8 bits = 0;
        for (u32 bit = 0; bit < 8; ++bit)
            if (other->thread().affinity().contains(CpuId{i * 8 + bit})) bits |= static_cast<u8>(1U << bit);
        TRY(write_user(mask + i, bits));
    }
    return bytes;
}

SyscallResult sys_sched_setscheduler(Task& task, i32 tid, i32 policy, UserPtr<SchedParam> param) {
    if (policy < 0 || param.is_null()) return kEINVAL;
    return change_policy(task, tid, policy, TRY(read_user(param)).priority);
}

SyscallResult sys_sched_getscheduler(Task& task, i32 tid) {
    return policy_of(*TRY(target(task, tid)));
}

SyscallResult sys_sched_setparam(Task& task, i32 tid, UserPtr<SchedParam> param) {
    if (param.is_null()) return kEINVAL;
    SchedParam const wanted = TRY(read_user(param));
    Ref<Task> const other = TRY(target(task, tid));
    return change_policy(task, tid, policy_of(*other), wanted.priority);
}

SyscallResult sys_sched_getparam(Task& task, i32 tid, UserPtr<SchedParam> param) {
    if (param.is_null()) return kEINVAL;
    return write_user(param, {.priority = TRY(target(task, tid))->thread().policy().priority});
}

SyscallResult sys_sched_get_priority_max(Task&, i32 policy) {
    if (is_realtime(policy)) return sched::kMaxRealtimePriority;
    return policy == kSchedOther || policy == kSchedBatch || policy == kSchedIdle || policy == kSchedDeadline
               ? SyscallResult{0}
               : SyscallResult{kEINVAL};
}

SyscallResult sys_sched_get_priority_min(Task& task, i32 policy) {
    if (is_realtime(policy)) return 1;
    return sys_sched_get_priority_max(task, policy);
}

SyscallResult sys_sched_rr_get_interval(Task& task, i32 tid, UserPtr<Timespec> interval) {
    sched::Policy const policy = TRY(target(task, tid))->thread().policy();
    Nanoseconds slice = Nanoseconds::from_ms(4);
    if (policy.kind == sched::PolicyKind::RoundRobin) slice = sched::kRoundRobinSlice;
    if (policy.kind == sched::PolicyKind::Fifo) slice = {};
    return write_user(interval, to_timespec(slice));
}

SyscallResult sys_sched_setattr(Task& task, i32 tid, UserPtr<SchedAttr> attr, u32 flags) {
    if (attr.is_null() || flags != 0) return kEINVAL;
    u32 size = TRY(read_user(UserPtr<u32>{attr.address()}));
    if (size == 0) size = sizeof(SchedAttr);
    if (size < sizeof(SchedAttr)) return kE2BIG;
    SchedAttr const wanted = TRY(read_user(attr));
    Ref<Task> const other = TRY(target(task, tid));
    return other->thread().set_policy(
        TRY(to_policy(static_cast<i32>(wanted.policy), static_cast<i32>(wanted.priority), wanted.nice)));
}

SyscallResult sys_sched_getattr(Task& task, i32 tid, UserPtr<SchedAttr> attr, u32 size, u32 flags) {
    if (attr.is_null() || flags != 0 || size < sizeof(SchedAttr) || size > kPageSize) return kEINVAL;
    Ref<Task> const other = TRY(target(task, tid));
    sched::Policy const policy = other->thread().policy();
    SchedAttr result{};
    result.size = sizeof result;
    result.policy = static_cast<u32>(policy_of(*other));
    result.nice = policy.nice;
    result.priority = policy.priority;
    return write_user(attr, result);
}

// Priorities of one thread; a process's is its calling thread's, as all who ask here are in it.
SyscallResult sys_getpriority(Task& task, i32 which, i32 who) {
    if (which < 0 || which > 2) return kEINVAL;
    sched::Policy const policy = TRY(target(task, which == 0 ? who : 0))->thread().policy();
    return 20 - policy.nice;  // never negative on the way back (getpriority(2), NOTES)
}

SyscallResult sys_setpriority(Task& task, i32 which, i32 who, i32 nice) {
    if (which < 0 || which > 2) return kEINVAL;
    Ref<Task> const other = TRY(target(task, which == 0 ? who : 0));
    sched::Policy policy = other->thread().policy();
    if (policy.is_realtime()) return 0;
    policy.nice = static_cast<i8>(std::clamp(nice, kHighestNice, kLowestNice));
    return other->thread().set_policy(policy);
}

SyscallResult sys_getcpu(Task&, UserPtr<u32> cpu, UserPtr<u32> node, u64) {
    TRY(write_user_if_wanted(cpu, smp::this_cpu_unstable().value()));
    return write_user_if_wanted(node, 0U);
}

SyscallResult sys_ioprio_get(Task&, i32 which, i32) { return which < 1 || which > 3 ? SyscallResult{kEINVAL} : 0; }
SyscallResult sys_ioprio_set(Task&, i32 which, i32, i32) { return which < 1 || which > 3 ? SyscallResult{kEINVAL} : 0; }

}  // namespace tutti::linux_abi
