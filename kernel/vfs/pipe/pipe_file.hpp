// SPDX-License-Identifier: BSD-3-Clause
// Open ends of pipes and fifos.
#pragma once

#include "vfs/file.hpp"
#include "vfs/pipe/pipe_buffer.hpp"

namespace tutti::vfs {

struct PipePair {
    Ref<File> reader;
    Ref<File> writer;
};
// pipe2(). `flags` may have NonBlock and Direct (accepted; packets are not kept apart). Error::NoMemory.
[[nodiscard]] Result<PipePair> make_pipe(OpenFlags flags);

// Opens an end (or both, with Read and Write) of a fifo's buffer, waiting for the other side as open(2) does.
// NoDeviceAddress: write-only, non-blocking, and no reader.
[[nodiscard]] Result<Ref<File>> open_fifo(Ref<PipeBuffer> pipe, OpenFlags flags, Ref<Inode> inode, String path);

// The buffer behind a file, or null when it is not a pipe (F_GETPIPE_SZ, F_SETPIPE_SZ, splice).
[[nodiscard]] PipeBuffer* pipe_of(File& file);

}  // namespace tutti::vfs
