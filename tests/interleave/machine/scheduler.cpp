// SPDX-License-Identifier: BSD-3-Clause
#include "machine/scheduler.hpp"

#include <new>

#include "arch/context_switch.hpp"
#include "arch/traps.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"
#include "hal/interrupts.hpp"
#include "mem/stack/kernel_stack.hpp"
#include "sched/scheduler.hpp"
#include "smp/debug/panic.hpp"
#include "smp/ipi/call.hpp"
#include "smp/rcu/rcu.hpp"
#include "smp/spin/lock_debug.hpp"

asm(R"(
    .text
interleave_switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .globl thread_trampoline
thread_trampoline:
    movq %r12, %rdi
    xorl %ebp, %ebp
    call *%rbx
    ud2
)");

extern "C" {
TUTTI_PERCPU tutti::u32 exit_work = 0;
void interleave_switch_stacks(void** save, void* load);
// What the assembly stores is for the checker to see.
void switch_stacks(void** save, void* load) {
    *const_cast<void* volatile*>(save) = nullptr;
    interleave_switch_stacks(save, load);
}
}

namespace tutti {

namespace mem {
Result<KernelStack> KernelStack::create() {
    KernelStack stack;
    stack.bottom_ = ::operator new(arch::kKernelStackSize, std::align_val_t{16}, std::nothrow);
    if (stack.bottom_ == nullptr) return fail(Error::NoMemory);
    return stack;
}
KernelStack::KernelStack(KernelStack&& other) noexcept : bottom_{std::exchange(other.bottom_, nullptr)} {}
KernelStack& KernelStack::operator=(KernelStack&& other) noexcept {
    std::swap(bottom_, other.bottom_);
    return *this;
}
KernelStack::~KernelStack() {
    if (bottom_ != nullptr) ::operator delete(bottom_, std::align_val_t{16});
}
}  // namespace mem

namespace smp {
void report_cpu(CpuId) { interleave::fail("machine", "a stalled grace period"); }
void check_no_spin_locks_held(char const*) {}  // these two: of lock_debug.cpp
void check_may_wait_for_cpus() {}
}  // namespace smp
namespace sched {
void check_no_locks_held(char const*) {}  // of blocking_lock_debug.cpp
}

namespace hal {

namespace {

constinit IpiHandler g_ipi_handlers[kIpiKinds] = {};
constinit void (*g_timer_handler)() = nullptr;
TUTTI_PERCPU i64 g_armed = 0;

// One clock for all CPUs, which no order between them comes from. Each look takes a while.
constexpr i64 kLook = 100'000;
constinit i64 g_now = 0;
[[clang::disable_sanitizer_instrumentation]] i64 pass(i64 at_least) {
    if (g_now < at_least) g_now = at_least;
    return g_now += kLook;
}

void timer_interrupt() {
    (void)pass(arch::percpu_load(g_armed));
    g_timer_handler();
}

}  // namespace

Nanoseconds now() { return Nanoseconds{pass(0)}; }
Nanoseconds sched_clock() { return now(); }
// Any moment from now on may be the deadline.
void arm_timer(Deadline deadline) {
    if (deadline == kNever) return;
    arch::percpu_store(g_armed, deadline.count());
    interleave::raise_interrupt(interleave::this_cpu(), timer_interrupt);
}
void set_timer_handler(void (*handler)()) { g_timer_handler = handler; }
void set_ipi_handler(IpiKind kind, IpiHandler handler) { g_ipi_handlers[static_cast<u32>(kind)] = handler; }
void send_ipi(CpuId target, IpiKind kind) {
    if (kind == IpiKind::Call)
        interleave::raise_interrupt(target.value(), [] { g_ipi_handlers[static_cast<u32>(IpiKind::Call)](IpiKind::Call); });
    else
        interleave::raise_interrupt(target.value(),
                                    [] { g_ipi_handlers[static_cast<u32>(IpiKind::Reschedule)](IpiKind::Reschedule); });
}
void early_console_write(std::string_view) {}

}  // namespace hal

namespace interleave {

namespace {

void (*g_main)() = nullptr;
std::atomic<bool> g_booted{false};

void take_interrupt(void (*handler)()) {
    {
        smp::IsrEntry const isr;
        smp::rcu::note_interrupt(isr);
        handler();
    }
    hal::hooks.irq_exit_to_kernel();
}

void boot() {
    arch::disable_interrupts();
    REQUIRE(smp::calls_init().has_value());
    REQUIRE(sched::init().has_value());
    g_booted.store(true, std::memory_order_release);
    for (u32 cpu = 1; cpu < smp::cpu_count(); ++cpu) wake(cpu);
    g_main();
    end_program();
}
void boot_secondary() {
    arch::disable_interrupts();
    do sleep();
    while (!g_booted.load(std::memory_order_acquire));
    sched::enter_secondary();
}

}  // namespace

void run_scheduler(unsigned cpus, void (*main)()) {
    set_interrupt_wrapper(take_interrupt);
    g_main = main;
    Task tasks[8] = {{[](void*) { boot(); }, nullptr}};
    REQUIRE(cpus <= 8);
    for (unsigned i = 1; i < cpus; ++i) tasks[i] = {[](void*) { boot_secondary(); }, nullptr};
    run_tasks(tasks, cpus);
    fail("machine", "the scheduler came to an end");
}

}  // namespace interleave
}  // namespace tutti
