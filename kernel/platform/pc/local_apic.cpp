// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/local_apic.hpp"

#include "arch/cpu.hpp"
#include "platform/pc/boot_memory.hpp"

namespace tutti::platform::local_apic {
namespace {

// Register numbers as x2APIC MSR offsets; the xAPIC has the same at 16-byte steps.
enum class Register : u32 {
    Id = 0x02,
    TaskPriority = 0x08,
    EndOfInterrupt = 0x0b,
    LogicalDestination = 0x0d,
    DestinationFormat = 0x0e,
    Spurious = 0x0f,
    ErrorStatus = 0x28,
    CommandLow = 0x30,
    CommandHigh = 0x31,
    LvtTimer = 0x32,
    LvtThermal = 0x33,
    LvtPerformance = 0x34,
    LvtLint0 = 0x35,
    LvtLint1 = 0x36,
    LvtError = 0x37,
    TimerInitial = 0x38,
    TimerCurrent = 0x39,
    TimerDivide = 0x3e,
};

constexpr u32 kX2ApicMsrBase = 0x800;
constexpr u32 kMasked = 1u << 16;
constexpr u32 kTscDeadlineMode = 2u << 17;
constexpr u32 kDeliveryNmi = 4u << 8;
constexpr u32 kDeliveryInit = 5u << 8;
constexpr u32 kDeliveryStartup = 6u << 8;
constexpr u32 kLevelAssert = 1u << 14;
constexpr u32 kAllOthers = 3u << 18;
constexpr u32 kSendPending = 1u << 12;

constinit bool x2apic = false;
constinit u32 volatile* registers = nullptr;

ISR_SAFE u32 read(Register r) {
    if (x2apic) return static_cast<u32>(arch::read_msr(kX2ApicMsrBase + static_cast<u32>(r)));
    return registers[static_cast<u32>(r) * 4];
}
ISR_SAFE void write(Register r, u32 value) {
    if (x2apic)
        arch::write_msr(kX2ApicMsrBase + static_cast<u32>(r), value);
    else
        registers[static_cast<u32>(r) * 4] = value;
}

ISR_SAFE void command(u32 apic_id, u32 low) {
    if (x2apic) {
        // WRMSR to the ICR is not serialising (SDM vol. 3, 11.12.3): order our earlier stores before the interrupt.
        asm volatile("mfence; lfence" ::: "memory");
        arch::write_msr(kX2ApicMsrBase + static_cast<u32>(Register::CommandLow), (u64{apic_id} << 32) | low);
        return;
    }
    while ((read(Register::CommandLow) & kSendPending) != 0) arch::pause();
    write(Register::CommandHigh, apic_id << 24);
    write(Register::CommandLow, low);
}

}  // namespace

void init(PhysAddr xapic_base) {
    x2apic = (arch::cpuid(1).ecx & (1u << 21)) != 0;
    if (!x2apic) registers = static_cast<u32 volatile*>(boot_map_device(xapic_base, kPageSize));
}

void init_cpu() {
    u64 const base = arch::read_msr(arch::kMsrApicBase);
    arch::write_msr(arch::kMsrApicBase, base | (1u << 11) | (x2apic ? 1u << 10 : 0));
    if (!x2apic) {
        write(Register::DestinationFormat, 0xffffffff);
        write(Register::LogicalDestination, 0);
    }
    write(Register::TaskPriority, 0);
    write(Register::LvtTimer, kMasked | kTimerVector);
    write(Register::LvtLint0, kMasked);
    write(Register::LvtLint1, kDeliveryNmi);
    write(Register::LvtError, kErrorVector);
    write(Register::Spurious, 0x100 | kSpuriousVector);
}

bool uses_x2apic() { return x2apic; }
ISR_SAFE u32 id() { return x2apic ? read(Register::Id) : read(Register::Id) >> 24; }
ISR_SAFE void end_of_interrupt() { write(Register::EndOfInterrupt, 0); }

ISR_SAFE void send_fixed(u32 apic_id, u8 vector) { command(apic_id, kLevelAssert | vector); }
ISR_SAFE void send_nmi(u32 apic_id) { command(apic_id, kLevelAssert | kDeliveryNmi); }
void send_init(u32 apic_id) { command(apic_id, kLevelAssert | kDeliveryInit); }
void send_startup(u32 apic_id, u8 page) { command(apic_id, kLevelAssert | kDeliveryStartup | page); }

void send_init_to_others() { command(0, kAllOthers | kLevelAssert | kDeliveryInit); }
void send_startup_to_others(u8 page) { command(0, kAllOthers | kLevelAssert | kDeliveryStartup | page); }

void timer_setup(bool tsc_deadline) {
    write(Register::TimerDivide, 0xb);  // divide by 1
    write(Register::LvtTimer, kTimerVector | (tsc_deadline ? kTscDeadlineMode : 0));
    // The mode change must be seen before the first IA32_TSC_DEADLINE write (SDM vol. 3, 11.5.4.1).
    asm volatile("mfence" ::: "memory");
}
ISR_SAFE void timer_one_shot(u32 count) { write(Register::TimerInitial, count); }
u32 timer_count() { return read(Register::TimerCurrent); }

}  // namespace tutti::platform::local_apic
