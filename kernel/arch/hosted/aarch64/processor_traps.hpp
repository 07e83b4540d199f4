// SPDX-License-Identifier: BSD-3-Clause
// Exceptions are told as on a machine, by a syndrome made of what the signal says.
#pragma once

#include "arch/aarch64/syndrome.hpp"
