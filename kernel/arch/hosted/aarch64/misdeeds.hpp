// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "arch/aarch64/misdeeds.hpp"
