// SPDX-License-Identifier: BSD-3-Clause
// What the file system calls share: paths and descriptors from arguments, and attributes to structures.
#pragma once

#include "linux_abi/abi/file.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/user_memory.hpp"
#include "linux_abi/machine/file_structures.hpp"
#include "vfs/file.hpp"
#include "vfs/namespace.hpp"

namespace tutti::linux_abi {

// A path argument. Errors: BadAddress, NameTooLong.
Result<String> read_path(UserPtr<char> path);

// The directory that a relative path starts at. Errors: BadFileDescriptor, NotDirectory.
Result<Ref<vfs::Inode>> start_directory(Task& task, i32 directory, std::string_view path);

// The inode that an *at call names; an empty path with AT_EMPTY_PATH names the descriptor itself.
Result<Ref<vfs::Inode>> resolve_at(Task& task, i32 directory, UserPtr<char> path, u32 flags);

// The same for calls on attributes: anonymous files have some although they have no inode.
struct NamedObject {
    Ref<vfs::Inode> inode;  // or
    Ref<vfs::File> file;
    [[nodiscard]] vfs::Attributes attributes() const { return inode ? inode->attributes() : file->attributes(); }
};
Result<NamedObject> object_at(Task& task, i32 directory, UserPtr<char> path, u32 flags);

[[nodiscard]] inline Result<Ref<vfs::File>> file_of(Task& task, i32 fd) { return task.process().files().get(fd); }

// dev_t as programs decode it.
[[nodiscard]] u64 encode_device(vfs::DeviceNumber device);
[[nodiscard]] vfs::DeviceNumber decode_device(u64 device);
[[nodiscard]] u32 encode_mode(vfs::Attributes const& attributes);
[[nodiscard]] Stat to_stat(vfs::Attributes const& attributes);

// O_* to the open flags of vfs. Error::InvalidArgument for an access mode that does not exist.
Result<vfs::OpenFlags> to_open_flags(u32 flags);
[[nodiscard]] u32 from_open_flags(vfs::OpenFlags flags);
[[nodiscard]] inline FdFlag fd_flag(u32 open_flags) {
    return (open_flags & kOCloexec) != 0 ? FdFlag::CloseOnExec : FdFlag::None;
}

}  // namespace tutti::linux_abi
