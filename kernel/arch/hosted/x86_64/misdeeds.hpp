// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "arch/x86_64/misdeeds.hpp"
