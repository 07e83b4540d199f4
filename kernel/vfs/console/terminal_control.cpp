// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/console/terminal_control.hpp"

#include "drivers/link/host_link.hpp"
#include "smp/spin/spin.hpp"
#include "vm/user_copy.hpp"

namespace tutti::vfs {

namespace {

constexpr size_t kControlCharacters = 19;
struct Termios {
    u32 input_flags, output_flags, control_flags, local_flags;
    u8 line;
    u8 characters[kControlCharacters];
};
static_assert(sizeof(Termios) == 36);

struct WindowSizeAnswer {
    u16 rows, columns, x_pixels, y_pixels;
};

// A fresh Linux terminal ("stty sane").
constexpr Termios kSane = {
    .input_flags = 0x4500,    // ICRNL IXON IUTF8
    .output_flags = 0x5,      // OPOST ONLCR
    .control_flags = 0xbf,    // B38400 CS8 CREAD
    .local_flags = 0x8a3b,    // ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN
    .line = 0,
    .characters = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0},
};

constinit smp::SpinLock settings_lock{smp::LockRank::File, "terminal settings"};
// What programs set is remembered and shown, as they expect; the host's terminal keeps its own settings.
constinit Termios settings GUARDED_BY(settings_lock) = kSane;

enum Command : u32 {
    kGet = 0x5401, kSet = 0x5402, kSetAfterOutput = 0x5403, kSetFlush = 0x5404, kSendBreak = 0x5409, kFlow = 0x540a,
    kFlush = 0x540b, kBecomeControlling = 0x540e, kGetGroup = 0x540f, kSetGroup = 0x5410, kOutputQueued = 0x5411,
    kGetWindow = 0x5413, kSetWindow = 0x5414, kGiveUpControlling = 0x5422, kGetSession = 0x5429,
};

constexpr i32 kForegroundGroup = 2;  // the one process's group: linux_abi gives it this number

}  // namespace

Result<i64> answer_int(u64 address, i32 value) {
    TRY(vm::copy_to_user(VirtAddr{address}, &value, sizeof value));
    return i64{0};
}

Result<i64> terminal_control(u32 command, u64 argument) {
    switch (command) {
        case kGet: {
            Termios copy;
            {
                smp::SpinGuard guard{settings_lock};
                copy = settings;
            }
            TRY(vm::copy_to_user(VirtAddr{argument}, &copy, sizeof copy));
            return i64{0};
        }
        case kSet:
        case kSetAfterOutput:
        case kSetFlush: {
            Termios wanted;
            TRY(vm::copy_from_user(&wanted, VirtAddr{argument}, sizeof wanted));
            smp::SpinGuard guard{settings_lock};
            settings = wanted;
            return i64{0};
        }
        case kGetWindow: {
            auto const size = drivers::host_link::window_size();
            WindowSizeAnswer const answer{size.rows, size.columns, 0, 0};
            TRY(vm::copy_to_user(VirtAddr{argument}, &answer, sizeof answer));
            return i64{0};
        }
        case kSetWindow: return i64{0};  // the host's window decides
        case kGetGroup:
        case kGetSession: return answer_int(argument, kForegroundGroup);
        case kSetGroup:
        case kBecomeControlling:
        case kGiveUpControlling:
        case kSendBreak:
        case kFlow:
        case kFlush: return i64{0};
        case kOutputQueued: return answer_int(argument, 0);
        default: return fail(Error::NotTerminal);
    }
}

}  // namespace tutti::vfs
