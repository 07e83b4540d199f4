// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/metadata.hpp"

#include "linux_abi/syscall/file_support.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kUnchanged = ~u32{0};

StatxTimestamp to_statx_time(Nanoseconds time) {
    Timespec const spec = to_timespec(time);
    return {.sec = spec.sec, .nsec = static_cast<u32>(spec.nsec), .pad = 0};
}

Statx to_statx(vfs::Attributes const& attributes) {
    constexpr u32 kBirthTime = 0x800;
    Statx result{};
    result.mask = kStatxBasicStats | kBirthTime;
    result.block_size = attributes.block_size;
    result.link_count = attributes.link_count;
    result.uid = attributes.uid;
    result.gid = attributes.gid;
    result.mode = static_cast<u16>(encode_mode(attributes));
    result.inode = attributes.inode;
    result.size = attributes.size;
    result.blocks = (attributes.allocated + 511) / 512;
    result.atime = to_statx_time(attributes.access_time);
    result.btime = to_statx_time(attributes.birth_time);
    result.ctime = to_statx_time(attributes.change_time);
    result.mtime = to_statx_time(attributes.modify_time);
    result.rdev_major = attributes.device.major;
    result.rdev_minor = attributes.device.minor;
    result.dev_minor = static_cast<u32>(attributes.filesystem);
    return result;
}

// Everything runs as root: what exists may be read and written; executed only with an x bit (or searched).
SyscallResult check_access(Task& task, i32 directory, UserPtr<char> path, u32 mode, u32 flags) {
    constexpr u32 kExecute = 1, kAll = 7;
    if ((mode & ~kAll) != 0) return kEINVAL;
    vfs::Attributes const attributes = TRY(object_at(task, directory, path, flags)).attributes();
    if ((mode & kExecute) != 0 && attributes.type != vfs::FileType::Directory && (attributes.permissions & 0111) == 0)
        return kEACCES;
    return 0;
}

SyscallResult change_file(vfs::File& file, vfs::AttributeChange const& change) {
    if (file.flags().has(vfs::OpenFlags::PathOnly)) return kEBADF;
    if (file.inode() == nullptr) return kEPERM;  // an anonymous object
    return file.inode()->change(change);
}

vfs::AttributeChange mode_change(u32 mode) {
    return {.permissions = mode & vfs::kPermissionMask, .uid = {}, .gid = {}, .access_time = {}, .modify_time = {}};
}

vfs::AttributeChange owner_change(u32 uid, u32 gid) {
    vfs::AttributeChange change;
    if (uid != kUnchanged) change.uid = uid;
    if (gid != kUnchanged) change.gid = gid;
    return change;
}

vfs::AttributeChange time_change(Nanoseconds access, Nanoseconds modify) {
    vfs::AttributeChange change;
    change.access_time = access;
    change.modify_time = modify;
    return change;
}

// A null path names the descriptor itself (utimensat(2), "C library/kernel ABI differences").
SyscallResult set_times(Task& task, i32 directory, UserPtr<char> path, u32 flags, vfs::AttributeChange const& change) {
    if (!path.is_null()) return TRY(resolve_at(task, directory, path, flags))->change(change);
    if (directory == kAtFdCwd) return kEFAULT;
    if (flags != 0) return kEINVAL;
    return change_file(*TRY(file_of(task, directory)), change);
}

Statfs to_statfs(vfs::FilesystemStatistics const& statistics) {
    Statfs result{};
    result.type = static_cast<i64>(statistics.magic);
    result.block_size = static_cast<i64>(statistics.block_size);
    result.blocks = statistics.blocks;
    result.blocks_free = result.blocks_available = statistics.free_blocks;
    result.files = statistics.inodes;
    result.files_free = statistics.free_inodes;
    result.name_length = statistics.name_limit;
    result.fragment_size = static_cast<i64>(statistics.block_size);
    return result;
}

}  // namespace

