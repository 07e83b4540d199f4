// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/descriptors.hpp"

#include "linux_abi/syscall/file_support.hpp"
#include "vfs/pipe/pipe_file.hpp"
#include "vfs/ramfs/ram_file.hpp"

namespace tutti::linux_abi {

namespace {

SyscallResult open_at(Task& task, i32 directory, UserPtr<char> path, u32 flags, u32 mode) {
    if ((flags & kOTmpFile) == kOTmpFile) return kEOPNOTSUPP;  // programs fall back to a name of their own
    if ((flags & kOCreat) != 0 && (flags & kODirectory) != 0 && (flags & kOPath) == 0) return kEINVAL;
    vfs::OpenRequest request;
    request.flags = TRY(to_open_flags(flags));
    if ((flags & kOPath) == 0) {
        request.create = (flags & kOCreat) != 0;
        request.exclusive = request.create && (flags & kOExcl) != 0;
        request.permissions = mode & vfs::kPermissionMask & ~task.process().file_context().mask();
    }
    // An exclusive creation does not look through a link (open(2), O_EXCL).
    if ((flags & kONoFollow) != 0 || request.exclusive) request.last_link = vfs::LastLink::DoNotFollow;
    String const text = TRY(read_path(path));
    // First: without a number nothing may be created or truncated.
    FdReservation number = TRY(FdReservation::create(task.process().files(), fd_flag(flags)));
    Ref<vfs::Inode> const start = TRY(start_directory(task, directory, text));
    return std::move(number).install(TRY(vfs::root_namespace().open(*start, text, request)));
}

SyscallResult duplicate_to(Task& task, i32 old_fd, i32 new_fd, FdFlag flag) {
    FdTable& files = task.process().files();
    Ref<vfs::File> file = TRY(files.get(old_fd));
    if (old_fd == new_fd) return new_fd;
    TRY(files.replace(new_fd, std::move(file), flag));
    return new_fd;
}

// Record locks belong to the process: within one process they never conflict (fcntl(2), "Traditional record locks"),
// so setting one always succeeds at once and a test finds the range unlocked.
SyscallResult record_lock(vfs::File& file, i32 command, UserPtr<Flock> user) {
    Flock lock = TRY(read_user(user));
    if (lock.type < kFRdLck || lock.type > kFUnlck || lock.whence < 0 || lock.whence > 2) return kEINVAL;
    if (command == kFGetLk) {
        if (lock.type == kFUnlck) return kEINVAL;
        lock.type = kFUnlck;
        return write_user(user, lock);
    }
    if (lock.type == kFRdLck && !file.flags().has(vfs::OpenFlags::Read)) return kEBADF;
    if (lock.type == kFWrLck && !file.flags().has(vfs::OpenFlags::Write)) return kEBADF;
    return 0;
}

SyscallResult set_status_flags(vfs::File& file, u32 flags) {
    file.change_flags(TRY(to_open_flags(flags & ~(kOAccMode | kOPath))));
    return 0;
}

// Both descriptors, or none.
SyscallResult add_pair(Task& task, vfs::PipePair pair, UserPtr<i32> fds, FdFlag flag) {
    FdTable& files = task.process().files();
    i32 numbers[2];
    numbers[0] = TRY(files.add(std::move(pair.reader), flag));
    Result<i32> const second = files.add(std::move(pair.writer), flag);
    if (!second) {
        (void)files.close(numbers[0]);
        return second;
    }
    numbers[1] = *second;
    Result<> const written = vm::copy_to_user(fds.address(), numbers, sizeof numbers);
    if (!written) {
        (void)files.close(numbers[0]);
        (void)files.close(numbers[1]);
    }
    return written;
}

}  // namespace

SyscallResult sys_open(Task& task, UserPtr<char> path, u32 flags, u32 mode) {
    return open_at(task, kAtFdCwd, path, flags, mode);
}

SyscallResult sys_openat(Task& task, i32 directory, UserPtr<char> path, u32 flags, u32 mode) {
    return open_at(task, directory, path, flags, mode);
}

SyscallResult sys_openat2(Task& task, i32 directory, UserPtr<char> path, UserPtr<OpenHow> how, u64 size) {
    constexpr u64 kKnownResolve = 0x3f;
    constexpr u64 kKnownFlags = 037777777;
    if (size < sizeof(OpenHow)) return kEINVAL;
    if (size > kPageSize) return kE2BIG;
    OpenHow const request = TRY(read_user(how));
    for (u64 offset = sizeof request; offset < size; ++offset)  // fields of a newer kernel must be zero
        if (TRY(read_user(UserPtr<u8>{how.address() + offset})) != 0) return kE2BIG;
    if ((request.flags & ~kKnownFlags) != 0 || (request.resolve & ~kKnownResolve) != 0) return kEINVAL;
    if ((request.flags & (kOCreat | kOTmpFile)) == 0 && request.mode != 0) return kEINVAL;
    if ((request.mode & ~u64{vfs::kPermissionMask}) != 0) return kEINVAL;
    if (request.resolve != 0) return kENOSYS;  // confined walks are not there: the caller must not believe in them
    return open_at(task, directory, path, static_cast<u32>(request.flags), static_cast<u32>(request.mode));
}

SyscallResult sys_creat(Task& task, UserPtr<char> path, u32 mode) {
    return open_at(task, kAtFdCwd, path, kOCreat | kOWrOnly | kOTrunc, mode);
}

SyscallResult sys_close(Task& task, i32 fd) { return task.process().files().close(fd); }

SyscallResult sys_close_range(Task& task, u32 first, u32 last, u32 flags) {
    constexpr u32 kUnshare = 2, kCloseOnExec = 4;
    constexpr u32 kLargest = 0x7fff'ffff;
    if (first > last || (flags & ~(kUnshare | kCloseOnExec)) != 0) return kEINVAL;
    // A table of one's own: only when nobody else has it, there is nothing to do for that.
    if ((flags & kUnshare) != 0 && task.process().threads().count() > 1) return kEINVAL;
    FdTable& files = task.process().files();
    if (first > kLargest) return 0;
    auto const end = static_cast<i32>(std::min(last, kLargest));
    for (i32 fd = files.next_from(static_cast<i32>(first)); fd >= 0 && fd <= end; fd = files.next_from(fd + 1)) {
        // Another thread may have closed it meanwhile.
        if ((flags & kCloseOnExec) != 0)
            (void)files.set_flag(fd, FdFlag::CloseOnExec);
        else
            (void)files.close(fd);
        if (fd == end) break;
    }
    return 0;
}

SyscallResult sys_dup(Task& task, i32 fd) {
    Ref<vfs::File> file = TRY(file_of(task, fd));
    return task.process().files().add(std::move(file), FdFlag::None);
}

SyscallResult sys_dup2(Task& task, i32 old_fd, i32 new_fd) { return duplicate_to(task, old_fd, new_fd, FdFlag::None); }

SyscallResult sys_dup3(Task& task, i32 old_fd, i32 new_fd, u32 flags) {
    if ((flags & ~u32{kOCloexec}) != 0 || old_fd == new_fd) return kEINVAL;
    return duplicate_to(task, old_fd, new_fd, fd_flag(flags));
}

SyscallResult sys_fcntl(Task& task, i32 fd, i32 command, u64 argument) {
    FdTable& files = task.process().files();
    Ref<vfs::File> file = TRY(files.get(fd));
    auto const number = static_cast<i32>(argument);
    switch (command) {
        case kFDupFd: return files.add(std::move(file), FdFlag::None, number);
        case kFDupFdCloexec: return files.add(std::move(file), FdFlag::CloseOnExec, number);
        case kFGetFd: return TRY(files.flag(fd)) == FdFlag::CloseOnExec ? kFdCloexec : 0;
        case kFSetFd:
            return files.set_flag(fd, (number & kFdCloexec) != 0 ? FdFlag::CloseOnExec : FdFlag::None);
        case kFGetFl: return from_open_flags(file->flags());
        default: break;
    }
    if (file->flags().has(vfs::OpenFlags::PathOnly)) return kEBADF;
    switch (command) {
        case kFSetFl: return set_status_flags(*file, static_cast<u32>(argument));
        case kFGetLk:
        case kFSetLk:
        case kFSetLkW: return record_lock(*file, command, UserPtr<Flock>{argument});
        case kFGetPipeSize: return file->pipe() != nullptr ? SyscallResult{file->pipe()->capacity()} : kEBADF;
        case kFSetPipeSize:
            if (file->pipe() == nullptr) return kEBADF;
            return number <= 0 ? SyscallResult{kEINVAL} : file->pipe()->set_capacity(static_cast<u64>(number));
        case kFGetLease: return i32{kFUnlck};
        default: return kEINVAL;  // open-file-description locks, owners of SIGIO, seals: not there
    }
}

SyscallResult sys_ioctl(Task& task, i32 fd, u32 command, u64 argument) {
    constexpr u32 kFionClex = 0x5450, kFioClex = 0x5451, kFioNonBlock = 0x5421, kFioAsync = 0x5452;
    FdTable& files = task.process().files();
    Ref<vfs::File> const file = TRY(files.get(fd));
    auto const set_flag = [&](u32 flag) -> SyscallResult {
        i32 const on = TRY(read_user(UserPtr<i32>{argument}));
        u32 const old = file->flags().bits();
        file->change_flags(vfs::OpenFlags{on != 0 ? old | flag : old & ~flag});
        return 0;
    };
    switch (command) {
        case kFioClex: return files.set_flag(fd, FdFlag::CloseOnExec);
        case kFionClex: return files.set_flag(fd, FdFlag::None);
        case kFioNonBlock: return set_flag(vfs::OpenFlags::NonBlock);
        case kFioAsync: return set_flag(vfs::OpenFlags::Async);
        default: return file->control(command, argument);
    }
}

SyscallResult sys_flock(Task& task, i32 fd, i32 operation) {
    constexpr i32 kShared = 1, kExclusive = 2, kNonBlock = 4, kUnlock = 8;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    i32 const kind = operation & ~kNonBlock;
    if (kind != kShared && kind != kExclusive && kind != kUnlock) return kEINVAL;
    if (file->flags().has(vfs::OpenFlags::PathOnly)) return kEBADF;
    // Locks keep other processes out: there are none. Two descriptions of one process do not conflict here, which
    // docs/linux-abi.md says.
    return 0;
}

SyscallResult sys_pipe(Task& task, UserPtr<i32> fds) { return sys_pipe2(task, fds, 0); }

SyscallResult sys_pipe2(Task& task, UserPtr<i32> fds, u32 flags) {
    if ((flags & ~(kOCloexec | kONonBlock | kODirect)) != 0) return kEINVAL;
    u32 open_flags = 0;
    if ((flags & kONonBlock) != 0) open_flags |= vfs::OpenFlags::NonBlock;
    if ((flags & kODirect) != 0) open_flags |= vfs::OpenFlags::Direct;
    return add_pair(task, TRY(vfs::make_pipe(vfs::OpenFlags{open_flags})), fds, fd_flag(flags));
}

SyscallResult sys_memfd_create(Task& task, UserPtr<char> name, u32 flags) {
    constexpr u32 kCloexec = 1, kAllowSealing = 2, kNoExecSeal = 8, kExec = 16;
    constexpr u64 kNameLimit = 249;
    if ((flags & ~(kCloexec | kAllowSealing | kNoExecSeal | kExec)) != 0) return kEINVAL;  // no huge pages
    auto const text = vm::copy_string_from_user(name.address(), kNameLimit);
    if (!text) return text.error() == Error::NameTooLong ? SyscallResult{kEINVAL} : SyscallResult{text.error()};
    String path = TRY(String::create("/memfd:"));
    TRY(path.append(*text));
    TRY(path.append(" (deleted)"));
    auto file = TRY(vfs::make_memory_file(vfs::OpenFlags{vfs::OpenFlags::Read | vfs::OpenFlags::Write},
                                          std::move(path)));
    return task.process().files().add(std::move(file),
                                      (flags & kCloexec) != 0 ? FdFlag::CloseOnExec : FdFlag::None);
}

}  // namespace tutti::linux_abi
