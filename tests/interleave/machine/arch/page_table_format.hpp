// SPDX-License-Identifier: BSD-3-Clause
// Page-table entries of the simulated machine: those of x86_64, by value.
#pragma once

#include "../../../../kernel/arch/x86_64/page_entry.hpp"
