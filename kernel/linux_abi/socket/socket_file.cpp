// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/socket/socket_file.hpp"

#include <new>

#include "hal/clock.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kBytesReadable = 0x541b;  // FIONREAD

constinit std::atomic<u64> next_socket_number{1};  // relaxed: only uniqueness counts

}  // namespace

Result<Ref<SocketFile>> SocketFile::create(Ref<net::LocalSocket> socket, vfs::OpenFlags flags, net::Credentials owner) {
    u64 const number = next_socket_number.fetch_add(1, std::memory_order_relaxed);
    String name;
    TRY(name.append_format("socket:[{}]", number));
    u32 const bits = flags.bits() | vfs::OpenFlags::Read | vfs::OpenFlags::Write;
    auto* const file =
        new (std::nothrow) SocketFile{std::move(socket), vfs::OpenFlags{bits}, owner, std::move(name), number};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<SocketFile>::adopt(file);
}

Deadline SocketFile::deadline(bool do_not_wait, std::atomic<Nanoseconds> const& timeout) const {
    if (do_not_wait || is_nonblocking()) return Deadline{0};
    Nanoseconds const limit = timeout.load(std::memory_order_relaxed);
    return limit == kNever ? kNever : hal::now() + limit;
}

Result<i64> SocketFile::control(u32 command, u64 argument) {
    if (command != kBytesReadable) return fail(Error::NotTerminal);
    if (socket_->is_listening()) return fail(Error::InvalidArgument);
    i32 const bytes = static_cast<i32>(socket_->bytes_available());
    TRY(vm::copy_to_user(VirtAddr{argument}, &bytes, sizeof bytes));
    return 0;
}

vfs::PollEvents SocketFile::poll() {
    net::Readiness const ready = socket_->readiness();
    vfs::PollEvents events = 0;
    if (ready.readable) events |= vfs::kPollIn | vfs::kPollReadNormal;
    if (ready.writable) events |= vfs::kPollOut | vfs::kPollWriteNormal;
    if (ready.read_hang_up) events |= vfs::kPollReadHangUp;
    if (ready.hang_up) events |= vfs::kPollHangUp;
    if (ready.error) events |= vfs::kPollError;
    return events;
}

vfs::Attributes SocketFile::attributes() {
    vfs::Attributes attributes;
    attributes.inode = number_;
    attributes.type = vfs::FileType::Socket;
    attributes.permissions = 0777;
    attributes.access_time = attributes.modify_time = attributes.change_time = vfs::wall_clock_now();
    return attributes;
}

// What is attached to the data (files being passed) is closed: read(2) has no place for it.
Result<u64> SocketFile::do_read(u64, vm::IoBuffer& to) {
    Deadline const deadline = receive_deadline(false);
    return TRY(limited(deadline, socket_->receive(to, {.deadline = deadline}))).bytes;
}

Result<u64> SocketFile::do_write(u64&, vm::IoBuffer& from) {
    net::SendOptions options;
    options.deadline = send_deadline(false);
    options.credentials = owner_;
    return limited(options.deadline, socket_->send(from, std::move(options)));
}

}  // namespace tutti::linux_abi
