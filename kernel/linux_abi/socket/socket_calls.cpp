// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/socket/socket_calls.hpp"

#include <algorithm>

#include "linux_abi/socket/local_address.hpp"
#include "linux_abi/socket/socket_support.hpp"
#include "linux_abi/syscall/file_support.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kMostWaiting = 4096;  // net.core.somaxconn

struct SocketRequest {
    net::SocketType type;
    vfs::OpenFlags flags;
    FdFlag fd_flag;
};

Result<SocketRequest> flags_of(i32 flags) {
    if ((flags & ~(kSockNonBlock | kSockCloexec)) != 0) return fail(Error::InvalidArgument);
    SocketRequest request{};
    request.flags = (flags & kSockNonBlock) != 0 ? vfs::OpenFlags::NonBlock : vfs::OpenFlags{};
    request.fd_flag = (flags & kSockCloexec) != 0 ? FdFlag::CloseOnExec : FdFlag::None;
    return request;
}

Result<SocketRequest> parse_request(i32 domain, i32 type, i32 protocol) {
    SocketRequest request = TRY(flags_of(type & ~kSockTypeMask));
    i32 const kind = type & kSockTypeMask;
    if (kind >= kSockMaximum || kind < 0) return fail(Error::InvalidArgument);
    if (domain != kAfUnix) return fail(Error::UnknownAddressFamily);
    if (protocol != 0 && protocol != kAfUnix) return fail(Error::ProtocolNotSupported);
    switch (kind) {
        case kSockStream: request.type = net::SocketType::Stream; return request;
        case kSockRaw:  // unix(7): the same
        case kSockDatagram: request.type = net::SocketType::Datagram; return request;
        case kSockSeqPacket: request.type = net::SocketType::Packets; return request;
        default: return fail(Error::SocketTypeNotSupported);
    }
}

Result<Ref<vfs::File>> make_file(Task& task, Ref<net::LocalSocket> socket, SocketRequest const& request) {
    return Ref<vfs::File>{TRY(SocketFile::create(std::move(socket), request.flags, credentials_of(task)))};
}

Result<i32> add_socket(Task& task, Ref<net::LocalSocket> socket, SocketRequest const& request) {
    return task.process().files().add(TRY(make_file(task, std::move(socket), request)), request.fd_flag);
}

// unix(7), "Autobind feature": an abstract name of five hexadecimal digits that is free.
Result<> bind_automatically(net::LocalSocket& socket) {
    constexpr u32 kNames = 1u << 20;
    static constinit std::atomic<u32> next{1};  // relaxed: a first guess
    for (u32 i = 0; i < kNames; ++i) {
        char name[6] = {};
        format_to(std::span{name}.subspan(1), "{:05x}", next.fetch_add(1, std::memory_order_relaxed) % kNames);
        std::string_view const text{name, sizeof name};
        Result<> const bound = socket.bind(TRY(key_of_abstract_name(text)), text);
        if (bound || bound.error() != Error::AddressInUse) return bound;
    }
    return fail(Error::NoSpace);
}

}  // namespace

SyscallResult sys_socket(Task& task, i32 domain, i32 type, i32 protocol) {
    SocketRequest const request = TRY(parse_request(domain, type, protocol));
    return add_socket(task, TRY(net::LocalSocket::create(request.type)), request);
}

SyscallResult sys_socketpair(Task& task, i32 domain, i32 type, i32 protocol, UserPtr<i32> fds) {
    SocketRequest const request = TRY(parse_request(domain, type, protocol));
    auto pair = TRY(net::LocalSocket::create_pair(request.type, credentials_of(task)));
    FdTable& files = task.process().files();
    i32 numbers[2] = {TRY(add_socket(task, std::move(pair.first), request)), -1};
    Result<i32> const second = add_socket(task, std::move(pair.second), request);
    if (second) {
        numbers[1] = *second;
        Result<> const written = vm::copy_to_user(fds.address(), numbers, sizeof numbers);
        if (written) return 0;
        (void)files.close(numbers[1]);
        (void)files.close(numbers[0]);
        return written;
    }
    (void)files.close(numbers[0]);
    return second;
}

SyscallResult sys_bind(Task& task, i32 fd, UserPtr<u8> address, u32 length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    LocalAddress const name = TRY(LocalAddress::read(address, length));
    net::LocalSocket& socket = file->socket();
    if (name.is_unnamed()) return TRY(socket.name()).empty() ? bind_automatically(socket) : Result<>{};
    if (name.is_abstract()) return socket.bind(TRY(key_of_abstract_name(name.name())), name.name());
    if (!TRY(socket.name()).empty()) return kEINVAL;
    Ref<vfs::Inode> const start = TRY(start_directory(task, kAtFdCwd, name.name()));
    vfs::Namespace& names = vfs::root_namespace();
    Result<Ref<vfs::Inode>> const inode =
        names.create(*start, name.name(),
                     {.type = vfs::FileType::Socket, .permissions = 0777 & ~task.process().file_context().mask()});
    if (!inode) return inode.error() == Error::Exists ? SyscallResult{kEADDRINUSE} : SyscallResult{inode.error()};
    Result<> bound{};
    if (Result<String> const key = key_of_inode(**inode); key)
        bound = socket.bind(*key, name.name());
    else
        bound = fail(key.error());
    if (!bound) (void)names.unlink(*start, name.name(), vfs::UnlinkKind::File);
    return bound;
}

SyscallResult sys_listen(Task& task, i32 fd, i32 backlog) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    u32 const length = std::min(static_cast<u32>(backlog), kMostWaiting);  // negative: as long as allowed
    return file->socket().listen(length, file->owner());
}

SyscallResult sys_accept(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length) {
    return sys_accept4(task, fd, address, length, 0);
}

SyscallResult sys_accept4(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length, i32 flags) {
    SocketRequest const request = TRY(flags_of(flags));
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    // First: without a number no connection may be taken.
    FdReservation number = TRY(FdReservation::create(task.process().files(), request.fd_flag));
    if (file->socket().type() == net::SocketType::Datagram) return kEOPNOTSUPP;
    Deadline const deadline = file->receive_deadline(false);
    Ref<net::LocalSocket> socket = TRY(limited(deadline, file->socket().accept(deadline)));
    if (!address.is_null()) {
        // The connector may have gone already: then it has no name any more.
        Result<String> const peer = socket->peer_name();
        TRY(write_address(address, length, peer ? peer->view() : std::string_view{}));
    }
    return std::move(number).install(TRY(make_file(task, std::move(socket), request)));
}

SyscallResult sys_connect(Task& task, i32 fd, UserPtr<u8> address, u32 length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    LocalAddress const name = TRY(LocalAddress::read(address, length));
    String const key = TRY(name.find_key(task));
    Deadline const deadline = file->send_deadline(false);
    return connection_result(limited(deadline, file->socket().connect(key, file->owner(), deadline)));
}

SyscallResult sys_getsockname(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    if (address.is_null()) return kEFAULT;
    return write_address(address, length, TRY(file->socket().name()).view());
}

SyscallResult sys_getpeername(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    String const name = TRY(file->socket().peer_name());
    if (address.is_null()) return kEFAULT;
    return write_address(address, length, name.view());
}

SyscallResult sys_shutdown(Task& task, i32 fd, i32 how) {
    constexpr i32 kRead = 0, kWrite = 1, kBoth = 2;
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    if (how < kRead || how > kBoth) return kEINVAL;
    file->socket().shut_down(how != kWrite, how != kRead);
    return 0;
}

}  // namespace tutti::linux_abi
