// SPDX-License-Identifier: BSD-3-Clause
// Control messages (cmsg(3)): open files and credentials that travel with data over local sockets.
#pragma once

#include <memory>

#include "linux_abi/abi/socket.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/user_memory.hpp"
#include "net/local/message_queue.hpp"
#include "vfs/file.hpp"

namespace tutti::linux_abi {

// Open files on their way (SCM_RIGHTS).
struct PassedFiles final : net::Attachment {
    Vector<Ref<vfs::File>> files;
};

// What a sender attaches.
struct OutgoingControl {
    std::unique_ptr<PassedFiles> files;  // null: none
    net::Credentials credentials;        // the sender's own unless it said others
};
// Reads the control bytes of a message header. Errors: BadAddress, InvalidArgument, BadFileDescriptor, NoBufferSpace,
// NoMemory.
Result<OutgoingControl> read_control(Task& task, MsgHdr const& header, net::Credentials own);

// Gives a receiver what came with a message: descriptors are opened, what does not fit is closed and kMsgControlTruncated
// set in `header.flags`; `header.control_length` becomes the length used.
Result<> write_control(Task& task, MsgHdr& header, std::unique_ptr<net::Attachment> attachment,
                       net::Credentials const* credentials, bool close_on_exec);

}  // namespace tutti::linux_abi
