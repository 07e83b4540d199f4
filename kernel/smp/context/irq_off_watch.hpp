// SPDX-License-Identifier: BSD-3-Clause
// Debug builds measure how long guards and interrupt handlers keep interrupts off, and log each place once that takes too
// long. Never a failure: a virtual CPU may lose its processor in the middle.
#pragma once

#include <type_traits>

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::smp {

class IrqOffWatchOn {
  public:
    void start();
    // Still with interrupts off.
    NOINLINE ISR_SAFE void stop() { stop_at(__builtin_return_address(0)); }
    // The place as it is to be named.
    void stop_at(void const* place);

  private:
    Nanoseconds since_{};
};

class IrqOffWatchOff {
  public:
    void start() {}
    ISR_SAFE void stop() {}
    void stop_at(void const*) {}
};

#if defined(TUTTI_HOST)
using IrqOffWatch = IrqOffWatchOff;
#else
using IrqOffWatch = std::conditional_t<kDebugBuild, IrqOffWatchOn, IrqOffWatchOff>;
#endif

// What is too long; zero: 2 ms on bare hardware, 500 ms under a hypervisor. Returns what it was.
Nanoseconds set_irq_off_limit(Nanoseconds limit);
// Places logged so far.
[[nodiscard]] u32 irq_off_reports();

}  // namespace tutti::smp
