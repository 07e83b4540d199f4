// SPDX-License-Identifier: BSD-3-Clause
// Between interrupts.cpp and traps.cpp.
#pragma once

#include "arch/trap_frame.hpp"

namespace tutti::arch {

void set_thread_id(u32 id);
// Runs the handlers of what is posted on this CPU, and switches threads if that is wanted. Interrupts are on when it
// returns, perhaps on another CPU.
void take_interrupts(TrapFrame& frame);
// The same from user mode: interrupts stay off, and switching is the way back's business.
void take_interrupts_from_user(TrapFrame& frame);
// Until the next place where the portable layers' code may be interrupted.
void hold_nmi_back();

}  // namespace tutti::arch
