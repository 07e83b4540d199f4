// SPDX-License-Identifier: BSD-3-Clause
// The architecture contract on the simulated machine of the interleaving checker.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"
#include "engine/interleave.hpp"

namespace tutti::arch {

ALWAYS_INLINE void pause() { interleave::pause(); }
template <class Word, class Value>
ALWAYS_INLINE void wait_for_change(Word const&, Value) {
    interleave::pause();
}

enum class IrqState : u64 {};
inline constexpr u64 kFlagInterrupt = 1u << 9;

[[nodiscard]] ALWAYS_INLINE bool interrupts_were_enabled(IrqState state) {
    return (static_cast<u64>(state) & kFlagInterrupt) != 0;
}
[[nodiscard]] ALWAYS_INLINE bool interrupts_enabled() { return interleave::interrupts_enabled(); }
ALWAYS_INLINE void enable_interrupts() { interleave::set_interrupts(true); }
ALWAYS_INLINE IrqState disable_interrupts() {
    IrqState const before{interrupts_enabled() ? kFlagInterrupt : 0};
    interleave::set_interrupts(false);
    return before;
}
ALWAYS_INLINE void restore_interrupts(IrqState before) {
    if (interrupts_were_enabled(before)) enable_interrupts();
}
ALWAYS_INLINE void halt_until_interrupt() { interleave::halt_until_interrupt(); }
[[noreturn]] inline void halt_forever() { interleave::fail("machine", "halted for ever"); }

[[nodiscard]] ALWAYS_INLINE u64 read_counter() { return interleave::now(); }
[[nodiscard]] ALWAYS_INLINE u64 read_tsc() { return interleave::now(); }
[[nodiscard]] ALWAYS_INLINE u64 read_tsc_ordered() { return interleave::now(); }

}  // namespace tutti::arch
