// SPDX-License-Identifier: BSD-3-Clause
// As in the kernel: Linux gives programs these values, less what it does not support.
#pragma once

#include "arch/aarch64/id_registers.hpp"
