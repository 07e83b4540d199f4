// SPDX-License-Identifier: BSD-3-Clause
// The way into user mode and back, and what each misdeed of a program becomes. The programs are in
// user_mode_programs.S; the tests stand in for the system-call layer.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "arch/fpu.hpp"
#include "arch/traps.hpp"
#include "arch/user_mode_test_support.hpp"
#include "hal/clock.hpp"
#include "hal/hooks.hpp"
#include "hal/interrupts.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "smp/context/context.hpp"
#include "smp/rcu/rcu.hpp"
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
constexpr u64 kFlagsOfUser = 0x202;
constexpr unsigned kEnded = ~0u;

u64 address_of(char const* program) { return kCode.value() + static_cast<u64>(program - user_programs); }

// One program, from its entry to its end or its first exception.
struct Run {
    Ref<vm::AddressSpace> space;
    TrapFrame start{};
    void* fpu_area = nullptr;
    // What became of it:
    unsigned vector = 0;  // kEnded: the system call 0
    u64 result = 0;       // its argument, or the exception's address
    u64 kernel_flags = 0;
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
    run.kernel_flags |= read_flags();
    switch (frame.syscall_number()) {
        case 1: frame.set_return_value(frame.rdi + 1); return;
        case 2:
            frame.set_return_value(frame.rdi + 1);
            frame.vector = 0;  // no longer a system call's frame: the way back is iretq
            return;
        default: break;
    }
    run.vector = kEnded;
    run.result = frame.rdi;
    run.end = frame;
    end_run();
}

