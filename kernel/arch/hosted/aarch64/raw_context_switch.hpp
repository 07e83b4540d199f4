// SPDX-License-Identifier: BSD-3-Clause
// As in the kernel. x18 is of the CPU, not of the stack.
#pragma once

#include "arch/aarch64/context_switch.hpp"
