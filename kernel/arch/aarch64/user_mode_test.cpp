// SPDX-License-Identifier: BSD-3-Clause
// The way into user mode and back, and what each misdeed of a program becomes. The programs are in
// user_mode_programs.S; the tests stand in for the system-call layer.
#include <atomic>
#include <new>

#include "arch/fpu.hpp"
#include "arch/traps.hpp"
#include "hal/hooks.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/context/context.hpp"
#include "vm/address_space.hpp"
#include "vm/user_copy.hpp"
#include "vm/visited_space_test.hpp"

extern "C" {
extern tutti::arch::SyscallHandler syscall_handler;
extern char const user_programs[];
extern char const user_programs_end[];
}
#define PROGRAM(name) extern "C" char const program_##name[]

namespace tutti::arch {
namespace {

constexpr VirtAddr kCode{0x400000};
constexpr VirtAddr kData{0x500000};
constexpr VirtAddr kConstants{0x600000};
constexpr VirtAddr kStack{0x700000};
constexpr unsigned kEnded = ~0u;

u64 address_of(char const* program) { return kCode.value() + static_cast<u64>(program - user_programs); }

// One program, from its entry to its end or its first exception.
struct Run {
    Ref<vm::AddressSpace> space;
    TrapFrame start{};
    void* fpu_area = nullptr;
    // What became of it:
    unsigned vector = 0;  // kEnded: the system call 0; else the exception class
    u64 result = 0;       // its argument, or the exception's address
    bool interrupts_on = true;
    TrapFrame end{};

    Run() = default;
    Run(Run const&) = delete;
    Run& operator=(Run const&) = delete;
    ~Run() { ::operator delete(fpu_area, std::align_val_t{64}); }
};

Run& current_run() { return *static_cast<Run*>(sched::current().owner()); }

[[noreturn]] void end_run() {
    {
        smp::PreemptGuard const guard;
        vm::deactivate();
        sched::current().set_hooks(nullptr);  // the run goes away when the thread has ended, before its last switch
    }
    sched::exit_current();
}

void on_syscall(TrapFrame& frame) {
    Run& run = current_run();
    run.interrupts_on = run.interrupts_on && interrupts_enabled();
    if (frame.syscall_number() == 1) return frame.set_return_value(frame.syscall_argument(0) + 1);
    run.vector = kEnded;
    run.result = frame.syscall_argument(0);
    run.end = frame;
    end_run();
}

void on_exception(TrapFrame& frame, unsigned vector, VirtAddr address) {
    Run& run = current_run();
    run.interrupts_on = run.interrupts_on && interrupts_enabled();
    run.vector = vector;
    run.result = address.value();
    run.end = frame;
    end_run();
}

// The handlers of the layer above step aside while a test runs.
class Handlers {
  public:
    Handlers() : syscall_{syscall_handler}, exception_{hal::hooks.user_exception} {
        syscall_handler = on_syscall;
        hal::hooks.user_exception = on_exception;
    }
    ~Handlers() {
        syscall_handler = syscall_;
        hal::hooks.user_exception = exception_;
    }
    Handlers(Handlers const&) = delete;
    Handlers& operator=(Handlers const&) = delete;

