// SPDX-License-Identifier: BSD-3-Clause
//
//     sp at the handler ->  siginfo, ucontext      SignalFrame; 16-byte aligned
//                           x29, x30               a frame record, to which x29 points: backtraces go on
//     sp before -------->
//
// The context's registers are followed by records, each with a head that tells its kind and size: floating-point state,
// after a fault its syndrome, and the end.
#include "linux_abi/machine/signal_frame.hpp"

#include <cstddef>

#include "arch/fpu.hpp"
#include "base/bits.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

namespace {

struct RecordHead {
    u32 magic = 0;  // 0: the end
    u32 size = 0;   // of the record with its head
};
constexpr u32 kFpsimdMagic = 0x4650'8001;
constexpr u32 kEsrMagic = 0x4553'5201;
constexpr u32 kFpsimdSize = 528;
constexpr u32 kEsrSize = 16;
constexpr size_t kRecordSpace = 4096;

struct SigContext {
    u64 fault_address;
    u64 x[31];
    u64 sp, pc, pstate;
    alignas(16) u8 records[kRecordSpace];
};
static_assert(offsetof(SigContext, records) == 288 && sizeof(SigContext) == 4384);

struct UContext {
    u64 flags;
    u64 link;
    SigAltStack stack;
    SignalSet mask;
    u8 unused[120];
    SigContext machine;
};
static_assert(offsetof(UContext, machine) == 176);

struct SignalFrame {
    SigInfo info;
    UContext context;
};
static_assert(sizeof(SignalFrame) == kSignalFrameSize && offsetof(SignalFrame, context) == 128);

// Neither is on the kernel's stack as a whole: the records are written and read one by one.
constexpr u64 kRecordsOffset = offsetof(SignalFrame, context.machine.records);
struct FrameHead {
    SigInfo info;
    u64 flags, link;
    SigAltStack stack;
    SignalSet mask;
    u8 unused[128];  // with padding before the machine's context
    u64 fault_address;
    u64 x[31];
    u64 sp, pc, pstate;
};
static_assert(sizeof(FrameHead) == offsetof(SignalFrame, context.machine.pstate) + sizeof(u64));
static_assert(offsetof(FrameHead, fault_address) == offsetof(SignalFrame, context.machine));

struct FrameRecord {
    u64 frame_pointer, link_register;
};

constexpr u64 kSvcSize = 4;
// Of a program's processor state: what a frame restores, what a handler starts with cleared, and what no program has set
// (Arm ARM, SPSR_EL1).
constexpr u64 kConditionFlags = 0xf000'0000;
constexpr u64 kBranchType = 3 << 10;
constexpr u64 kSpeculativeStoreBypass = 1 << 12;
constexpr u64 kDataIndependentTiming = 1 << 24;
constexpr u64 kIllegalState = 1 << 20;
constexpr u64 kSoftwareStep = 1 << 21;
constexpr u64 kTagCheckOverride = 1 << 25;
constexpr u64 kRestored = kConditionFlags | kTagCheckOverride | kDataIndependentTiming | kSpeculativeStoreBypass | kBranchType;
constexpr u64 kClearedForHandler = kBranchType | kIllegalState | kSoftwareStep | kTagCheckOverride;
constexpr u64 kNoPrograms = 0x1f | 0xf << 6;  // another exception level, 32-bit state, interrupts masked

bool write_records(Task& task, u64 address) {
    task.fpu.save_current();
    if (!vm::copy_to_user(VirtAddr{address}, task.fpu.bytes(), task.fpu.size())) return false;
    // The head's place in the area is free (arch/fpu.hpp).
    if (!write_user(UserPtr<RecordHead>{address}, RecordHead{kFpsimdMagic, kFpsimdSize})) return false;
    address += kFpsimdSize;
    if (task.fault_error_code != 0) {
        if (!write_user(UserPtr<RecordHead>{address}, RecordHead{kEsrMagic, kEsrSize}) ||
            !write_user(UserPtr<u64>{address + sizeof(RecordHead)}, task.fault_error_code))
            return false;
        address += kEsrSize;
    }
    return write_user(UserPtr<RecordHead>{address}, RecordHead{}).has_value();
}

// Where the floating-point record of a frame is, which must have exactly one; 0: it is damaged.
u64 find_fpsimd(u64 records) {
    u64 found = 0;
    for (u64 offset = 0; offset + sizeof(RecordHead) <= kRecordSpace;) {
        auto const head = read_user(UserPtr<RecordHead>{records + offset});
        if (!head) return 0;
        if (head->magic == 0) return head->size == 0 ? found : 0;
        if (head->size < sizeof(RecordHead) || head->size % 16 != 0 || head->size > kRecordSpace - offset) return 0;
        if (head->magic == kFpsimdMagic) {
            if (found != 0 || head->size != kFpsimdSize) return 0;
            found = records + offset;
        } else if (head->magic != kEsrMagic) {
            return 0;
        }
        offset += head->size;
    }
    return 0;
}

}  // namespace

