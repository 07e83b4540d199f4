// SPDX-License-Identifier: BSD-3-Clause
// How a device that makes random bytes joins the pool.
#pragma once

#include "base/types.hpp"

namespace tutti::drivers {

// Asks the device for fresh bytes; they come later through entropy_add(). Called in any context up to Isr, about once
// a minute while random bytes are used. One device: a later one replaces the earlier.
using EntropyRefill = void (*)();
void set_entropy_refill(EntropyRefill refill);

// The pool has had this many bits from a source that is not mere timing.
void entropy_credit(u32 bits);

}  // namespace tutti::drivers
