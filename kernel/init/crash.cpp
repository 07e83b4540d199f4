// SPDX-License-Identifier: BSD-3-Clause
#include "init/crash.hpp"

#include <algorithm>
#include <atomic>

#include "arch/cpu.hpp"
#include "arch/misdeeds.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/hooks.hpp"
#include "sched/thread.hpp"
#include "smp/debug/panic.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::init {
namespace {

ALWAYS_INLINE void write_to(u64 address) { *reinterpret_cast<u64 volatile*>(address) = 1; }

ISR_SAFE void crash_null() { write_to(8); }
void crash_divide() { arch::divide_by_zero(); }
void crash_invalid() { arch::undefined_instruction(); }
void crash_text() { write_to(reinterpret_cast<u64>(&crash_null)); }
void crash_data() {
    alignas(16) static constinit u8 code[16] = {};
    std::ranges::copy(arch::kReturnCode, code);
    arch::call_code(code);
}
void crash_user() { write_to(0x400000); }
NOINLINE ISR_SAFE u64 recurse(u64 depth) {
    u64 volatile room[16] = {depth};
    if (room[0] == ~u64{0}) return 0;  // never, but the compiler need not know
    return recurse(depth + 1) + room[depth % 16];
}
void crash_stack() { (void)recurse(0); }
// In an interrupt handler, on the stack of another CPU's idle thread if there is another CPU.
void crash_idle_stack() {
    smp::call_on(CpuId{smp::cpu_count() - 1}, [](void*) ISR_SAFE_LAMBDA { (void)recurse(0); }, nullptr, smp::Wait::Yes);
}
void crash_bug() { panic("a bug on purpose, number {}", 7); }
// A fault in the report itself must end the machine too.
void crash_nested() {
    hal::hooks.describe_context = []() ISR_SAFE_LAMBDA { write_to(8); };
    crash_bug();
}
// Several CPUs fail in the same moment: one report, which tells of the others.
void crash_all_cpus() {
    static constinit std::atomic<u32> arrived{0};
    smp::call_on_others(
        [](void*) ISR_SAFE_LAMBDA {
            arrived.fetch_add(1, std::memory_order_relaxed);
            while (arrived.load(std::memory_order_relaxed) < smp::online_count()) arch::pause();
            crash_null();
        },
        nullptr, smp::Wait::No);
    arrived.fetch_add(1, std::memory_order_relaxed);
    while (arrived.load(std::memory_order_relaxed) < smp::online_count()) arch::pause();
    crash_divide();
}

struct Crash {
    std::string_view kind;
    void (*run)();
};
constexpr Crash kCrashes[] = {
    {"null", crash_null},   {"divide", crash_divide}, {"invalid", crash_invalid}, {"text", crash_text},
    {"data", crash_data},   {"user", crash_user},     {"stack", crash_stack},     {"boot_stack", crash_stack},
    {"idle_stack", crash_idle_stack}, {"bug", crash_bug}, {"nested", crash_nested}, {"all_cpus", crash_all_cpus},
};

consteval bool knows_every_kind() {
    return std::ranges::equal(kCrashes, kCrashKinds, {}, &Crash::kind);
}
static_assert(knows_every_kind());

}  // namespace

void crash_on_purpose(std::string_view kind) {
    Crash const* const crash = std::ranges::find(kCrashes, kind, &Crash::kind);
    CHECK(crash != std::end(kCrashes));
    if (kind == "boot_stack" || kind == "idle_stack") {
        crash->run();  // on the stack of the boot context, so that the other CPUs stay idle
    } else {
        auto thread = sched::Thread::create(
            {.name = "crasher"}, [](void* argument) { static_cast<Crash const*>(argument)->run(); },
            const_cast<Crash*>(crash));
        CHECK(thread, "no memory for a thread");
        (*thread)->start();
        (void)(*thread)->join();
    }
    log_error("crash={} did not crash", kind);
}

}  // namespace tutti::init
