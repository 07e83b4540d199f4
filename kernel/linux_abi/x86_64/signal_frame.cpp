// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/machine/signal_frame.hpp"

#include <cstddef>

#include "arch/fpu.hpp"
#include "base/bits.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

namespace {

struct SigContext {
    u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    u16 cs, gs, fs, ss;
    u64 error_code, trap_number, old_mask, cr2;
    u64 fpstate;
    u64 reserved[8];
};
static_assert(sizeof(SigContext) == 256);

struct UContext {
    u64 flags;
    u64 link;
    SigAltStack stack;
    SigContext machine;
    SignalSet mask;
};
static_assert(sizeof(UContext) == 304);

// At the handler's stack pointer: the return address, then what rt_sigreturn reads.
struct SignalFrame {
    u64 return_address;
    UContext context;
    SigInfo info;
};
static_assert(sizeof(SignalFrame) == 440);

enum UContextFlag : u64 { kUcFpXstate = 1, kUcSigContextSs = 2, kUcStrictRestoreSs = 4 };

// What Linux writes into the software-reserved bytes of the FXSAVE area, so that the program can tell how much state
// there is (struct _fpx_sw_bytes).
struct FpuSoftwareBytes {
    u32 magic1;
    u32 extended_size;
    u64 features;
    u32 state_size;
    u32 padding[7];
};
static_assert(sizeof(FpuSoftwareBytes) == 48);
constexpr u64 kFpuSoftwareOffset = 464;
constexpr u32 kFpuMagic1 = 0x46505853;
constexpr u32 kFpuMagic2 = 0x46505845;  // follows the state
constexpr u64 kFxsaveSize = 512;

constexpr u64 kRedZone = 128;  // below the stack pointer, used without moving it (x86-64 psABI 3.2.2)

// Flags that a program may set itself; the others keep the kernel's values.
constexpr u64 kUserFlags = 0x0000'0000'0005'0dd5;  // AC OF DF TF SF ZF AF PF CF RF
constexpr u64 kInterruptFlag = 0x200;
constexpr u64 kTrapAndDirectionFlags = 0x500 | 0x10000;  // TF, DF, RF
constexpr u64 kUserEnd = 0x0000'7fff'ffff'f000;

// XSAVE, not FXSAVE.
bool extended_state() { return arch::fpu_features() != 0; }

SigContext capture(Task const& task, arch::TrapFrame const& frame) {
    SigContext context{};
    context.r8 = frame.r8, context.r9 = frame.r9, context.r10 = frame.r10, context.r11 = frame.r11;
    context.r12 = frame.r12, context.r13 = frame.r13, context.r14 = frame.r14, context.r15 = frame.r15;
    context.rdi = frame.rdi, context.rsi = frame.rsi, context.rbp = frame.rbp, context.rbx = frame.rbx;
    context.rdx = frame.rdx, context.rax = frame.rax, context.rcx = frame.rcx, context.rsp = frame.rsp;
    context.rip = frame.rip, context.rflags = frame.rflags;
    context.cs = static_cast<u16>(frame.cs), context.ss = static_cast<u16>(frame.ss);
    context.error_code = task.fault_error_code;
    context.trap_number = static_cast<u64>(task.fault_vector);
    context.cr2 = task.fault_address;
    return context;
}

void restore(SigContext const& context, arch::TrapFrame& frame) {
    frame.r8 = context.r8, frame.r9 = context.r9, frame.r10 = context.r10, frame.r11 = context.r11;
    frame.r12 = context.r12, frame.r13 = context.r13, frame.r14 = context.r14, frame.r15 = context.r15;
    frame.rdi = context.rdi, frame.rsi = context.rsi, frame.rbp = context.rbp, frame.rbx = context.rbx;
    frame.rdx = context.rdx, frame.rax = context.rax, frame.rcx = context.rcx, frame.rsp = context.rsp;
    frame.rip = context.rip;
    frame.rflags = (context.rflags & kUserFlags) | (frame.rflags & ~kUserFlags) | kInterruptFlag;
    // cs and ss stay the program's own: there is only one user mode.
}

// Copies the FPU state to `address` (64-byte aligned) with Linux's marks around it.
bool write_fpu_state(Task& task, u64 address) {
    FpuState& fpu = task.fpu;
    fpu.save_current();
    u64 const size = fpu.size();
    if (!vm::copy_to_user(VirtAddr{address}, fpu.bytes(), size)) return false;
    if (!extended_state()) return true;
    FpuSoftwareBytes software{};
    software.magic1 = kFpuMagic1;
    software.extended_size = static_cast<u32>(size + sizeof(u32));
    software.features = arch::fpu_features();
    software.state_size = static_cast<u32>(size);
    return write_user(UserPtr<FpuSoftwareBytes>{address + kFpuSoftwareOffset}, software).has_value() &&
           write_user(UserPtr<u32>{address + size}, kFpuMagic2).has_value();
}

bool read_fpu_state(Task& task, u64 address) {
    FpuState& fpu = task.fpu;
    if (address == 0) {
        fpu.reset();
        return true;
    }
    u64 length = kFxsaveSize;
    if (extended_state()) {
        auto const software = read_user(UserPtr<FpuSoftwareBytes>{address + kFpuSoftwareOffset});
        if (!software) return false;
        u64 const size = software->state_size;
        if (software->magic1 == kFpuMagic1 && size >= kFxsaveSize + 64 && size <= fpu.size() &&
            software->extended_size >= size + sizeof(u32)) {
            auto const magic2 = read_user(UserPtr<u32>{address + size});
            if (magic2 && *magic2 == kFpuMagic2) length = size;
        }
    }
    return fpu.load_from_user(VirtAddr{address}, length).has_value();
}

}  // namespace

