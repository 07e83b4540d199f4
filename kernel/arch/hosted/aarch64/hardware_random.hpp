// SPDX-License-Identifier: BSD-3-Clause
// As in the kernel: Linux lets programs read the registers that say whether there is such a one.
#pragma once

#include "arch/aarch64/hardware_random.hpp"
