// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/directories.hpp"

#include <cstring>

#include "base/bits.hpp"
#include "base/vector.hpp"
#include "linux_abi/syscall/file_support.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kTypeShift = 12;

// A path argument with the directory that it starts at.
struct Place {
    String path;
    Ref<vfs::Inode> start;
};
Result<Place> place_at(Task& task, i32 directory, UserPtr<char> path) {
    Place place;
    place.path = TRY(read_path(path));
    place.start = TRY(start_directory(task, directory, place.path));
    return place;
}

u32 masked(Task& task, u32 mode) { return mode & vfs::kPermissionMask & ~task.process().file_context().mask(); }

SyscallResult create_at(Task& task, i32 directory, UserPtr<char> path, vfs::CreateRequest const& request) {
    Place const place = TRY(place_at(task, directory, path));
    TRY(vfs::root_namespace().create(*place.start, place.path, request));
    return 0;
}

// Packs entries into kernel memory; the program's is written afterwards, when the directory is not locked.
class DirentPacker final : public vfs::DirectorySink {
  public:
    enum class Format : u8 { Old, With64BitType };
    DirentPacker(std::span<u8> out, Format format) : out_{out}, format_{format} {}

    bool add(vfs::DirectoryEntry const& entry) override {
        bool const old = format_ == Format::Old;
        // struct linux_dirent has no type field: the type is the last byte of the record.
        size_t const header = old ? kOldHeader : sizeof(Dirent64Header);
        size_t const length = align_up(header + entry.name.size() + 1 + (old ? 1 : 0), 8);
        if (length > out_.size() - used_) {
            full_ = true;
            return false;
        }
        u8* const at = out_.data() + used_;
        std::memset(at, 0, length);
        Dirent64Header const fields{.inode = entry.inode,
                                    .offset = static_cast<i64>(entry.next),
                                    .record_length = static_cast<u16>(length),
                                    .type = static_cast<u8>(entry.type)};
        std::memcpy(at, &fields, header);
        std::memcpy(at + header, entry.name.data(), entry.name.size());
        if (old) at[length - 1] = static_cast<u8>(entry.type);
        used_ += length;
        return true;
    }
    [[nodiscard]] size_t used() const { return used_; }
    [[nodiscard]] bool too_small() const { return full_ && used_ == 0; }

  private:
    static constexpr size_t kOldHeader = 18;  // as Dirent64Header without the type
    std::span<u8> const out_;
    Format const format_;
    size_t used_ = 0;
    bool full_ = false;
};

SyscallResult list_directory(Task& task, i32 fd, u64 buffer, u32 size, DirentPacker::Format format) {
    constexpr u32 kMost = 32768;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (file->flags().has(vfs::OpenFlags::PathOnly)) return kEBADF;
    if (!vm::is_user_range(VirtAddr{buffer}, size)) return kEFAULT;
    Vector<u8> bytes;
    TRY(bytes.try_resize(std::min(size, kMost)));
    DirentPacker packer{bytes.span(), format};
    u64 const position = file->seek(0, vfs::SeekOrigin::Current).value_or(0);
    TRY(file->list(packer));
    if (packer.too_small()) return kEINVAL;
    Result<> const copied = vm::copy_to_user(VirtAddr{buffer}, bytes.data(), packer.used());
    if (!copied) {
        (void)file->seek(static_cast<i64>(position), vfs::SeekOrigin::Start);  // nothing was listed
        return copied;
    }
    return packer.used();
}

SyscallResult set_working_directory(Task& task, Ref<vfs::Inode> directory) {
    if (!directory->is_directory()) return kENOTDIR;
    task.process().file_context().set_working_directory(std::move(directory));
    return 0;
}

}  // namespace

SyscallResult sys_mkdir(Task& task, UserPtr<char> path, u32 mode) { return sys_mkdirat(task, kAtFdCwd, path, mode); }

SyscallResult sys_mkdirat(Task& task, i32 directory, UserPtr<char> path, u32 mode) {
    return create_at(task, directory, path,
                     {.type = vfs::FileType::Directory, .permissions = masked(task, mode), .device = {}, .link_target = {}});
}

SyscallResult sys_rmdir(Task& task, UserPtr<char> path) { return sys_unlinkat(task, kAtFdCwd, path, kAtRemoveDir); }

SyscallResult sys_mknod(Task& task, UserPtr<char> path, u32 mode, u64 device) {
    return sys_mknodat(task, kAtFdCwd, path, mode, device);
}

SyscallResult sys_mknodat(Task& task, i32 directory, UserPtr<char> path, u32 mode, u64 device) {
    auto type = static_cast<vfs::FileType>(mode >> kTypeShift);
    switch (type) {
        case vfs::FileType::Unknown: type = vfs::FileType::Regular; break;
        case vfs::FileType::Regular:
        case vfs::FileType::Fifo:
        case vfs::FileType::Socket:
        case vfs::FileType::CharacterDevice:
        case vfs::FileType::BlockDevice: break;
        case vfs::FileType::Directory: return kEPERM;
        default: return kEINVAL;
    }
    return create_at(task, directory, path,
                     {.type = type, .permissions = masked(task, mode), .device = decode_device(device), .link_target = {}});
}

SyscallResult sys_unlink(Task& task, UserPtr<char> path) { return sys_unlinkat(task, kAtFdCwd, path, 0); }

SyscallResult sys_unlinkat(Task& task, i32 directory, UserPtr<char> path, u32 flags) {
    if ((flags & ~u32{kAtRemoveDir}) != 0) return kEINVAL;
    Place const place = TRY(place_at(task, directory, path));
    auto const kind = (flags & kAtRemoveDir) != 0 ? vfs::UnlinkKind::Directory : vfs::UnlinkKind::File;
    return vfs::root_namespace().unlink(*place.start, place.path, kind);
}

