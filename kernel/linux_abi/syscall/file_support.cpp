// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/file_support.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kTypeShift = 12;

struct FlagPair {
    u32 linux_flag;
    vfs::OpenFlags::Flag flag;
};
constexpr FlagPair kStatusFlags[] = {
    {kOAppend, vfs::OpenFlags::Append},    {kONonBlock, vfs::OpenFlags::NonBlock},
    {kODirect, vfs::OpenFlags::Direct},    {kODSync, vfs::OpenFlags::DataSync},
    {kONoAtime, vfs::OpenFlags::NoAccessTime}, {kOAsync, vfs::OpenFlags::Async},
    {kOPath, vfs::OpenFlags::PathOnly},
};

}  // namespace

Result<String> read_path(UserPtr<char> path) { return vm::copy_string_from_user(path.address(), vfs::kPathLimit - 1); }

Result<Ref<vfs::Inode>> start_directory(Task& task, i32 directory, std::string_view path) {
    if (!path.empty() && path.front() == '/') return Ref<vfs::Inode>{vfs::root_namespace().root()};
    if (directory == kAtFdCwd) return task.process().file_context().working_directory();
    Ref<vfs::File> const file = TRY(file_of(task, directory));
    if (file->inode() == nullptr || !file->inode()->is_directory()) return fail(Error::NotDirectory);
    return Ref<vfs::Inode>{*file->inode()};
}

Result<Ref<vfs::Inode>> resolve_at(Task& task, i32 directory, UserPtr<char> path, u32 flags) {
    NamedObject object = TRY(object_at(task, directory, path, flags));
    if (!object.inode) return fail(Error::InvalidArgument);
    return std::move(object.inode);
}

Result<NamedObject> object_at(Task& task, i32 directory, UserPtr<char> path, u32 flags) {
    bool const empty_allowed = (flags & kAtEmptyPath) != 0;
    String text;
    if (!path.is_null() || !empty_allowed) text = TRY(read_path(path));
    if (text.empty() && empty_allowed) {
        if (directory == kAtFdCwd) return NamedObject{task.process().file_context().working_directory(), {}};
        Ref<vfs::File> file = TRY(file_of(task, directory));
        if (file->inode() != nullptr) return NamedObject{Ref<vfs::Inode>{*file->inode()}, {}};
        return NamedObject{{}, std::move(file)};
    }
    Ref<vfs::Inode> const start = TRY(start_directory(task, directory, text));
    auto const last = (flags & kAtSymlinkNoFollow) != 0 ? vfs::LastLink::DoNotFollow : vfs::LastLink::Follow;
    return NamedObject{TRY(vfs::root_namespace().resolve(*start, text, last)), {}};
}

u64 encode_device(vfs::DeviceNumber device) {
    u64 const major = device.major;
    u64 const minor = device.minor;
    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~u64{0xff}) << 12 | (major & ~u64{0xfff}) << 32;
}

vfs::DeviceNumber decode_device(u64 device) {
    return {.major = static_cast<u32>((device >> 8 & 0xfff) | (device >> 32 & ~u64{0xfff})),
            .minor = static_cast<u32>((device & 0xff) | (device >> 12 & ~u64{0xff}))};
}

u32 encode_mode(vfs::Attributes const& attributes) {
    return static_cast<u32>(attributes.type) << kTypeShift | (attributes.permissions & vfs::kPermissionMask);
}

Stat to_stat(vfs::Attributes const& attributes) {
    Stat result{};
    result.device = encode_device({.major = 0, .minor = static_cast<u32>(attributes.filesystem)});
    result.inode = attributes.inode;
    result.link_count = attributes.link_count;
    result.mode = encode_mode(attributes);
    result.uid = attributes.uid;
    result.gid = attributes.gid;
    result.rdev = encode_device(attributes.device);
    result.size = static_cast<i64>(attributes.size);
    result.block_size = attributes.block_size;
    result.blocks = static_cast<i64>((attributes.allocated + 511) / 512);
    result.atime = to_timespec(attributes.access_time);
    result.mtime = to_timespec(attributes.modify_time);
    result.ctime = to_timespec(attributes.change_time);
    return result;
}

Result<vfs::OpenFlags> to_open_flags(u32 flags) {
    u32 bits = 0;
    if ((flags & kOPath) != 0) {
        bits = vfs::OpenFlags::PathOnly | ((flags & kODirectory) != 0 ? vfs::OpenFlags::Directory : 0);
        return vfs::OpenFlags{bits};
    }
    switch (flags & kOAccMode) {
        case kORdOnly: bits = vfs::OpenFlags::Read; break;
        case kOWrOnly: bits = vfs::OpenFlags::Write; break;
        case kORdWr: bits = vfs::OpenFlags::Read | vfs::OpenFlags::Write; break;
        default: return fail(Error::InvalidArgument);
    }
    for (FlagPair const& pair : kStatusFlags)
        if ((flags & pair.linux_flag) == pair.linux_flag) bits |= pair.flag;
    if ((flags & kOSync) == kOSync) bits |= vfs::OpenFlags::Sync;
    if ((flags & kODirectory) != 0) bits |= vfs::OpenFlags::Directory;
    if ((flags & kOTrunc) != 0) bits |= vfs::OpenFlags::Truncate;
    return vfs::OpenFlags{bits};
}

u32 from_open_flags(vfs::OpenFlags flags) {
    u32 result = kOLargeFile;
    if (flags.has(vfs::OpenFlags::Read) && flags.has(vfs::OpenFlags::Write))
        result |= kORdWr;
    else if (flags.has(vfs::OpenFlags::Write))
        result |= kOWrOnly;
    for (FlagPair const& pair : kStatusFlags)
        if (flags.has(pair.flag)) result |= pair.linux_flag;
    if (flags.has(vfs::OpenFlags::Sync)) result |= kOSync;
    return result;
}

}  // namespace tutti::linux_abi
