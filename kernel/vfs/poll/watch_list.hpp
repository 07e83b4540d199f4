// SPDX-License-Identifier: BSD-3-Clause
// What ties an open file to the epoll instances that watch it, so that closing the file's last descriptor ends the
// watches (epoll(7), question 6) and closing the instance ends them too.
//
// Lock order: the file's link lock, then the instance's changes lock. While a link lock is held, every instance in that
// file's list is alive: an instance leaves the lists before it dies, under the same locks. Link locks are hashed by
// file, so that servers that add and close connections on many CPUs do not meet.
#pragma once

#include "base/intrusive_list.hpp"
#include "sched/wait/mutex.hpp"

namespace tutti::vfs {

class File;

// One watch, seen from the file.
class WatchLink {
  public:
    // The file is going away: the watch removes itself from its instance and frees itself. Link lock held.
    virtual void on_file_released() = 0;

    ListNode file_node;

  protected:
    ~WatchLink() = default;
};
using WatchLinks = IntrusiveList<WatchLink, &WatchLink::file_node>;

[[nodiscard]] sched::Mutex& link_lock_of(File const* file);

}  // namespace tutti::vfs
