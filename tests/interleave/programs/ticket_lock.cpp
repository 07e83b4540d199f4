// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/ticket_lock.hpp"

#include "programs/locks.hpp"

namespace tutti::interleave {

INTERLEAVE(ticket_lock_two, {.preemptions = 4}) {
    smp::RawTicketLock lock;
    exclude_twice(lock, 2);
}
INTERLEAVE(ticket_lock_three, {.preemptions = 3}) {
    smp::RawTicketLock lock;
    exclude_three(lock);
}
INTERLEAVE(ticket_lock_try, {.preemptions = 4}) {
    smp::RawTicketLock lock;
    exclude_try(lock);
}

}  // namespace tutti::interleave
