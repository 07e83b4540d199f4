// SPDX-License-Identifier: BSD-3-Clause
// What is made of a signal's frame, from frames that no storm would give in time.
#include "arch/signal_context.hpp"

#include "base/compiler.hpp"
#include "harness/test.hpp"

extern "C" {
extern char hosted_resume_window[];
extern char hosted_resume_window_end[];
}

namespace tutti::arch {
namespace {

constexpr u64 kContextInFrame = sizeof(TrapFrame) + 128;  // behind the registers and the signal's information

// Where an interrupted context goes on that was at `address`.
u64 goes_on_at(u64 address) {
    static constinit ucontext_t context{};
    alignas(16) static constinit u8 stack[16384]{};
    context.uc_mcontext.pc = address;
    context.uc_mcontext.sp = reinterpret_cast<u64>(stack + sizeof stack);
    context.uc_mcontext.regs[7] = 77;
    TrapFrame const* const frame = push_kernel_frame(context, {});
    auto const& copy = *reinterpret_cast<ucontext_t const*>(reinterpret_cast<u64>(frame) + kContextInFrame);
    EXPECT_EQ(frame->elr, address);
    EXPECT_EQ(copy.uc_mcontext.regs[7], u64{77});
    EXPECT((copy.uc_stack.ss_flags & ~(SS_ONSTACK | SS_DISABLE)) != 0);
    return copy.uc_mcontext.pc;
}

TEST(hosted, a_way_back_that_is_interrupted_begins_anew) {
    u64 const begin = reinterpret_cast<u64>(hosted_resume_window);
    u64 const end = reinterpret_cast<u64>(hosted_resume_window_end);
    EXPECT(end > begin);
    for (u64 at = begin; at < end; at += 4) EXPECT_EQ(goes_on_at(at), begin);
    EXPECT_EQ(goes_on_at(begin - 4), begin - 4);
    EXPECT_EQ(goes_on_at(end), end);
}

HostAccess access_of(u32 instruction) {
    static constinit ucontext_t context{};
    static constinit u32 code = 0;
    code = instruction;
    context.uc_mcontext.pc = reinterpret_cast<u64>(&code);
    siginfo_t information{};
    information.si_code = SEGV_MAPERR;
    information.si_addr = reinterpret_cast<void*>(0x1000);
    return fault_of(SIGSEGV, information, context).access;
}

TEST(hosted, loads_are_told_from_stores) {
    constexpr u32 kLoads[] = {
        0xf9400020,  // ldr x0, [x1]
        0x39400020,  // ldrb w0, [x1]
        0xb9800020,  // ldrsw x0, [x1]
        0xf8400820,  // ldtr x0, [x1]
        0xa9400820,  // ldp x0, x2, [x1]
        0xc85f7c20,  // ldxr x0, [x1]
        0x88dffc20,  // ldar w0, [x1]
        0x3dc00020,  // ldr q0, [x1]
        0x4c407820,  // ld1 {v0.4s}, [x1]
    };
    constexpr u32 kStores[] = {
        0xf9000020,  // str x0, [x1]
        0x39000020,  // strb w0, [x1]
        0xf8000820,  // sttr x0, [x1]
        0x38000820,  // sttrb w0, [x1]
        0xa9000820,  // stp x0, x2, [x1]
        0xc8027c20,  // stxr w2, x0, [x1]
        0x889ffc20,  // stlr w0, [x1]
        0x88a07c22,  // cas w0, w2, [x1]
        0xb8200022,  // ldadd w0, w2, [x1]
        0x3d800020,  // str q0, [x1]
        0x4c007820,  // st1 {v0.4s}, [x1]
    };
    for (u32 const instruction : kLoads)
        if (!EXPECT(access_of(instruction) == HostAccess::Read)) harness::note("{:#x}", instruction);
    for (u32 const instruction : kStores)
        if (!EXPECT(access_of(instruction) == HostAccess::Write)) harness::note("{:#x}", instruction);
}

}  // namespace
}  // namespace tutti::arch
