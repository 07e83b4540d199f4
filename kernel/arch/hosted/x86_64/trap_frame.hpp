// SPDX-License-Identifier: BSD-3-Clause
// The registers of an interrupted context, copied from the signal's.
#pragma once

#include "arch/x86_64/trap_frame.hpp"
