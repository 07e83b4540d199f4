// SPDX-License-Identifier: BSD-3-Clause
// Memory-mapping constants of the Linux ABI (x86_64 and aarch64 agree on these).
#pragma once

#include "base/types.hpp"

namespace tutti::linux_abi {

enum ProtFlag : u32 { kProtRead = 1, kProtWrite = 2, kProtExec = 4, kProtSem = 8, kProtGrowsDown = 0x0100'0000,
                      kProtGrowsUp = 0x0200'0000 };

enum MapFlag : u32 {
    kMapShared = 1, kMapPrivate = 2, kMapSharedValidate = 3, kMapTypeMask = 0xf, kMapFixed = 0x10,
    kMapAnonymous = 0x20, kMap32Bit = 0x40, kMapGrowsDown = 0x100, kMapDenyWrite = 0x800, kMapExecutable = 0x1000,
    kMapLocked = 0x2000, kMapNoReserve = 0x4000, kMapPopulate = 0x8000, kMapNonBlock = 0x10000, kMapStack = 0x20000,
    kMapHugeTlb = 0x40000, kMapSync = 0x80000, kMapFixedNoReplace = 0x100000, kMapUninitialized = 0x4000000,
};

enum MremapFlag : u32 { kMremapMayMove = 1, kMremapFixed = 2, kMremapDontUnmap = 4 };
enum MsyncFlag : u32 { kMsAsync = 1, kMsInvalidate = 2, kMsSync = 4 };

enum MadviseAdvice : i32 {
    kMadvNormal = 0, kMadvRandom = 1, kMadvSequential = 2, kMadvWillNeed = 3, kMadvDontNeed = 4, kMadvFree = 8,
    kMadvRemove = 9, kMadvDontFork = 10, kMadvDoFork = 11, kMadvMergeable = 12, kMadvUnmergeable = 13,
    kMadvHugePage = 14, kMadvNoHugePage = 15, kMadvDontDump = 16, kMadvDoDump = 17, kMadvWipeOnFork = 18,
    kMadvKeepOnFork = 19, kMadvCold = 20, kMadvPageOut = 21, kMadvPopulateRead = 22, kMadvPopulateWrite = 23,
    kMadvDontNeedLocked = 24, kMadvCollapse = 25,
};

}  // namespace tutti::linux_abi
