// SPDX-License-Identifier: BSD-3-Clause
// As in the kernel: the functions are the same code, and SIGSEGV looks in the exception table.
#pragma once

#include "arch/aarch64/user_access.hpp"
