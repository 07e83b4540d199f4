// SPDX-License-Identifier: BSD-3-Clause
// The registers of an interrupted context, copied from the signal's. Frames of the kernel's code have the mode EL1.
#pragma once

#include "arch/aarch64/trap_frame.hpp"