bool is_on_alt_stack(Task const& task, u64 stack_pointer) {
    SigAltStack const& stack = task.alt_stack;
    if ((stack.flags & (kSsDisable | kSsAutoDisarm)) != 0) return false;
    return stack_pointer > stack.base && stack_pointer - stack.base <= stack.size;
}

bool push_signal_frame(Task& task, arch::TrapFrame& frame, SigInfo const& info, SigAction const& action,
                       SignalSet mask_to_restore) {
    u64 const restorer = (action.flags & kSaRestorer) != 0 ? action.restorer : task.process().image().signal_return.value();
    if (restorer == 0) return false;  // no vDSO

    u64 top = frame.sp;
    bool const already_there = is_on_alt_stack(task, frame.sp);
    bool const switch_stack = (action.flags & kSaOnStack) != 0 && !already_there &&
                              (task.alt_stack.flags & kSsDisable) == 0 && task.alt_stack.size != 0;
    if (switch_stack) top = task.alt_stack.base + task.alt_stack.size;

    u64 const record_address = align_down(top - sizeof(FrameRecord), 16);
    u64 const frame_address = record_address - sizeof(SignalFrame);
    if ((switch_stack || already_there) && frame_address < task.alt_stack.base) return false;  // would overflow it

    FrameHead out{};
    out.info = info;
    out.stack = task.alt_stack;
    if ((task.alt_stack.flags & kSsDisable) == 0 && already_there) out.stack.flags |= kSsOnStack;
    out.mask = mask_to_restore;
    out.fault_address = task.fault_address;
    for (unsigned i = 0; i < 31; ++i) out.x[i] = frame.x[i];
    out.sp = frame.sp, out.pc = frame.elr, out.pstate = frame.spsr;
    if (!write_user(UserPtr<FrameHead>{frame_address}, out)) return false;
    if (!write_records(task, frame_address + kRecordsOffset)) return false;
    if (!write_user(UserPtr<FrameRecord>{record_address}, FrameRecord{frame.x[29], frame.x[30]})) return false;

    if (switch_stack && (task.alt_stack.flags & kSsAutoDisarm) != 0) task.alt_stack = {.flags = kSsDisable};
    frame.x[0] = static_cast<u64>(info.signo);
    frame.x[1] = frame_address + offsetof(SignalFrame, info);
    frame.x[2] = frame_address + offsetof(SignalFrame, context);
    frame.x[29] = record_address;
    frame.x[30] = restorer;
    frame.elr = action.handler;
    frame.sp = frame_address;
    frame.spsr &= ~kClearedForHandler;
    return true;
}

bool pop_signal_frame(Task& task, arch::TrapFrame& frame) {
    if (frame.sp % 16 != 0) return false;
    auto const in = read_user(UserPtr<FrameHead>{frame.sp});
    if (!in || (in->pstate & kNoPrograms) != 0) return false;
    u64 const state = find_fpsimd(frame.sp + kRecordsOffset);
    if (state == 0 || !task.fpu.load_from_user(VirtAddr{state}, kFpsimdSize)) return false;
    for (unsigned i = 0; i < 31; ++i) frame.x[i] = in->x[i];
    frame.sp = in->sp;
    frame.elr = in->pc;
    frame.spsr = (in->pstate & kRestored) | (frame.spsr & ~(kRestored | kClearedForHandler));
    SigAltStack stack = in->stack;
    stack.flags &= kSsDisable | kSsAutoDisarm;
    if ((stack.flags & kSsDisable) != 0 || stack.size >= kMinSigStackSize) task.alt_stack = stack;
    set_blocked_mask(task, in->mask);
    return true;
}

void rewind_to_system_call(arch::TrapFrame& frame, u64 number) {
    frame.elr -= kSvcSize;
    frame.x[0] = frame.first_argument;
    frame.x[8] = number;
}

}  // namespace tutti::linux_abi
