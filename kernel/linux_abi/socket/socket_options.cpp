// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/socket/socket_options.hpp"

#include <algorithm>

#include "linux_abi/abi/time.hpp"
#include "linux_abi/socket/socket_support.hpp"

namespace tutti::linux_abi {

namespace {

struct Linger { i32 enabled; i32 seconds; };

i32 kind_of(net::SocketType type) {
    switch (type) {
        case net::SocketType::Stream: return kSockStream;
        case net::SocketType::Datagram: return kSockDatagram;
        case net::SocketType::Packets: return kSockSeqPacket;
    }
    return 0;
}

// As much of a value as the program has room for, and how much that is.
template <class T>
SyscallResult give(UserPtr<u8> to, UserPtr<i32> length, T const& value) {
    i32 const room = TRY(read_user(length));
    if (room < 0) return kEINVAL;
    i32 const size = std::min(room, static_cast<i32>(sizeof value));
    TRY(vm::copy_to_user(to.address(), &value, static_cast<u64>(size)));
    return write_user(length, size);
}

template <class T>
Result<T> take(UserPtr<u8> from, i32 length) {
    if (length < static_cast<i32>(sizeof(T))) return fail(Error::InvalidArgument);
    return read_user(from.as<T>());
}

Timeval timeout_value(std::atomic<Nanoseconds> const& timeout) {
    Nanoseconds const value = timeout.load(std::memory_order_relaxed);
    return value == kNever ? Timeval{0, 0} : to_timeval(value);
}

SyscallResult set_timeout(std::atomic<Nanoseconds>& timeout, UserPtr<u8> from, i32 length) {
    Timeval const value = TRY(take<Timeval>(from, length));
    constexpr i64 kMicroseconds = 1'000'000;
    if (value.usec < 0 || value.usec >= kMicroseconds) return kEDOM;
    constexpr i64 kLongest = Nanoseconds::max().count() / 1'000'000'000 - 1;
    // socket(7): zero waits for ever. A negative time is no wait at all on Linux: the shortest that is not zero.
    Nanoseconds limit = Nanoseconds::from_s(std::clamp(value.sec, i64{0}, kLongest)) + Nanoseconds::from_us(value.usec);
    if (value.sec < 0) limit = Nanoseconds{1};
    timeout.store(limit == Nanoseconds{0} || value.sec >= kLongest ? kNever : limit, std::memory_order_relaxed);
    return 0;
}

SyscallResult set_flag(std::atomic<bool>& flag, UserPtr<u8> from, i32 length) {
    flag.store(TRY(take<i32>(from, length)) != 0, std::memory_order_relaxed);
    return 0;
}

// socket(7): the kernel doubles the value to allow for its own overhead.
SyscallResult set_buffer(net::LocalSocket& socket, UserPtr<u8> from, i32 length, i32 most) {
    constexpr i32 kLeast = 2304;
    i32 const wanted = TRY(take<i32>(from, length));
    socket.set_buffer_limit(static_cast<u64>(std::clamp(wanted, kLeast, most)) * 2);
    return 0;
}

constexpr i32 kMostBuffer = 212992;  // net.core.wmem_max

}  // namespace

SyscallResult sys_getsockopt(Task& task, i32 fd, i32 level, i32 option, UserPtr<u8> value, UserPtr<i32> length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    if (level != kSolSocket) return kEOPNOTSUPP;
    net::LocalSocket& socket = file->socket();
    auto const number = [&](i32 n) { return give(value, length, n); };
    auto const flag = [&](std::atomic<bool> const& f) { return number(f.load(std::memory_order_relaxed) ? 1 : 0); };
    switch (option) {
        case kSoType: return number(kind_of(socket.type()));
        case kSoDomain: return number(kAfUnix);
        case kSoError:  // errors are told by the call that meets them
        case kSoProtocol:
        case kSoDontRoute:
        case kSoBroadcast:
        case kSoOobInline:
        case kSoPriority:
        case kSoReusePort:
        case kSoTimestamp: return number(0);
        case kSoAcceptConnections: return number(socket.is_listening() ? 1 : 0);
        case kSoSendBuffer:
        case kSoReceiveBuffer: return number(static_cast<i32>(socket.buffer_limit()));
        case kSoReuseAddress: return flag(file->reuse_address);
        case kSoKeepAlive: return flag(file->keep_alive);
        case kSoPassCredentials: return flag(file->pass_credentials);
        case kSoReceiveLowWater:
        case kSoSendLowWater: return number(1);
        case kSoLinger: return give(value, length, Linger{0, 0});
        case kSoReceiveTimeout: return give(value, length, timeout_value(file->receive_timeout));
        case kSoSendTimeout: return give(value, length, timeout_value(file->send_timeout));
        case kSoPeerCredentials: {
            // unix(7): nobody has the numbers 0, -1, -1.
            net::Credentials const nobody{0, ~0u, ~0u};
            net::Credentials const peer = socket.peer_credentials().value_or(nobody);
            return give(value, length, Ucred{peer.process, peer.user, peer.group});
        }
        default: return kENOPROTOOPT;
    }
}

SyscallResult sys_setsockopt(Task& task, i32 fd, i32 level, i32 option, UserPtr<u8> value, i32 length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    if (level != kSolSocket) return kEOPNOTSUPP;
    switch (option) {
        case kSoSendBuffer:
        case kSoReceiveBuffer: return set_buffer(file->socket(), value, length, kMostBuffer);
        case kSoSendBufferForce:
        case kSoReceiveBufferForce: return set_buffer(file->socket(), value, length, 1 << 29);
        case kSoReuseAddress: return set_flag(file->reuse_address, value, length);
        case kSoKeepAlive: return set_flag(file->keep_alive, value, length);
        case kSoPassCredentials: return set_flag(file->pass_credentials, value, length);
        case kSoReceiveTimeout: return set_timeout(file->receive_timeout, value, length);
        case kSoSendTimeout: return set_timeout(file->send_timeout, value, length);
        case kSoLinger: {
            // A local socket's data is with the peer as soon as it is sent: there is nothing to linger for.
            Linger const linger = TRY(take<Linger>(value, length));
            return linger.enabled == 0 || linger.seconds >= 0 ? SyscallResult{0} : SyscallResult{kEINVAL};
        }
        case kSoReceiveLowWater: return TRY(take<i32>(value, length)) <= 1 ? SyscallResult{0} : SyscallResult{kEINVAL};
        default: return kENOPROTOOPT;
    }
}

}  // namespace tutti::linux_abi