SyscallResult sys_link(Task& task, UserPtr<char> old_path, UserPtr<char> new_path) {
    return sys_linkat(task, kAtFdCwd, old_path, kAtFdCwd, new_path, 0);
}

SyscallResult sys_linkat(Task& task, i32 old_directory, UserPtr<char> old_path, i32 new_directory,
                         UserPtr<char> new_path, u32 flags) {
    if ((flags & ~(kAtSymlinkFollow | kAtEmptyPath)) != 0) return kEINVAL;
    // Unlike most calls, links are followed only when asked for.
    u32 const follow = (flags & kAtSymlinkFollow) != 0 ? 0 : u32{kAtSymlinkNoFollow};
    Ref<vfs::Inode> const target = TRY(resolve_at(task, old_directory, old_path, follow | (flags & kAtEmptyPath)));
    Place const place = TRY(place_at(task, new_directory, new_path));
    return vfs::root_namespace().link(*target, *place.start, place.path);
}

SyscallResult sys_symlink(Task& task, UserPtr<char> target, UserPtr<char> path) {
    return sys_symlinkat(task, target, kAtFdCwd, path);
}

SyscallResult sys_symlinkat(Task& task, UserPtr<char> target, i32 directory, UserPtr<char> path) {
    String const text = TRY(read_path(target));
    if (text.empty()) return kENOENT;
    return create_at(task, directory, path,
                     {.type = vfs::FileType::Symlink, .permissions = 0777, .device = {}, .link_target = text.view()});
}

SyscallResult sys_readlink(Task& task, UserPtr<char> path, u64 buffer, i32 size) {
    return sys_readlinkat(task, kAtFdCwd, path, buffer, size);
}

SyscallResult sys_readlinkat(Task& task, i32 directory, UserPtr<char> path, u64 buffer, i32 size) {
    if (size <= 0) return kEINVAL;
    // An empty path names the link that `directory` is open on.
    Ref<vfs::Inode> const inode = TRY(resolve_at(task, directory, path,
                                                 directory == kAtFdCwd ? u32{kAtSymlinkNoFollow}
                                                                       : kAtSymlinkNoFollow | kAtEmptyPath));
    if (inode->type() != vfs::FileType::Symlink) return kEINVAL;
    String target;
    TRY(inode->read_link(target));
    u64 const count = std::min<u64>(target.size(), static_cast<u64>(size));
    TRY(vm::copy_to_user(VirtAddr{buffer}, target.view().data(), count));
    return count;
}

SyscallResult sys_rename(Task& task, UserPtr<char> old_path, UserPtr<char> new_path) {
    return sys_renameat2(task, kAtFdCwd, old_path, kAtFdCwd, new_path, 0);
}

SyscallResult sys_renameat(Task& task, i32 old_directory, UserPtr<char> old_path, i32 new_directory,
                           UserPtr<char> new_path) {
    return sys_renameat2(task, old_directory, old_path, new_directory, new_path, 0);
}

SyscallResult sys_renameat2(Task& task, i32 old_directory, UserPtr<char> old_path, i32 new_directory,
                            UserPtr<char> new_path, u32 flags) {
    constexpr u32 kNoReplace = 1, kExchange = 2;
    vfs::RenameMode mode = vfs::RenameMode::Replace;
    switch (flags) {
        case 0: break;
        case kNoReplace: mode = vfs::RenameMode::NoReplace; break;
        case kExchange: mode = vfs::RenameMode::Exchange; break;
        default: return kEINVAL;  // also RENAME_WHITEOUT: only overlay filesystems know it
    }
    Place const from = TRY(place_at(task, old_directory, old_path));
    Place const to = TRY(place_at(task, new_directory, new_path));
    return vfs::root_namespace().rename(*from.start, from.path, *to.start, to.path, mode);
}

SyscallResult sys_getdents(Task& task, i32 fd, u64 buffer, u32 size) {
    return list_directory(task, fd, buffer, size, DirentPacker::Format::Old);
}

SyscallResult sys_getdents64(Task& task, i32 fd, u64 buffer, u32 size) {
    return list_directory(task, fd, buffer, size, DirentPacker::Format::With64BitType);
}

SyscallResult sys_getcwd(Task& task, u64 buffer, u64 size) {
    String path;
    TRY(vfs::root_namespace().path_of(*task.process().file_context().working_directory(), path));
    TRY(path.append('\0'));
    if (size < path.size()) return kERANGE;
    TRY(vm::copy_to_user(VirtAddr{buffer}, path.view().data(), path.size()));
    return path.size();
}

SyscallResult sys_chdir(Task& task, UserPtr<char> path) {
    return set_working_directory(task, TRY(resolve_at(task, kAtFdCwd, path, 0)));
}

SyscallResult sys_fchdir(Task& task, i32 fd) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (file->inode() == nullptr) return kENOTDIR;
    return set_working_directory(task, Ref<vfs::Inode>{*file->inode()});
}

SyscallResult sys_chroot(Task& task, UserPtr<char> path) {
    Ref<vfs::Inode> const inode = TRY(resolve_at(task, kAtFdCwd, path, 0));
    if (!inode->is_directory()) return kENOTDIR;
    // The root of the one namespace is everybody's; a program that asks for another must not believe that it has it.
    return inode.get() == &vfs::root_namespace().root() ? SyscallResult{0} : SyscallResult{kEPERM};
}

}  // namespace tutti::linux_abi
