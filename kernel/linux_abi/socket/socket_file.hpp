// SPDX-License-Identifier: BSD-3-Clause
// A socket as an open file: read, write and poll as for any other; the rest through socket().
#pragma once

#include "net/local/local_socket.hpp"
#include "vfs/file.hpp"

namespace tutti::linux_abi {

// The outcome of a call that had until `deadline`. With a time limit, an interrupted one does not restart (signal(7)).
template <class T>
[[nodiscard]] Result<T> limited(Deadline deadline, Result<T> result) {
    if (!result && result.error() == Error::Interrupted && deadline != kNever && deadline != Deadline{0})
        return fail(Error::InterruptedForGood);
    return result;
}

class SocketFile final : public vfs::File {
  public:
    // `owner` is whom the peer sees. Error::NoMemory.
    [[nodiscard]] static Result<Ref<SocketFile>> create(Ref<net::LocalSocket> socket, vfs::OpenFlags flags,
                                                        net::Credentials owner);

    [[nodiscard]] net::LocalSocket& socket() const { return *socket_; }
    [[nodiscard]] net::Credentials owner() const { return owner_; }
    [[nodiscard]] SocketFile* socket_file() override { return this; }

    // SO_RCVTIMEO, SO_SNDTIMEO; kNever: wait for ever. SO_PASSCRED. Relaxed: each word stands for itself.
    std::atomic<Nanoseconds> receive_timeout{kNever};
    std::atomic<Nanoseconds> send_timeout{kNever};
    std::atomic<bool> pass_credentials{false};
    std::atomic<bool> reuse_address{false};  // SO_REUSEADDR: kept for getsockopt, local names do not need it
    std::atomic<bool> keep_alive{false};     // SO_KEEPALIVE likewise

    // When a call that begins now gives up: at once when it must not wait.
    [[nodiscard]] Deadline receive_deadline(bool do_not_wait) const { return deadline(do_not_wait, receive_timeout); }
    [[nodiscard]] Deadline send_deadline(bool do_not_wait) const { return deadline(do_not_wait, send_timeout); }

    Result<i64> control(u32 command, u64 argument) override;
    vfs::PollEvents poll() override;
    sched::WaitQueue* poll_queue() override { return &socket_->queue(); }
    Result<> synchronize() override { return fail(Error::InvalidArgument); }
    vfs::Attributes attributes() override;

  protected:
    Result<u64> do_read(u64, vm::IoBuffer& to) override;
    Result<u64> do_write(u64&, vm::IoBuffer& from) override;

  private:
    SocketFile(Ref<net::LocalSocket> socket, vfs::OpenFlags flags, net::Credentials owner, String path, u64 number)
        : vfs::File{flags, {}, std::move(path)}, socket_{std::move(socket)}, owner_{owner}, number_{number} {}
    [[nodiscard]] Deadline deadline(bool do_not_wait, std::atomic<Nanoseconds> const& timeout) const;

    Ref<net::LocalSocket> const socket_;
    net::Credentials const owner_;
    u64 const number_;
};

}  // namespace tutti::linux_abi
