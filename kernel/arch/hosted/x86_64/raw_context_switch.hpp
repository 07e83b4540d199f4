// SPDX-License-Identifier: BSD-3-Clause
// As in the kernel.
#pragma once

#include "arch/x86_64/context_switch.hpp"
