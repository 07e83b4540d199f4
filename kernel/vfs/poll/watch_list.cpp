// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/poll/watch_list.hpp"

#include "base/types.hpp"
#include "vfs/file.hpp"

namespace tutti::vfs {
namespace {
constexpr size_t kLocks = 256;
constinit sched::Mutex locks[kLocks];
}  // namespace

sched::Mutex& link_lock_of(File const* file) {
    u64 const mixed = (reinterpret_cast<u64>(file) >> 6) * 0x9e3779b97f4a7c15u;
    return locks[mixed >> 56];
}

void File::before_delete() const {
    if (!has_watchers_.load(std::memory_order_relaxed)) return;
    sched::MutexGuard guard{link_lock_of(this)};
    while (WatchLink* const link = watchers_.pop_front()) link->on_file_released();
}

}  // namespace tutti::vfs
