// SPDX-License-Identifier: BSD-3-Clause
// What the socket system calls share.
#pragma once

#include "linux_abi/abi/socket.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/syscall/result.hpp"
#include "linux_abi/socket/socket_file.hpp"

namespace tutti::linux_abi {

// Errors: BadFileDescriptor, NotSocket.
[[nodiscard]] inline Result<Ref<SocketFile>> socket_of(Task& task, i32 fd) {
    Ref<vfs::File> const file = TRY(task.process().files().get(fd));
    SocketFile* const socket = file->socket_file();
    if (socket == nullptr) return fail(Error::NotSocket);
    return Ref<SocketFile>{*socket};
}

[[nodiscard]] inline net::Credentials credentials_of(Task const& task) { return {.process = task.process().pid()}; }

// A socket of another type at the address has an errno of its own here (connect(2), EPROTOTYPE).
[[nodiscard]] inline SyscallResult connection_result(Result<> const& result) {
    if (!result && result.error() == Error::WrongType) return kEPROTOTYPE;
    return result;
}
[[nodiscard]] inline SyscallResult sent_result(Task& task, Result<u64> const& result, u32 flags) {
    if (result) return *result;
    if (result.error() == Error::BrokenPipe && (flags & kMsgNoSignal) == 0) send_broken_pipe(task);
    return result.error() == Error::WrongType ? SyscallResult{kEPROTOTYPE} : SyscallResult{result.error()};
}

}  // namespace tutti::linux_abi
