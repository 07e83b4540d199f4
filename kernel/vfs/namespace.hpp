// SPDX-License-Identifier: BSD-3-Clause
// Paths: from names to inodes, through directories, symbolic links and mounts.
//
// Nothing here is locked as a whole: each step asks one directory, which has a lock of its own.
#pragma once

#include <string_view>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "base/string.hpp"
#include "vfs/inode.hpp"

namespace tutti::vfs {

inline constexpr size_t kPathLimit = 4096;  // bytes, the terminating NUL included
inline constexpr size_t kNameLimit = 255;
inline constexpr unsigned kSymlinkLimit = 40;

// What to do about a last component that is a symbolic link.
enum class LastLink : u8 { Follow, DoNotFollow };

struct OpenRequest {
    OpenFlags flags;
    bool create = false;
    bool exclusive = false;      // with create: fail with Exists
    u32 permissions = 0;         // of a created file, mask applied already
    LastLink last_link = LastLink::Follow;  // DoNotFollow: TooManySymlinks for a link (unless PathOnly)
};

class Namespace {
  public:
    // The tree under `root`, a directory.
    explicit Namespace(Ref<Inode> root) : root_{std::move(root)} {}

    [[nodiscard]] Inode& root() const { return *root_; }

    // All functions take a path that is absolute, or relative to `start`. Errors: NotFound (also for an empty path),
    // NotDirectory, NameTooLong, TooManySymlinks, AccessDenied.

    Result<Ref<Inode>> resolve(Inode& start, std::string_view path, LastLink last_link = LastLink::Follow);
    Result<Ref<File>> open(Inode& start, std::string_view path, OpenRequest const& request);

    // Makes a directory, symbolic link, device node or fifo. Error::Exists.
    Result<Ref<Inode>> create(Inode& start, std::string_view path, CreateRequest const& request);
    Result<> unlink(Inode& start, std::string_view path, UnlinkKind kind);
    Result<> link(Inode& target, Inode& start, std::string_view path);
    Result<> rename(Inode& old_start, std::string_view old_path, Inode& new_start, std::string_view new_path,
                    RenameMode mode);

    // Appends the absolute path of a directory. NotFound when it was removed.
    Result<> path_of(Inode& directory, String& path);

  private:
    // The directory that holds the last component, and that component.
    struct Parent {
        Ref<Inode> directory;
        FixedString<kNameLimit> name;
        bool must_be_directory = false;  // the path ended in a slash
        bool is_special = false;         // the last component is ".", ".." or missing (the root)
    };
    struct Walk;
    Result<Ref<Inode>> step(Inode& directory, std::string_view name);
    Result<Ref<Inode>> walk(Walk& state, Inode& start, std::string_view path, LastLink last_link);
    Result<Parent> resolve_parent(Inode& start, std::string_view path);
    Result<Ref<File>> open_inode(Inode& inode, OpenRequest const& request, String path, bool created);

    Ref<Inode> const root_;
};

// Mounts `root` on the directory at `path`, which is made if it is not there. Boot.
Result<> mount_at(Namespace& names, std::string_view path, Inode& root);

// A file that only names `inode` (O_PATH). vfs/path_file.cpp.
Result<Ref<File>> open_path_only(Inode& inode, OpenFlags flags, String path);

// The machine's namespace; set once at boot (milestone rootfs-ready).
[[nodiscard]] Namespace& root_namespace();
void set_root_namespace(Ref<Inode> root);

}  // namespace tutti::vfs
