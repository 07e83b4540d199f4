// SPDX-License-Identifier: BSD-3-Clause
// Signal numbers, flags, codes and structures of the Linux ABI.
#pragma once

#include <cstddef>

#include "base/types.hpp"

namespace tutti::linux_abi {

enum SignalNumber : i32 {
    kSIGHUP = 1, kSIGINT = 2, kSIGQUIT = 3, kSIGILL = 4, kSIGTRAP = 5, kSIGABRT = 6, kSIGBUS = 7, kSIGFPE = 8,
    kSIGKILL = 9, kSIGUSR1 = 10, kSIGSEGV = 11, kSIGUSR2 = 12, kSIGPIPE = 13, kSIGALRM = 14, kSIGTERM = 15,
    kSIGSTKFLT = 16, kSIGCHLD = 17, kSIGCONT = 18, kSIGSTOP = 19, kSIGTSTP = 20, kSIGTTIN = 21, kSIGTTOU = 22,
    kSIGURG = 23, kSIGXCPU = 24, kSIGXFSZ = 25, kSIGVTALRM = 26, kSIGPROF = 27, kSIGWINCH = 28, kSIGIO = 29,
    kSIGPWR = 30, kSIGSYS = 31, kSIGRTMIN = 32, kSIGRTMAX = 64,
};
inline constexpr i32 kSignalCount = 64;

// sigset_t as the kernel sees it: bit n-1 is signal n.
class SignalSet {
  public:
    constexpr SignalSet() = default;
    constexpr explicit SignalSet(u64 bits) : bits_{bits} {}
    static constexpr SignalSet of(i32 signal) { return SignalSet{u64{1} << (signal - 1)}; }
    template <class... S>
    static constexpr SignalSet of(i32 first, S... rest) { return of(first) | of(rest...); }
    static constexpr SignalSet all() { return SignalSet{~u64{0}}; }

    [[nodiscard]] constexpr u64 bits() const { return bits_; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    [[nodiscard]] constexpr bool contains(i32 signal) const { return (bits_ >> (signal - 1) & 1) != 0; }
    // The lowest signal of the set, which is not empty.
    [[nodiscard]] constexpr i32 lowest() const { return __builtin_ctzll(bits_) + 1; }

    friend constexpr SignalSet operator|(SignalSet a, SignalSet b) { return SignalSet{a.bits_ | b.bits_}; }
    friend constexpr SignalSet operator&(SignalSet a, SignalSet b) { return SignalSet{a.bits_ & b.bits_}; }
    friend constexpr SignalSet operator-(SignalSet a, SignalSet b) { return SignalSet{a.bits_ & ~b.bits_}; }
    friend constexpr bool operator==(SignalSet, SignalSet) = default;
    constexpr void add(SignalSet other) { bits_ |= other.bits_; }
    constexpr void remove(SignalSet other) { bits_ &= ~other.bits_; }

  private:
    u64 bits_ = 0;
};

inline constexpr SignalSet kUnblockable = SignalSet::of(kSIGKILL, kSIGSTOP);
// Signals caused by the thread's own instruction: taken before any other.
inline constexpr SignalSet kSynchronous =
    SignalSet::of(kSIGSEGV, kSIGBUS, kSIGILL, kSIGTRAP, kSIGFPE, kSIGSYS);
inline constexpr SignalSet kStopSignals = SignalSet::of(kSIGSTOP, kSIGTSTP, kSIGTTIN, kSIGTTOU);
inline constexpr SignalSet kIgnoredByDefault = SignalSet::of(kSIGCHLD, kSIGCONT, kSIGURG, kSIGWINCH);

enum SigActionFlag : u64 {
    kSaNoCldStop = 1, kSaNoCldWait = 2, kSaSigInfo = 4, kSaExposeTagBits = 0x800, kSaRestorer = 0x0400'0000,
    kSaOnStack = 0x0800'0000, kSaRestart = 0x1000'0000, kSaNoDefer = 0x4000'0000, kSaResetHand = 0x8000'0000,
};
inline constexpr u64 kSigDefault = 0;  // sa_handler values
inline constexpr u64 kSigIgnore = 1;

// struct sigaction as rt_sigaction passes it on both architectures.
struct SigAction {
    u64 handler = kSigDefault;
    u64 flags = 0;
    u64 restorer = 0;
    SignalSet mask;
};
static_assert(sizeof(SigAction) == 32);

enum SigCode : i32 {
    kSiUser = 0, kSiKernel = 0x80, kSiQueue = -1, kSiTimer = -2, kSiMesgQ = -3, kSiAsyncIo = -4, kSiSigIo = -5,
    kSiTkill = -6,
    kIllIllOpc = 1, kIllIllOpn = 2, kFpeIntDiv = 1, kFpeIntOvf = 2, kFpeFltDiv = 3, kFpeFltOvf = 4, kFpeFltUnd = 5,
    kFpeFltRes = 6, kFpeFltInv = 7, kSegvMapErr = 1, kSegvAccErr = 2, kBusAdrAln = 1, kBusAdrErr = 2, kBusObjErr = 3,
    kTrapBrkpt = 1, kTrapTrace = 2,
};

// siginfo_t: 128 bytes.
struct SigInfo {
    i32 signo = 0;
    i32 error = 0;
    i32 code = 0;
    i32 pad0 = 0;
    union Fields {
        struct { i32 pid; u32 uid; u64 value; } sender;                   // kill, tgkill, sigqueue
        struct { i32 timer_id; i32 overrun; u64 value; } timer;           // POSIX timers
        struct { u64 address; } fault;                                    // SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP
        struct { i64 band; i32 fd; } poll;                                // SIGIO
        u8 raw[112];
    } fields{.raw = {}};
};
static_assert(sizeof(SigInfo) == 128 && offsetof(SigInfo, fields) == 16);

struct SigAltStack {
    u64 base = 0;
    i32 flags = 0;
    i32 pad = 0;
    u64 size = 0;
};
static_assert(sizeof(SigAltStack) == 24);
enum SigAltStackFlag : i32 { kSsOnStack = 1, kSsDisable = 2, kSsAutoDisarm = static_cast<i32>(1U << 31) };

enum SigProcMaskHow : i32 { kSigBlock = 0, kSigUnblock = 1, kSigSetMask = 2 };

// struct sigevent: 64 bytes.
struct SigEvent {
    u64 value;
    i32 signo;
    i32 notify;
    i32 thread_id;
    i32 pad[11];
};
static_assert(sizeof(SigEvent) == 64);
enum SigEventNotify : i32 { kSigevSignal = 0, kSigevNone = 1, kSigevThread = 2, kSigevThreadId = 4 };

[[nodiscard]] constexpr bool is_valid_signal(i64 signal) { return signal >= 1 && signal <= kSignalCount; }

}  // namespace tutti::linux_abi
