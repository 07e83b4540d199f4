// SPDX-License-Identifier: BSD-3-Clause
// An open file description: what descriptors point to and share through dup.
//
// Every function unless it says otherwise: Thread context; may block, interruptibly (Error::Interrupted), unless the
// file is open with NonBlock (Error::WouldBlock); any number of CPUs at once. Buffers may be the program's memory:
// copying may fault pages in, so no file holds a spin lock while it copies.
#pragma once

#include <atomic>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "base/string.hpp"
#include "sched/wait/mutex.hpp"
#include "sched/wait/wait_queue.hpp"
#include "vfs/attributes.hpp"
#include "vfs/inode.hpp"
#include "vfs/open_flags.hpp"
#include "vfs/poll/poll_events.hpp"
#include "vfs/poll/watch_list.hpp"
#include "vm/io_buffer.hpp"

namespace tutti::vm {
class Backing;
}

namespace tutti::linux_abi {
class SocketFile;  // sockets are that layer's; here they are only told apart
}

namespace tutti::vfs {

class EpollFile;
class PipeBuffer;
class TimerFile;

enum class SeekOrigin : u8 { Start, Current, End, Data, Hole };

class File : public RefCounted<File> {
  public:
    virtual ~File() = default;

    [[nodiscard]] OpenFlags flags() const { return OpenFlags{flags_.load(std::memory_order_relaxed)}; }
    // Replaces the flags in OpenFlags::kChangeable.
    void change_flags(OpenFlags flags);

    // From and to the current position, which they advance; streams have none. The number of bytes moved: fewer than
    // the buffer has at end of file, for a stream with less, or when an error or a signal came after some bytes. Errors:
    // BadFileDescriptor (not open for this), IsDirectory, BadAddress, Interrupted, WouldBlock, BrokenPipe, NoSpace.
    Result<u64> read(vm::IoBuffer& to);
    Result<u64> write(vm::IoBuffer& from);
    // At `offset`, without touching the position. SeekOnPipe for streams.
    Result<u64> read_at(u64 offset, vm::IoBuffer& to);
    Result<u64> write_at(u64 offset, vm::IoBuffer& from);
    // The new position. SeekOnPipe for streams, InvalidArgument, NoDeviceAddress (no data or hole beyond).
    virtual Result<u64> seek(i64 offset, SeekOrigin origin);

    // The position that others may be moving just now; 0 for streams. Takes no lock.
    [[nodiscard]] u64 position() const { return position_.load(std::memory_order_relaxed); }

    // Device control; `argument` is a number or a user address, as `command` says. NotTerminal for unknown commands.
    virtual Result<i64> control(u32 command, u64 argument);

    // Readiness now. Never blocks.
    [[nodiscard]] virtual PollEvents poll() { return kPollIn | kPollOut | kPollReadNormal | kPollWriteNormal; }
    // Woken whenever poll() may say more than before; null when it never changes.
    [[nodiscard]] virtual sched::WaitQueue* poll_queue() { return nullptr; }

    // What mmap maps. NoDevice when the file cannot be mapped.
    virtual Result<Ref<vm::Backing>> backing();

    virtual Result<> truncate(u64 size);                       // InvalidArgument
    virtual Result<> allocate(u64 offset, u64 length, bool keep_size);  // NoDevice
    virtual Result<> punch_hole(u64 offset, u64 length);       // NotSupported
    virtual Result<> synchronize() { return {}; }              // InvalidArgument for streams

    // Directory entries from the current position on, "." and ".." first. NotDirectory elsewhere.
    virtual Result<> list(DirectorySink& sink);

    // For files without an inode: another open file on the same object, as opening /proc/self/fd/N gives. NoDeviceAddress
    // when the object cannot be opened by name.
    virtual Result<Ref<File>> reopen(OpenFlags flags);

    // Attributes of the inode, or of the anonymous object.
    [[nodiscard]] virtual Attributes attributes();
    // Null for anonymous files (pipes made by pipe(), eventfd, epoll).
    [[nodiscard]] Inode* inode() const { return inode_.get(); }
    // Absolute path at open, or a name such as "pipe:[7]".
    [[nodiscard]] std::string_view path() const { return path_.view(); }

    // What kind of special file this is; null when it is not.
    [[nodiscard]] virtual PipeBuffer* pipe() { return nullptr; }
    [[nodiscard]] virtual EpollFile* epoll() { return nullptr; }
    [[nodiscard]] virtual linux_abi::SocketFile* socket_file() { return nullptr; }
    [[nodiscard]] virtual TimerFile* timer() { return nullptr; }

    // The epoll instances that watch this file (vfs/poll/watch_list.hpp); link_lock_of(this) held.
    [[nodiscard]] WatchLinks& watchers() {
        has_watchers_.store(true, std::memory_order_relaxed);
        return watchers_;
    }
    // From the last put(), while the file is still whole: ends the watches. May block.
    void before_delete() const;

    // A descriptor of this file was closed; others may remain. May block.
    virtual void on_descriptor_closed() {}

  protected:
    File(OpenFlags flags, Ref<Inode> inode, String path)
        : flags_{flags.bits()}, inode_{std::move(inode)}, path_{std::move(path)} {}

    // What kinds of file implement. Access rights have been checked. `offset` is meaningless for streams.
    enum class Positioning : u8 { Seekable, Stream };
    [[nodiscard]] virtual Positioning positioning() const { return Positioning::Stream; }
    virtual Result<u64> do_read(u64 offset, vm::IoBuffer& to);      // InvalidArgument
    // With Append a seekable file writes at its end and sets `offset` to where that was.
    virtual Result<u64> do_write(u64& offset, vm::IoBuffer& from);  // InvalidArgument
    [[nodiscard]] virtual u64 size_for_seek() { return attributes().size; }

    [[nodiscard]] bool is_nonblocking() const { return flags().has(OpenFlags::NonBlock); }

    sched::Mutex position_mutex_{"file position"};  // held over a whole read or write at the current position, as POSIX asks
    std::atomic<u64> position_{0};  // written under position_mutex_; relaxed: a number

  private:
    std::atomic<u32> flags_;  // relaxed: each bit stands for itself
    Ref<Inode> const inode_;
    String const path_;
    // Set before the first watch is added by a holder of a reference, read after the last reference is gone: the count's
    // own ordering suffices.
    std::atomic<bool> has_watchers_{false};
    mutable WatchLinks watchers_;
};

}  // namespace tutti::vfs
