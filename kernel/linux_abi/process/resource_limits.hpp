// SPDX-License-Identifier: BSD-3-Clause
// getrlimit's table. A limit that something here enforces says where.
#pragma once

#include <atomic>

#include "base/result.hpp"
#include "linux_abi/abi/system.hpp"

namespace tutti::linux_abi {

class ResourceLimits {
  public:
    ResourceLimits();

    [[nodiscard]] Rlimit get(RlimitKind kind) const;
    // Error::InvalidArgument when current > maximum. Everything runs as root, so maxima may be raised.
    Result<> set(RlimitKind kind, Rlimit limit);

    // Enforced by FdTable.
    [[nodiscard]] u64 open_files() const { return current(kRlimitFiles); }
    // Enforced by vm when the main stack grows.
    [[nodiscard]] u64 stack_bytes() const { return current(kRlimitStack); }

  private:
    struct Entry {
        std::atomic<u64> current;
        std::atomic<u64> maximum;
    };
    // Relaxed: each limit stands for itself.
    [[nodiscard]] u64 current(RlimitKind kind) const { return entries_[kind].current.load(std::memory_order_relaxed); }

    Entry entries_[kRlimitCount];
};

}  // namespace tutti::linux_abi
