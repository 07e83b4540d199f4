// SPDX-License-Identifier: BSD-3-Clause
// The first CPU to panic wins a word; others that panic meanwhile keep their message and stop. The winner prints its own
// report, then calls the CPUs one after the other by NMI, so that reports do not mix, and waits for each, but not for
// ever.
//
//   g_turn:  kNobody -> CPU number (its turn to report) -> kNobody (it has)
#include "smp/debug/panic.hpp"

#include <atomic>

#include "arch/crash_report.hpp"
#include "arch/trap_frame.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"
#include "hal/interrupts.hpp"
#include "hal/power.hpp"
#include "smp/debug/log_ring.hpp"
#include "smp/percpu/percpu.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti::smp {
namespace {

constexpr u32 kNobody = ~u32{0};
constexpr unsigned char kPanicExitCode = 0x31;
constexpr Nanoseconds kPatience = Nanoseconds::from_ms(500);

constinit std::atomic<u32> g_panicking{kNobody};
constinit std::atomic<u32> g_turn{kNobody};
constinit std::atomic<bool> g_stop_after_report{false};
constinit std::atomic<bool> g_reporting{false};  // one report of CPUs that go on at a time
// NMIs whose sender has lost patience: they may still come.
constinit std::atomic<u32> g_late{0};
// A report that somebody outside asked for is being made.
constinit std::atomic<bool> g_reporting_on_request{false};

// What a CPU that lost the race to panic had to say; on its stack, which it no longer leaves.
PERCPU_SECTION constinit PerCpu<std::string_view const*> g_lost_message;

ISR_SAFE void print_where(CpuId cpu) {
    char line[64];
    hal::early_console_write(format_to(line, "cpu {}: ", cpu));
    if (hal::hooks.describe_context != nullptr) hal::hooks.describe_context();
    hal::early_console_write("\n");
}

void ask_others(CpuId self);

// The non-maskable interrupt of whoever watches this machine from outside and finds it silent (QEMU's `nmi`, which
// interrupts every CPU): the first tells where all are, and they go on. Every CPU may be deaf to other interrupts.
ISR_SAFE void report_on_request(arch::TrapFrame const& frame, CpuId self) {
    // relaxed: one reports; nothing else depends on it.
    if (g_reporting_on_request.exchange(true, std::memory_order_relaxed)) return;
    hal::early_console_write("\n*** report on request (NMI)\n");
    print_where(self);
    arch::print_frame(frame);
    ask_others(self);
    hal::early_console_write("*** end of report\n");
    g_reporting_on_request.store(false, std::memory_order_relaxed);
}

ISR_SAFE bool handle_nmi(arch::TrapFrame& frame) {
    ISR_NOTE("nmi", "a CPU that is asked for its report: by another one, or from outside the machine");
    CpuId const self = this_cpu_unstable();
    // acquire: pairs with the release in ask().
    if (g_turn.load(std::memory_order_acquire) != self.value()) {
        if (g_panicking.load(std::memory_order_relaxed) != kNobody) return true;
        u32 late = g_late.load(std::memory_order_relaxed);
        while (late != 0)
            if (g_late.compare_exchange_weak(late, late - 1, std::memory_order_relaxed)) return true;
        report_on_request(frame, self);
        return true;
    }
    print_where(self);
    if (std::string_view const* const message = g_lost_message.load()) {
        hal::early_console_write("  panics as well: ");
        hal::early_console_write(*message);
        hal::early_console_write("\n");
    }
    print_held_spin_locks();
    if (arch::TrapFrame const* const fatal = arch::fatal_frame(); fatal != nullptr)
        arch::print_frame(*fatal);
    else
        arch::print_frame(frame);
    bool const stop = g_stop_after_report.load(std::memory_order_relaxed);
    g_turn.store(kNobody, std::memory_order_release);
    if (stop) arch::halt_forever();
    return true;
}

ISR_SAFE void ask(CpuId cpu) {
    // release: pairs with the acquire in handle_nmi().
    g_turn.store(cpu.value(), std::memory_order_release);
    hal::send_nmi(cpu);
    Nanoseconds const until = hal::now() + kPatience;
    while (g_turn.load(std::memory_order_acquire) == cpu.value() && hal::now() < until) arch::pause();
    if (g_turn.exchange(kNobody, std::memory_order_acq_rel) == cpu.value()) {
        g_late.fetch_add(1, std::memory_order_relaxed);
        char line[64];
        hal::early_console_write(format_to(line, "cpu {}: does not answer\n", cpu));
    }
}

ISR_SAFE void ask_others(CpuId self) {
    for_each_online_cpu([&](CpuId cpu) {
        if (cpu != self) ask(cpu);
    });
}

[[noreturn]] void handle_panic(std::string_view message, char const* file, int line) {
    arch::disable_interrupts();
    CpuId const self = this_cpu_unstable();
    u32 expected = kNobody;
    // acq_rel: one winner; a second panic on the winning CPU is a fault in this code and ends at once.
    if (!g_panicking.compare_exchange_strong(expected, self.value(), std::memory_order_acq_rel)) {
        if (expected == self.value()) {
            hal::early_console_write("\n*** panic while panicking: ");
            hal::early_console_write(message);
            hal::early_console_write("\n");
            hal::debug_exit(kPanicExitCode);
        }
        g_lost_message.store(&message);
        arch::halt_forever();
    }
    log_flush_for_panic();
    char text[96];
    hal::early_console_write("\n*** panic: ");
    hal::early_console_write(message);
    hal::early_console_write(file != nullptr ? format_to(text, " ({}:{})\n", file, line) : "\n");
    print_where(self);
    print_held_spin_locks();
    if (arch::TrapFrame const* const fatal = arch::fatal_frame(); fatal != nullptr)
        arch::print_frame(*fatal);
    else
        arch::print_backtrace(reinterpret_cast<u64>(__builtin_return_address(0)),
                              *static_cast<u64 const*>(__builtin_frame_address(0)));
    g_stop_after_report.store(true, std::memory_order_relaxed);
    ask_others(self);
    hal::early_console_write("*** end of report\n");
    hal::debug_exit(kPanicExitCode);
}

}  // namespace

void panic_init() {
    hal::hooks.nmi = handle_nmi;
    set_panic_handler(handle_panic);
}

namespace {
template <class Ask>
void report_while_running(Ask&& ask_them) {
    PreemptGuard const guard;
    // acquire, release: the turns of two reports do not mix.
    Nanoseconds const until = hal::now() + kPatience + kPatience;
    while (g_reporting.exchange(true, std::memory_order_acquire)) {
        if (hal::now() >= until) return;
        arch::pause();
    }
    ask_them(this_cpu(guard));
    g_reporting.store(false, std::memory_order_release);
}
NOINLINE void report_self(CpuId self) {
    print_where(self);
    arch::print_backtrace(reinterpret_cast<u64>(__builtin_return_address(0)),
                          *static_cast<u64 const*>(__builtin_frame_address(0)));
}
}  // namespace

void report_all_cpus() {
    report_while_running([](CpuId self) {
        report_self(self);
        ask_others(self);
    });
}

void report_cpu(CpuId cpu) {
    report_while_running([cpu](CpuId self) {
        if (cpu == self)
            report_self(self);
        else
            ask(cpu);
    });
}

}  // namespace tutti::smp
