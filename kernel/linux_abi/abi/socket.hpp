// SPDX-License-Identifier: BSD-3-Clause
// Socket structures and constants of the Linux ABI (64-bit); the same on x86_64 and AArch64.
#pragma once

#include "base/types.hpp"

namespace tutti::linux_abi {

enum AddressFamily : i32 { kAfUnspecified = 0, kAfUnix = 1, kAfInet = 2, kAfInet6 = 10 };

enum SocketKind : i32 {
    kSockStream = 1, kSockDatagram = 2, kSockRaw = 3, kSockSeqPacket = 5, kSockMaximum = 11, kSockTypeMask = 0xf,
    kSockNonBlock = 04000, kSockCloexec = 02000000,
};

enum MessageFlag : u32 {
    kMsgOob = 1, kMsgPeek = 2, kMsgControlTruncated = 8, kMsgTruncated = 0x20, kMsgDontWait = 0x40, kMsgEor = 0x80,
    kMsgWaitAll = 0x100, kMsgErrorQueue = 0x2000, kMsgNoSignal = 0x4000, kMsgMore = 0x8000, kMsgWaitForOne = 0x10000,
    kMsgCmsgCloexec = 0x4000'0000,
};

struct SockaddrUnix { u16 family; char path[108]; };
static_assert(sizeof(SockaddrUnix) == 110);

struct MsgHdr {
    u64 name;
    u32 name_length, pad0;
    u64 vectors;
    u64 vector_count;
    u64 control;
    u64 control_length;
    u32 flags, pad1;
};
static_assert(sizeof(MsgHdr) == 56);
struct MmsgHdr { MsgHdr header; u32 length, pad; };
static_assert(sizeof(MmsgHdr) == 64);

struct CmsgHdr { u64 length; i32 level; i32 type; };
static_assert(sizeof(CmsgHdr) == 16);
inline constexpr u64 kCmsgAlign = 8;
enum ControlType : i32 { kScmRights = 1, kScmCredentials = 2 };
inline constexpr u64 kScmMaxFiles = 253;

struct Ucred { i32 pid; u32 uid, gid; };

inline constexpr i32 kSolSocket = 1;
enum SocketOption : i32 {
    kSoReuseAddress = 2, kSoType = 3, kSoError = 4, kSoDontRoute = 5, kSoBroadcast = 6, kSoSendBuffer = 7,
    kSoReceiveBuffer = 8, kSoKeepAlive = 9, kSoOobInline = 10, kSoPriority = 12, kSoLinger = 13, kSoReusePort = 15,
    kSoPassCredentials = 16, kSoPeerCredentials = 17, kSoReceiveLowWater = 18, kSoSendLowWater = 19,
    kSoReceiveTimeout = 20, kSoSendTimeout = 21, kSoTimestamp = 29, kSoAcceptConnections = 30,
    kSoSendBufferForce = 32, kSoReceiveBufferForce = 33, kSoProtocol = 38, kSoDomain = 39,
};

}  // namespace tutti::linux_abi