SyscallResult sys_stat(Task& task, UserPtr<char> path, UserPtr<Stat> result) {
    return write_user(result, to_stat(TRY(object_at(task, kAtFdCwd, path, 0)).attributes()));
}

SyscallResult sys_lstat(Task& task, UserPtr<char> path, UserPtr<Stat> result) {
    return write_user(result, to_stat(TRY(object_at(task, kAtFdCwd, path, kAtSymlinkNoFollow)).attributes()));
}

SyscallResult sys_fstat(Task& task, i32 fd, UserPtr<Stat> result) {
    return write_user(result, to_stat(TRY(file_of(task, fd))->attributes()));
}

SyscallResult sys_newfstatat(Task& task, i32 directory, UserPtr<char> path, UserPtr<Stat> result, u32 flags) {
    if ((flags & ~(kAtSymlinkNoFollow | kAtNoAutomount | kAtEmptyPath | kAtStatxSyncType)) != 0) return kEINVAL;
    return write_user(result, to_stat(TRY(object_at(task, directory, path, flags)).attributes()));
}

SyscallResult sys_statx(Task& task, i32 directory, UserPtr<char> path, u32 flags, u32 mask, UserPtr<Statx> result) {
    if ((flags & ~(kAtSymlinkNoFollow | kAtNoAutomount | kAtEmptyPath | kAtStatxSyncType)) != 0) return kEINVAL;
    if ((mask & kStatxReserved) != 0 || (flags & kAtStatxSyncType) == kAtStatxSyncType) return kEINVAL;
    return write_user(result, to_statx(TRY(object_at(task, directory, path, flags)).attributes()));
}

SyscallResult sys_access(Task& task, UserPtr<char> path, u32 mode) {
    return check_access(task, kAtFdCwd, path, mode, 0);
}
SyscallResult sys_faccessat(Task& task, i32 directory, UserPtr<char> path, u32 mode) {
    return check_access(task, directory, path, mode, 0);
}
SyscallResult sys_faccessat2(Task& task, i32 directory, UserPtr<char> path, u32 mode, u32 flags) {
    if ((flags & ~(kAtEaccess | kAtSymlinkNoFollow | kAtEmptyPath)) != 0) return kEINVAL;
    return check_access(task, directory, path, mode, flags);
}

SyscallResult sys_chmod(Task& task, UserPtr<char> path, u32 mode) {
    return TRY(resolve_at(task, kAtFdCwd, path, 0))->change(mode_change(mode));
}
SyscallResult sys_fchmod(Task& task, i32 fd, u32 mode) {
    return change_file(*TRY(file_of(task, fd)), mode_change(mode));
}
SyscallResult sys_fchmodat(Task& task, i32 directory, UserPtr<char> path, u32 mode) {
    return TRY(resolve_at(task, directory, path, 0))->change(mode_change(mode));
}
SyscallResult sys_fchmodat2(Task& task, i32 directory, UserPtr<char> path, u32 mode, u32 flags) {
    if ((flags & ~(kAtSymlinkNoFollow | kAtEmptyPath)) != 0) return kEINVAL;
    Ref<vfs::Inode> const inode = TRY(resolve_at(task, directory, path, flags));
    if (inode->type() == vfs::FileType::Symlink) return kEOPNOTSUPP;
    return inode->change(mode_change(mode));
}

SyscallResult sys_chown(Task& task, UserPtr<char> path, u32 uid, u32 gid) {
    return TRY(resolve_at(task, kAtFdCwd, path, 0))->change(owner_change(uid, gid));
}
SyscallResult sys_lchown(Task& task, UserPtr<char> path, u32 uid, u32 gid) {
    return TRY(resolve_at(task, kAtFdCwd, path, kAtSymlinkNoFollow))->change(owner_change(uid, gid));
}
SyscallResult sys_fchown(Task& task, i32 fd, u32 uid, u32 gid) {
    return change_file(*TRY(file_of(task, fd)), owner_change(uid, gid));
}
SyscallResult sys_fchownat(Task& task, i32 directory, UserPtr<char> path, u32 uid, u32 gid, u32 flags) {
    if ((flags & ~(kAtSymlinkNoFollow | kAtEmptyPath)) != 0) return kEINVAL;
    return TRY(resolve_at(task, directory, path, flags))->change(owner_change(uid, gid));
}

