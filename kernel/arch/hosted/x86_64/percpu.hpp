// SPDX-License-Identifier: BSD-3-Clause
// As in the kernel: gs-relative. A thread's GS base is free in a Linux process (the C library uses FS).
#pragma once

#include "arch/x86_64/percpu.hpp"
