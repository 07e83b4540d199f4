// SPDX-License-Identifier: BSD-3-Clause
// The local interrupt controller of each CPU: xAPIC (memory-mapped) or x2APIC (MSRs), chosen once at boot.
// Source: Intel SDM vol. 3, chapter 11.
#pragma once

#include "base/types.hpp"

namespace tutti::platform::local_apic {

// Interrupt vectors that are not handed out to devices.
inline constexpr u8 kTimerVector = 0xef;
inline constexpr u8 kRescheduleVector = 0xf0;
inline constexpr u8 kCallVector = 0xf1;
inline constexpr u8 kEventVector = 0xf2;  // event channels of Xen
inline constexpr u8 kErrorVector = 0xfe;
inline constexpr u8 kSpuriousVector = 0xff;

// Boot CPU: finds the mode and maps the registers.
void init(PhysAddr xapic_base);
// Each CPU: software-enables its local APIC with everything masked.
void init_cpu();

[[nodiscard]] bool uses_x2apic();
[[nodiscard]] u32 id();
void end_of_interrupt();

// Interrupt commands; the destination is an APIC id. Interrupts off (the xAPIC needs two writes).
void send_fixed(u32 apic_id, u8 vector);
void send_nmi(u32 apic_id);
void send_init(u32 apic_id);
void send_startup(u32 apic_id, u8 page);
// To every CPU of the machine but this one, whether the tables list it or not.
void send_init_to_others();
void send_startup_to_others(u8 page);

// Timer of this CPU.
void timer_setup(bool tsc_deadline);
void timer_one_shot(u32 count);
[[nodiscard]] u32 timer_count();

}  // namespace tutti::platform::local_apic