SyscallResult sys_utime(Task& task, UserPtr<char> path, UserPtr<Utimbuf> times) {
    Nanoseconds const now = vfs::wall_clock_now();
    vfs::AttributeChange change = time_change(now, now);
    if (!times.is_null()) {
        Utimbuf const given = TRY(read_user(times));
        change = time_change(Nanoseconds::from_s(given.access), Nanoseconds::from_s(given.modify));
    }
    return TRY(resolve_at(task, kAtFdCwd, path, 0))->change(change);
}

SyscallResult sys_utimes(Task& task, UserPtr<char> path, UserPtr<Timeval> times) {
    return sys_futimesat(task, kAtFdCwd, path, times);
}

SyscallResult sys_futimesat(Task& task, i32 directory, UserPtr<char> path, UserPtr<Timeval> times) {
    Nanoseconds const now = vfs::wall_clock_now();
    vfs::AttributeChange change = time_change(now, now);
    if (!times.is_null()) {
        Timeval const access = TRY(read_user(times));
        Timeval const modify = TRY(read_user(times + 1));
        if (!is_valid(access) || !is_valid(modify)) return kEINVAL;
        change = time_change(to_nanoseconds(access), to_nanoseconds(modify));
    }
    return set_times(task, directory, path, 0, change);
}

SyscallResult sys_utimensat(Task& task, i32 directory, UserPtr<char> path, UserPtr<Timespec> times, u32 flags) {
    if ((flags & ~(kAtSymlinkNoFollow | kAtEmptyPath)) != 0) return kEINVAL;
    Nanoseconds const now = vfs::wall_clock_now();
    vfs::AttributeChange change = time_change(now, now);
    if (!times.is_null()) {
        std::optional<Nanoseconds>* const targets[] = {&change.access_time, &change.modify_time};
        for (u64 i = 0; i < 2; ++i) {
            Timespec const given = TRY(read_user(times + i));
            if (given.nsec == kUtimeNow) continue;
            if (given.nsec == kUtimeOmit) {
                targets[i]->reset();
                continue;
            }
            if (!is_valid(given)) return kEINVAL;
            *targets[i] = to_nanoseconds(given);
        }
        if (!change.access_time && !change.modify_time) return 0;
    }
    return set_times(task, directory, path, flags, change);
}

SyscallResult sys_umask(Task& task, u32 mask) { return task.process().file_context().exchange_mask(mask); }

SyscallResult sys_statfs(Task& task, UserPtr<char> path, UserPtr<Statfs> result) {
    return write_user(result, to_statfs(TRY(resolve_at(task, kAtFdCwd, path, 0))->filesystem_statistics()));
}

SyscallResult sys_fstatfs(Task& task, i32 fd, UserPtr<Statfs> result) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (file->inode() != nullptr) return write_user(result, to_statfs(file->inode()->filesystem_statistics()));
    constexpr u64 kAnonymousInodeMagic = 0x0904'1934;
    return write_user(result, to_statfs({.magic = kAnonymousInodeMagic}));
}

SyscallResult sys_xattr(Task& task, UserPtr<char> path) {
    TRY(object_at(task, kAtFdCwd, path, 0));
    return kEOPNOTSUPP;
}
SyscallResult sys_lxattr(Task& task, UserPtr<char> path) {
    TRY(object_at(task, kAtFdCwd, path, kAtSymlinkNoFollow));
    return kEOPNOTSUPP;
}
SyscallResult sys_fxattr(Task& task, i32 fd) {
    TRY(file_of(task, fd));
    return kEOPNOTSUPP;
}

}  // namespace tutti::linux_abi
