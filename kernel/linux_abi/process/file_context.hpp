// SPDX-License-Identifier: BSD-3-Clause
// Working directory, root and file mode mask: what CLONE_FS threads share.
#pragma once

#include <atomic>

#include "sched/wait/mutex.hpp"
#include "smp/spin/spin.hpp"
#include "vfs/namespace.hpp"

namespace tutti::linux_abi {

class FileContext {
  public:
    // Thread context. The location stays valid for the caller, whatever chdir does meanwhile.
    [[nodiscard]] Ref<vfs::Inode> working_directory() const;
    void set_working_directory(Ref<vfs::Inode> location);

    // Relaxed: one word that stands for itself.
    [[nodiscard]] u32 mask() const { return mask_.load(std::memory_order_relaxed); }
    u32 exchange_mask(u32 mask) { return mask_.exchange(mask & 0777, std::memory_order_relaxed); }

  private:
    mutable smp::SpinLock lock_{smp::LockRank::FileContext, "file context"};
    Ref<vfs::Inode> working_directory_ GUARDED_BY(lock_);
    std::atomic<u32> mask_{022};
};

}  // namespace tutti::linux_abi