  private:
    SyscallHandler syscall_;
    void (*exception_)(TrapFrame&, unsigned, VirtAddr);
};

constexpr sched::ThreadHooks kHooks{
    .switch_out = [](sched::Thread& thread) ISR_SAFE_LAMBDA { fpu_save(static_cast<Run*>(thread.owner())->fpu_area); },
    .switch_in =
        [](sched::Thread& thread, sched::Residence) ISR_SAFE_LAMBDA {
            Run& run = *static_cast<Run*>(thread.owner());
            run.space->activate();
            fpu_restore(run.fpu_area);
        },
    .return_to_user = nullptr};

Result<> map(vm::AddressSpace& space, VirtAddr at, vm::Protection protection) {
    TRY(space.map({.address = at, .length = kPageSize, .protection = protection, .placement = vm::Placement::Fixed}));
    return {};
}

Result<> prepare(Run& run, u64 entry) {
    run.space = TRY(vm::AddressSpace::create());
    run.fpu_area = ::operator new(fpu_area_size(), std::align_val_t{64}, std::nothrow);
    if (run.fpu_area == nullptr) return fail(Error::NoMemory);
    fpu_reset(run.fpu_area);
    TRY(map(*run.space, kCode, {.read = true, .write = true}));
    TRY(map(*run.space, kData, {.read = true, .write = true}));
    TRY(map(*run.space, kConstants, {.read = true}));
    TRY(map(*run.space, kStack, {.read = true, .write = true}));
    Result<> copied;
    vm::in_space(run.space, [&] {
        copied = vm::copy_to_user(kCode, user_programs, static_cast<size_t>(user_programs_end - user_programs));
    });
    TRY(copied);
    TRY(run.space->protect(kCode, kPageSize, {.read = true, .execute = true}));
    run.start.elr = entry;
    run.start.sp = kStack.value() + kPageSize - 64;
    run.start.x[0] = 7;
    return {};
}

Result<Ref<sched::Thread>> launch(Run& run, smp::CpuSet const* cpus = nullptr) {
    auto thread = TRY(sched::Thread::create(
        {.name = "program", .affinity = cpus, .hooks = &kHooks, .owner = &run},
        [](void* argument) {
            disable_interrupts();
            auto* const frame = static_cast<TrapFrame*>(sched::current().kernel_stack_top()) - 1;
            *frame = static_cast<Run*>(argument)->start;
            enter_user_frame(frame);
        },
        &run));
    thread->start();
    return thread;
}

void execute(Run& run, char const* program) {
    Handlers const handlers;
    REQUIRE(prepare(run, address_of(program)).has_value());
    auto thread = launch(run);
    REQUIRE(thread.has_value());
    EXPECT((*thread)->join().has_value());
    EXPECT(run.interrupts_on);
}

void expect_result(char const* program, u64 wanted) {
    Run run;
    execute(run, program);
    EXPECT_EQ(run.vector, kEnded);
    EXPECT_EQ(run.result, wanted);
}

void expect_exception(char const* program, ExceptionClass wanted, u64 address) {
    Run run;
    execute(run, program);
    EXPECT_EQ(run.vector, static_cast<unsigned>(wanted));
    EXPECT_EQ(run.result, address);
    EXPECT(run.end.is_user());
}

PROGRAM(ends);
PROGRAM(keeps_registers);
PROGRAM(keeps_registers_over_preemption);
PROGRAM(counts);
PROGRAM(reads_null);
PROGRAM(writes_constants);
PROGRAM(executes_data);
PROGRAM(reads_kernel);
PROGRAM(undefined);
PROGRAM(masks_interrupts);
PROGRAM(reads_a_privileged_register);
PROGRAM(breaks);
PROGRAM(jumps_astray);

TEST(user_mode, a_program_runs_and_ends) { expect_result(program_ends, 42); }
TEST(user_mode, system_calls_keep_registers) { expect_result(program_keeps_registers, 1); }
TEST(user_mode, programs_read_the_counter) { expect_result(program_counts, 1); }

// More programs than CPUs, which share them by time slices, with general and vector registers of their own.
TEST(user_mode, preemption_keeps_all_registers) {
    constexpr u32 kPrograms = 8;
    static Run* runs[kPrograms];
    Handlers const handlers;
    Ref<sched::Thread> threads[kPrograms];
    for (u32 i = 0; i < kPrograms; ++i) {
        runs[i] = new (std::nothrow) Run;
        REQUIRE(runs[i] != nullptr);
        REQUIRE(prepare(*runs[i], address_of(program_keeps_registers_over_preemption)).has_value());
        runs[i]->start.x[0] = 0x1000 * (i + 1);
        auto thread = launch(*runs[i]);
        REQUIRE(thread.has_value());
        threads[i] = std::move(*thread);
    }
    (void)sched::sleep_for(Nanoseconds::from_ms(200));
    for (u32 i = 0; i < kPrograms; ++i) {
        u32 const told = 1;
        vm::in_space(runs[i]->space, [&] { EXPECT(vm::copy_to_user(kData, &told, sizeof told).has_value()); });
        EXPECT(threads[i]->join().has_value());
        EXPECT_EQ(runs[i]->vector, kEnded);
        EXPECT_EQ(runs[i]->result, u64{1});
        delete runs[i];
    }
}

TEST(user_mode, misdeeds_become_exceptions) {
    expect_exception(program_reads_null, ExceptionClass::DataAbortUser, 0);
    expect_exception(program_writes_constants, ExceptionClass::DataAbortUser, kConstants.value());
    expect_exception(program_executes_data, ExceptionClass::InstructionAbortUser, kData.value());
    expect_exception(program_reads_kernel, ExceptionClass::DataAbortUser, 0xffff'0000'0000'0000);
    expect_exception(program_undefined, ExceptionClass::Unknown, address_of(program_undefined));
    expect_exception(program_masks_interrupts, ExceptionClass::SystemRegister, address_of(program_masks_interrupts));
    expect_exception(program_reads_a_privileged_register, ExceptionClass::Unknown,
                     address_of(program_reads_a_privileged_register));
    expect_exception(program_breaks, ExceptionClass::BreakpointInstruction, address_of(program_breaks));
    expect_exception(program_jumps_astray, ExceptionClass::PcAlignment, kCode.value() + 1);
}

}  // namespace
}  // namespace tutti::arch
