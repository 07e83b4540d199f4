// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/resource_limits.hpp"

namespace tutti::linux_abi {

namespace {

// What a login session on Debian has.
constexpr Rlimit initial_limit(u32 kind) {
    switch (kind) {
        case kRlimitStack: return {u64{8} << 20, kRlimInfinity};
        case kRlimitCore: return {0, kRlimInfinity};
        case kRlimitFiles: return {1024, 1 << 20};
        case kRlimitMemlock: return {u64{64} << 20, u64{64} << 20};
        case kRlimitSigPending: return {65536, 65536};
        case kRlimitMsgQueue: return {819200, 819200};
        case kRlimitNice: return {0, 0};
        case kRlimitRtPriority: return {99, 99};
        default: return {kRlimInfinity, kRlimInfinity};
    }
}

}  // namespace

ResourceLimits::ResourceLimits() {
    for (u32 kind = 0; kind < kRlimitCount; ++kind) {
        entries_[kind].current.store(initial_limit(kind).current, std::memory_order_relaxed);
        entries_[kind].maximum.store(initial_limit(kind).maximum, std::memory_order_relaxed);
    }
}

Rlimit ResourceLimits::get(RlimitKind kind) const {
    return {current(kind), entries_[kind].maximum.load(std::memory_order_relaxed)};
}

Result<> ResourceLimits::set(RlimitKind kind, Rlimit limit) {
    constexpr u64 kMostFiles = 1 << 20;  // /proc/sys/fs/nr_open
    if (limit.current > limit.maximum) return fail(Error::InvalidArgument);
    if (kind == kRlimitFiles && limit.maximum > kMostFiles) return fail(Error::NotPermitted);
    entries_[kind].current.store(limit.current, std::memory_order_relaxed);
    entries_[kind].maximum.store(limit.maximum, std::memory_order_relaxed);
    return {};
}

}  // namespace tutti::linux_abi
