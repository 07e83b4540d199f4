// SPDX-License-Identifier: BSD-3-Clause
// A64, the instruction set of aarch64, in the reduced form of code.hpp (Arm ARM, DDI 0487, C4.1: the encoding).
#pragma once

#include "code.hpp"

namespace isrcheck::aarch64 {

inline constexpr Register kLink = 30;
inline constexpr Register kStackPointer = 31;  // where an instruction has the zero register instead: no register
inline constexpr unsigned kInstructionSize = 4;

constexpr std::uint32_t bits(std::uint32_t word, int high, int low) { return word >> low & ((2u << (high - low)) - 1); }

// The instruction's word at `address`; false when it is none that is known. A pair of loads or stores becomes two instructions of
// half the size: `second`, if its size is not zero.
[[nodiscard]] bool decode(std::uint32_t word, Address address, Instruction& first, Instruction& second);

}  // namespace isrcheck::aarch64
