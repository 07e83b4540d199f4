// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/socket/socket_messages.hpp"

#include "arch/trap_frame.hpp"
#include "hal/clock.hpp"
#include "linux_abi/socket/control_data.hpp"
#include "linux_abi/socket/local_address.hpp"
#include "linux_abi/socket/socket_support.hpp"
#include "linux_abi/user_vectors.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kMostMessages = 1024;  // of one sendmmsg: UIO_MAXIOV

Result<vm::IoBuffer> user_buffer(u64 address, u64 size) {
    size = std::min(size, kMaxRwCount);
    if (!vm::is_user_range(VirtAddr{address}, size)) return fail(Error::BadAddress);
    return vm::IoBuffer::user(VirtAddr{address}, size);
}

struct Destination {
    String key;  // empty: the connected peer
};
Result<Destination> read_destination(Task& task, u64 address, u32 length) {
    Destination destination;
    if (address == 0 || length == 0) return destination;
    LocalAddress const name = TRY(LocalAddress::read(UserPtr<u8>{address}, length));
    destination.key = TRY(name.find_key(task));
    return destination;
}

Result<u64> send(SocketFile& file, vm::IoBuffer& from, Destination const& to, OutgoingControl control,
                 u32 flags) {
    if ((flags & kMsgOob) != 0) return fail(Error::NotSupported);
    net::SendOptions options;
    options.deadline = file.send_deadline((flags & kMsgDontWait) != 0);
    options.destination = to.key;
    options.credentials = control.credentials;
    options.attachment = std::move(control.files);
    return limited(options.deadline, file.socket().send(from, std::move(options)));
}

Result<net::Received> receive(SocketFile& file, vm::IoBuffer& to, u32 flags) {
    if ((flags & kMsgOob) != 0) return fail(Error::NotSupported);
    if ((flags & kMsgErrorQueue) != 0) return fail(Error::WouldBlock);  // nothing is ever queued there
    net::ReceiveOptions options;
    options.deadline = file.receive_deadline((flags & kMsgDontWait) != 0);
    options.peek = (flags & kMsgPeek) != 0;
    options.wait_all = (flags & kMsgWaitAll) != 0;
    return limited(options.deadline, file.socket().receive(to, options));
}

// With MSG_TRUNC a receiver of datagrams hears how long the message was, however much it took (recv(2)).
u64 received_size(SocketFile const& file, net::Received const& received, u32 flags) {
    bool const whole = (flags & kMsgTruncated) != 0 && file.socket().type() != net::SocketType::Stream;
    return whole ? received.message_size : received.bytes;
}

SyscallResult send_message(Task& task, SocketFile& file, MsgHdr const& header, u32 flags) {
    UserVectors vectors;
    TRY(vectors.read(UserPtr<IoVec>{VirtAddr{header.vectors}}, header.vector_count, Error::MessageTooLong));
    Destination const destination = TRY(read_destination(task, header.name, header.name_length));
    OutgoingControl control{nullptr, file.owner()};
    if (header.control != 0) control = TRY(read_control(task, header, file.owner()));
    vm::IoBuffer from = vectors.buffer();
    return sent_result(task, send(file, from, destination, std::move(control), flags), flags);
}

// `header` becomes what the program finds.
Result<u64> receive_message(Task& task, SocketFile& file, MsgHdr& header, u32 flags) {
    UserVectors vectors;
    TRY(vectors.read(UserPtr<IoVec>{VirtAddr{header.vectors}}, header.vector_count, Error::MessageTooLong));
    vm::IoBuffer to = vectors.buffer();
    net::Received received = TRY(receive(file, to, flags));
    header.flags = flags & kMsgCmsgCloexec;
    if (received.message_size > received.bytes && file.socket().type() != net::SocketType::Stream)
        header.flags |= kMsgTruncated;
    if (header.name != 0) {
        u32 const room = header.name_length;
        header.name_length = 0;
        if (!received.source.empty())
            header.name_length = TRY(write_address(UserPtr<u8>{header.name}, room, received.source));
    }
    bool const wants_credentials = file.pass_credentials.load(std::memory_order_relaxed) && !received.end;
    TRY(write_control(task, header, std::move(received.attachment), wants_credentials ? &received.credentials : nullptr,
                      (flags & kMsgCmsgCloexec) != 0));
    return received_size(file, received, flags);
}

}  // namespace

