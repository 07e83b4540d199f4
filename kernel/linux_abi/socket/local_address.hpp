// SPDX-License-Identifier: BSD-3-Clause
// sockaddr_un: from a program's bytes to the keys and names of net::LocalSocket, and back (unix(7), "Address format").
//
//   key    "F" and the identity of the socket's inode for a path, "A" and the bytes for an abstract name
//   name   the path as it was given to bind, or the abstract name's bytes, which begin with a zero byte
#pragma once

#include "base/string.hpp"
#include "linux_abi/abi/socket.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/user_memory.hpp"
#include "vfs/inode.hpp"

namespace tutti::linux_abi {

// An address that was copied in. Neither path nor abstract: only the family was given.
class LocalAddress {
  public:
    // Errors: BadAddress, InvalidArgument (length, or another family).
    static Result<LocalAddress> read(UserPtr<u8> from, u32 length);

    [[nodiscard]] bool is_unnamed() const { return name_.empty(); }
    [[nodiscard]] bool is_abstract() const { return !name_.empty() && name_.view()[0] == '\0'; }
    [[nodiscard]] std::string_view name() const { return name_.view(); }

    // The key of the socket that has this address: NotFound, AccessDenied and other errors of paths; ConnectionRefused
    // when the file is no socket.
    Result<String> find_key(Task& task) const;

  private:
    FixedString<sizeof(SockaddrUnix::path)> name_;
};

// The key of a socket's inode.
Result<String> key_of_inode(vfs::Inode& inode);
Result<String> key_of_abstract_name(std::string_view name);

// Gives a program the address with that name ("" is unnamed): as much as fits, and the full length.
Result<> write_address(UserPtr<u8> to, UserPtr<u32> length, std::string_view name);
// The same for a call that has read `room` already; the full length.
Result<u32> write_address(UserPtr<u8> to, u32 room, std::string_view name);

}  // namespace tutti::linux_abi