bool is_on_alt_stack(Task const& task, u64 stack_pointer) {
    SigAltStack const& stack = task.alt_stack;
    if ((stack.flags & (kSsDisable | kSsAutoDisarm)) != 0) return false;
    return stack_pointer > stack.base && stack_pointer - stack.base <= stack.size;
}

bool push_signal_frame(Task& task, arch::TrapFrame& frame, SigInfo const& info, SigAction const& action,
                       SignalSet mask_to_restore) {
    if ((action.flags & kSaRestorer) == 0) return false;  // x86_64 has no other way back

    u64 top = frame.rsp - kRedZone;
    bool const already_there = is_on_alt_stack(task, frame.rsp);
    bool const switch_stack = (action.flags & kSaOnStack) != 0 && !already_there &&
                              (task.alt_stack.flags & kSsDisable) == 0 && task.alt_stack.size != 0;
    if (switch_stack) top = task.alt_stack.base + task.alt_stack.size;

    u64 const fpu_size = task.fpu.size() + (extended_state() ? sizeof(u32) : 0);
    u64 const fpu_address = align_down(top - fpu_size, 64);
    // As at a function's entry: 16-byte aligned before the return address was pushed.
    u64 const frame_address = align_down(fpu_address - sizeof(SignalFrame), 16) - 8;
    if (top > kUserEnd || frame_address > top) return false;
    bool const on_alt_stack = switch_stack || already_there;
    if (on_alt_stack && frame_address < task.alt_stack.base) return false;  // would overflow it

    SignalFrame out{};
    out.return_address = action.restorer;
    out.context.flags = kUcSigContextSs | kUcStrictRestoreSs | (extended_state() ? kUcFpXstate : 0);
    out.context.stack = task.alt_stack;
    if ((task.alt_stack.flags & kSsDisable) == 0 && already_there) out.context.stack.flags |= kSsOnStack;
    out.context.machine = capture(task, frame);
    out.context.machine.fpstate = fpu_address;
    out.context.machine.old_mask = mask_to_restore.bits();
    out.context.mask = mask_to_restore;
    out.info = info;
    if (!write_fpu_state(task, fpu_address)) return false;
    if (!write_user(UserPtr<SignalFrame>{frame_address}, out)) return false;

    if (switch_stack && (task.alt_stack.flags & kSsAutoDisarm) != 0) task.alt_stack = {.flags = kSsDisable};
    frame.rdi = static_cast<u64>(info.signo);
    frame.rsi = frame_address + offsetof(SignalFrame, info);
    frame.rdx = frame_address + offsetof(SignalFrame, context);
    frame.rax = 0;  // no vector registers are passed to a variadic handler
    frame.rip = action.handler;
    frame.rsp = frame_address;
    frame.rflags &= ~kTrapAndDirectionFlags;
    frame.force_full_return();
    return true;
}

bool pop_signal_frame(Task& task, arch::TrapFrame& frame) {
    // The handler's `ret` took the return address off.
    auto const in = read_user(UserPtr<SignalFrame>{frame.rsp - 8});
    if (!in) return false;
    SigContext const& machine = in->context.machine;
    if (machine.rip > kUserEnd) return false;
    if (!read_fpu_state(task, machine.fpstate)) return false;
    restore(machine, frame);
    frame.force_full_return();
    SigAltStack stack = in->context.stack;
    stack.flags &= kSsDisable | kSsAutoDisarm;
    if ((stack.flags & kSsDisable) != 0 || stack.size >= kMinSigStackSize) task.alt_stack = stack;
    set_blocked_mask(task, in->context.mask);
    return true;
}

void rewind_to_system_call(arch::TrapFrame& frame, u64 number) {
    constexpr u64 kSyscallInstructionSize = 2;
    frame.rip -= kSyscallInstructionSize;
    frame.rax = number;
    frame.force_full_return();
}

}  // namespace tutti::linux_abi