SyscallResult sys_sendto(Task& task, i32 fd, u64 buffer, u64 size, u32 flags, UserPtr<u8> address, u32 length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    vm::IoBuffer from = TRY(user_buffer(buffer, size));
    Destination const destination = TRY(read_destination(task, address.address().value(), length));
    return sent_result(task, send(*file, from, destination, {nullptr, file->owner()}, flags), flags);
}

SyscallResult sys_recvfrom(Task& task, i32 fd, u64 buffer, u64 size, u32 flags, UserPtr<u8> address,
                           UserPtr<u32> length) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    vm::IoBuffer to = TRY(user_buffer(buffer, size));
    net::Received const received = TRY(receive(*file, to, flags));
    if (!address.is_null()) {
        if (received.source.empty())
            TRY(write_user(length, 0u));
        else
            TRY(write_address(address, length, received.source));
    }
    return received_size(*file, received, flags);
}

SyscallResult sys_sendmsg(Task& task, i32 fd, UserPtr<MsgHdr> message, u32 flags) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    return send_message(task, *file, TRY(read_user(message)), flags);
}

SyscallResult sys_recvmsg(Task& task, i32 fd, UserPtr<MsgHdr> message, u32 flags) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    MsgHdr header = TRY(read_user(message));
    u64 const size = TRY(receive_message(task, *file, header, flags));
    TRY(write_user(message, header));
    return size;
}

SyscallResult sys_sendmmsg(Task& task, i32 fd, UserPtr<MmsgHdr> messages, u32 count, u32 flags) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    count = std::min(count, kMostMessages);
    for (u32 i = 0; i < count; ++i) {
        auto const step = [&]() -> SyscallResult {
            MmsgHdr message = TRY(read_user(messages + i));
            SyscallResult const sent = send_message(task, *file, message.header, flags);
            if (sent.value() < 0) return sent;
            message.length = static_cast<u32>(sent.value());
            TRY(write_user(messages + i, message));
            return sent;
        }();
        if (step.value() < 0) return i == 0 ? step : SyscallResult{i};
    }
    return count;
}

SyscallResult sys_recvmmsg(Task& task, i32 fd, UserPtr<MmsgHdr> messages, u32 count, u32 flags,
                           UserPtr<Timespec> timeout) {
    Ref<SocketFile> const file = TRY(socket_of(task, fd));
    count = std::min(count, kMostMessages);
    Deadline deadline = kNever;
    if (!timeout.is_null()) {
        Timespec const limit = TRY(read_user(timeout));
        if (limit.sec < 0 || limit.nsec < 0 || limit.nsec >= 1'000'000'000) return kEINVAL;
        deadline = hal::now() + Nanoseconds::from_s(limit.sec) + Nanoseconds{limit.nsec};
    }
    for (u32 i = 0; i < count; ++i) {
        auto const step = [&]() -> SyscallResult {
            MmsgHdr message = TRY(read_user(messages + i));
            message.length = static_cast<u32>(TRY(receive_message(task, *file, message.header, flags)));
            TRY(write_user(messages + i, message));
            return 0;
        }();
        if (step.value() < 0) return i == 0 ? step : SyscallResult{i};
        if ((flags & kMsgWaitForOne) != 0) flags |= kMsgDontWait;
        // recvmmsg(2), BUGS: the time is looked at after each message only.
        if (deadline != kNever && hal::now() >= deadline) return i + 1;
    }
    return count;
}

}  // namespace tutti::linux_abi
