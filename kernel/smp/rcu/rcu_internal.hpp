// SPDX-License-Identifier: BSD-3-Clause
// What the files of this folder share.
#pragma once

#include "smp/rcu/rcu.hpp"

namespace tutti::smp::rcu::detail {

extern std::atomic<ThreadHooks const*> thread_hooks;

// Waits; after `patience` the CPUs that have not come by are interrupted.
void wait_for(Ticket ticket, Nanoseconds patience);
// Somebody has asked for haste.
[[nodiscard]] bool is_hurried(Ticket ticket);
[[nodiscard]] u64 pending_callbacks();

}  // namespace tutti::smp::rcu::detail
