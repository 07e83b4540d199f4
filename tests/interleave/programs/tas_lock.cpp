// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/tas_lock.hpp"

#include "programs/locks.hpp"

namespace tutti::interleave {

INTERLEAVE(tas_lock_two, {.preemptions = 4}) {
    smp::RawTasLock lock;
    exclude_twice(lock, 2);
}
INTERLEAVE(tas_lock_three, {.preemptions = 3}) {
    smp::RawTasLock lock;
    exclude_three(lock);
}
INTERLEAVE(tas_lock_try, {.preemptions = 4}) {
    smp::RawTasLock lock;
    exclude_try(lock);
}

}  // namespace tutti::interleave
