// SPDX-License-Identifier: BSD-3-Clause
// A thread for each CPU that runs what was deferred there (smp/rcu/rcu.hpp), pinned by its affinity.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::sched {

class RcuWorker {
  public:
    // Boot CPU, for each CPU, before it comes up. Error::NoMemory.
    [[nodiscard]] static Result<> create(CpuId cpu);
    // On each CPU when it can run threads: its worker begins.
    static void start();

  private:
    static void wake(CpuId cpu);
    static void run(void* cpu);
};

}  // namespace tutti::sched