void on_exception(TrapFrame& frame, unsigned vector, VirtAddr address) {
    Run& run = current_run();
    run.kernel_flags |= read_flags();
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

Result<> prepare(Run& run, u64 entry, u64 number) {
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
    run.start.rip = entry;
    run.start.cs = kUserCodeSelector;
    run.start.ss = kUserDataSelector;
    run.start.rsp = kStack.value() + kPageSize - 64;
    run.start.rflags = kFlagsOfUser;
    run.start.rdi = number;
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

// The kernel is entered with interrupts on, and with the flags that would disturb its code clear.
constexpr u64 kFlagsThatMatter = 0x4000 | 0x400 | 0x200 | 0x100;  // NT, DF, IF, TF

void execute(Run& run) {
    auto thread = launch(run);
    REQUIRE(thread.has_value());
    EXPECT((*thread)->join().has_value());
    u64 const flags = kFlagsThatMatter | more_flags_that_matter();
    EXPECT_EQ(run.kernel_flags & flags, kFlagInterrupt);
}

void expect_result(char const* program, u64 wanted) {
    Handlers const handlers;
    Run run;
    REQUIRE(prepare(run, address_of(program), 7).has_value());
    execute(run);
    EXPECT_EQ(run.vector, kEnded);
    EXPECT_EQ(run.result, wanted);
}

PROGRAM(ends);
PROGRAM(keeps_registers_over_sysret);
PROGRAM(keeps_registers_over_iret);
PROGRAM(keeps_registers_over_preemption);
PROGRAM(calls_all_the_time);
PROGRAM(spins_until_told);
PROGRAM(loads_segments);

TEST(user_mode, a_program_runs_and_ends) { expect_result(program_ends, 42); }
TEST(user_mode, system_calls_keep_registers) {
    expect_result(program_keeps_registers_over_sysret, 1);
    expect_result(program_keeps_registers_over_iret, 1);
}
TEST(user_mode, segment_registers_are_the_programs_own) { expect_result(program_loads_segments, 1); }

TEST_ALL_CPUS(user_mode, preemption_keeps_all_registers) {
    static constinit std::atomic<Handlers*> handlers{nullptr};
    harness::meet();
    if (cpu == CpuId{0}) handlers.store(new (std::nothrow) Handlers, std::memory_order_release);
    harness::meet();
    if (kManyAddressSpaces || cpu == CpuId{0}) {
        constexpr u32 kPrograms = 3;  // on one CPU
        Run runs[kPrograms];
        Ref<sched::Thread> threads[kPrograms];
        Result<smp::CpuSet> set = smp::CpuSet::create(smp::cpu_count());
        EXPECT(set.has_value());
        if (set) set->add(cpu);
        // All before the first is started: preparing needs this CPU's address space for itself.
        bool ready = set.has_value();
        for (u32 i = 0; i < kPrograms; ++i)
            ready = EXPECT(prepare(runs[i], address_of(program_keeps_registers_over_preemption), cpu.value() * 100 + i)) &&
                    ready;
        for (u32 i = 0; ready && i < kPrograms; ++i) {
            auto thread = launch(runs[i], &*set);
            if (EXPECT(thread.has_value())) threads[i] = std::move(*thread);
        }
        u64 preemptions = 0;
        for (u32 i = 0; i < kPrograms; ++i) {
            if (!threads[i]) continue;
            EXPECT(threads[i]->join().has_value());
            EXPECT_EQ(runs[i].vector, kEnded);
            EXPECT_EQ(runs[i].result, u64{1});
            preemptions += threads[i]->involuntary_switches();
        }
        EXPECT(preemptions != 0);
    }
    harness::meet();
    if (cpu == CpuId{0}) delete handlers.exchange(nullptr, std::memory_order_acquire);
}

// A program that never enters the kernel by itself is no reader, and must not hold up those who wait for readers.
TEST(user_mode, a_spinning_program_holds_up_no_grace_period, .min_cpus = 2) {
    Handlers const handlers;
    Run run;
    REQUIRE(prepare(run, address_of(program_spins_until_told), 0).has_value());
    Result<smp::CpuSet> set = smp::CpuSet::create(smp::cpu_count());
    REQUIRE(set.has_value());
    set->add(CpuId{smp::this_cpu_unstable() == CpuId{0} ? 1u : 0u});
    auto thread = launch(run, &*set);
    REQUIRE(thread.has_value());
    u32 runs = 0;
    while (runs == 0) {
        vm::in_space(run.space, [&] { EXPECT(vm::copy_from_user(&runs, kData + 8, sizeof runs).has_value()); });
        sched::yield();
    }
    u64 const before = smp::rcu::statistics().interrupts;
    for (u32 i = 0; i < 20; ++i) smp::rcu::synchronize();
    // Without an interrupt each would wait for the next that comes anyhow.
    EXPECT(smp::rcu::statistics().interrupts > before);
    EXPECT(!(*thread)->has_ended());
    u32 const end = 1;
    vm::in_space(run.space, [&] { EXPECT(vm::copy_to_user(kData, &end, sizeof end).has_value()); });
    EXPECT((*thread)->join().has_value());
    EXPECT_EQ(run.vector, kEnded);
    EXPECT_EQ(run.result, u64{1});
}

// NMIs hit between any two instructions, those of the entry code with the program's GS and stack included.
TEST_ALL_CPUS(user_mode, nmis_may_hit_anywhere) {
    static constinit std::atomic<Handlers*> handlers{nullptr};
    static constinit std::atomic<u64> taken{0};
    static constinit std::atomic<u32> running{0};
    static constinit bool (*before)(TrapFrame&) = nullptr;
    harness::meet();
    if (cpu == CpuId{0}) {
        handlers.store(new (std::nothrow) Handlers, std::memory_order_release);
        taken.store(0, std::memory_order_relaxed);
        running.store(kManyAddressSpaces ? cpus : std::min(cpus, 2u), std::memory_order_relaxed);
        before = hal::hooks.nmi;
        hal::hooks.nmi = [](TrapFrame&) ISR_SAFE_LAMBDA {
            // A per-CPU access: GS must be right here.
            bool const right = percpu_load(percpu_base_self) == gs_base();
            taken.fetch_add(right ? 1 : u64{1} << 32, std::memory_order_relaxed);
            return true;
        };
    }
    harness::meet();
    // Every other CPU shoots at its neighbour, which runs the program. A CPU alone shoots at itself, between slices.
    bool const shoots_only = cpu.value() % 2 == 1;
    if (!kManyAddressSpaces && cpu.value() > 1) {
    } else if (shoots_only) {
        // From a burst to one each millisecond and back: whatever an NMI costs here, the program gets on as well.
        u32 shot = 0;
        do {
            hal::send_nmi(CpuId{cpu.value() - 1});
            Deadline const next = hal::now() + Nanoseconds{i64{1} << shot % 20};
            do {
                for (u32 i = 0; i < 50; ++i) pause();
            } while (hal::now() < next);
            ++shot;
        } while (running.load(std::memory_order_relaxed) > (kManyAddressSpaces ? cpus / 2 : 1));
    } else {
        Run run;
        Result<smp::CpuSet> set = smp::CpuSet::create(smp::cpu_count());
        EXPECT(set.has_value());
        if (set) set->add(cpu);
        bool const ready = set && EXPECT(prepare(run, address_of(program_calls_all_the_time), cpu.value()));
        auto thread = ready ? launch(run, &*set) : fail(Error::NoMemory);
        if (EXPECT(thread.has_value())) {
            if (cpus == 1) do {
                for (u32 i = 0; i < 20; ++i) hal::send_nmi(cpu);
                sched::yield();
            } while (!(*thread)->has_ended());
            EXPECT((*thread)->join().has_value());
            EXPECT_EQ(run.vector, kEnded);
            EXPECT_EQ(run.result, u64{1});
        }
        running.fetch_sub(1, std::memory_order_relaxed);
    }
    harness::meet();
    if (cpu == CpuId{0}) {
        hal::hooks.nmi = before;
        u64 const count = taken.load(std::memory_order_relaxed);
        EXPECT_EQ(count >> 32, u64{0});
        EXPECT(count > 0);
        harness::note("{} NMIs taken", count);
        delete handlers.exchange(nullptr, std::memory_order_acquire);
    }
}

constexpr unsigned kDebug = kVectorDebug, kTrap = kVectorBreakpoint, kProtection = kVectorGeneralProtection;
struct Misdeed {
    char const* name;
    char const* program;
    unsigned vector;
    u64 address = 0;       // of a page fault
    unsigned instead = 0;  // exception that is as good
};
constexpr u64 kOwnCode = 1;  // instead of an address: that of program_ends

#define MISDEED(name, ...) extern "C" char const program_##name[];
#include "arch/user_mode_misdeeds.inc"
#undef MISDEED
constexpr Misdeed kMisdeeds[] = {
#define MISDEED(name, ...) {#name, program_##name, __VA_ARGS__},
#include "arch/user_mode_misdeeds.inc"
#undef MISDEED
};

TEST(user_mode, misdeeds_become_exceptions_of_the_program) {
    Handlers const handlers;
    for (Misdeed const& misdeed : kMisdeeds) {
        Run run;
        REQUIRE(prepare(run, address_of(misdeed.program), 0).has_value());
        execute(run);
        if (misdeed.instead != 0 && run.vector == misdeed.instead) continue;
        bool ok = EXPECT_EQ(run.vector, misdeed.vector);
        ok = EXPECT(run.vector == kEnded || run.end.is_user()) && ok;
        if (misdeed.vector == kVectorPageFault) ok =
            ok = EXPECT_EQ(run.result, misdeed.address == kOwnCode ? address_of(program_ends) : misdeed.address) && ok;
        if (!ok) harness::note("in {}", misdeed.name);
    }
}

// What iretq refuses must not hurt the kernel: a program can ask for it in a signal frame.
TEST(user_mode, a_frame_that_the_cpu_refuses_is_a_fault_of_the_program) {
    Handlers const handlers;
    struct {
        char const* what;
        void (*spoil)(TrapFrame&);
    } const kFrames[] = {
        {"instruction pointer not canonical", [](TrapFrame& frame) { frame.rip = u64{1} << 63; }},
        {"instruction pointer in the hole", [](TrapFrame& frame) { frame.rip = u64{1} << 47; }},
        {"stack selector beyond the table", [](TrapFrame& frame) { frame.ss = 0x1003; }},
        {"stack selector of an empty entry", [](TrapFrame& frame) { frame.ss = 0x0b; }},
        {"code selector that is data", [](TrapFrame& frame) { frame.cs = kUserDataSelector; }},
        {"code selector beyond the table", [](TrapFrame& frame) { frame.cs = 0x1003; }},
    };
    for (auto const& frame : kFrames) {
        Run run;
        REQUIRE(prepare(run, address_of(program_ends), 0).has_value());
        frame.spoil(run.start);
        run.start.r15 = 0x1234;
        execute(run);
        bool ok = EXPECT(run.vector == kVectorGeneralProtection || run.vector == kVectorStackSegment || run.vector == 11);
        ok = EXPECT(run.end.is_user()) && ok;
        ok = EXPECT_EQ(run.end.rip, run.start.rip) && ok;
        ok = EXPECT_EQ(run.end.r15, u64{0x1234}) && ok;
        if (!ok) harness::note("{}: vector {}", frame.what, run.vector);
    }
}

}  // namespace
}  // namespace tutti::arch
