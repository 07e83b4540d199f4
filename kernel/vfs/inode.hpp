// SPDX-License-Identifier: BSD-3-Clause
// A file of some filesystem, without a name and without a position: what directories point to and open files share.
//
// Every function: Thread context; may block; may be called by any number of CPUs at once. A function that a type of
// file does not have fails with the error that its comment names. Names are single components: not empty, not "." or
// "..", without a slash, at most 255 bytes (checked by vfs/namespace.cpp).
#pragma once

#include <atomic>
#include <string_view>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "base/string.hpp"
#include "vfs/attributes.hpp"
#include "vfs/open_flags.hpp"

namespace tutti::vm {
class Backing;
}

namespace tutti::vfs {

class File;
class Inode;

struct DirectoryEntry {
    std::string_view name;
    u64 inode = 0;
    FileType type = FileType::Unknown;
    u64 next = 0;  // position after this entry, for seekdir
};
// Takes the entries of a directory, one by one; false ends the listing (no more room).
class DirectorySink {
  public:
    virtual bool add(DirectoryEntry const& entry) = 0;

  protected:
    ~DirectorySink() = default;
};

// What to make with create().
struct CreateRequest {
    FileType type = FileType::Regular;
    u32 permissions = 0;
    DeviceNumber device;            // device nodes
    std::string_view link_target;   // symbolic links
};

enum class UnlinkKind : u8 { File, Directory };

// Rename: what may happen at the new name.
enum class RenameMode : u8 { Replace, NoReplace, Exchange };

class Inode : public RefCounted<Inode> {
  public:
    virtual ~Inode() = default;

    [[nodiscard]] FileType type() const { return type_; }
    [[nodiscard]] bool is_directory() const { return type_ == FileType::Directory; }

    [[nodiscard]] virtual Attributes attributes() = 0;
    virtual Result<> change(AttributeChange const& change);     // NotPermitted
    [[nodiscard]] virtual FilesystemStatistics filesystem_statistics() = 0;

    // An open file on this inode; the path is only remembered (File::path). Device nodes open their device.
    virtual Result<Ref<File>> open(OpenFlags flags, String path) = 0;

    // Regular files.
    virtual Result<> truncate(u64 size);                        // InvalidArgument, IsDirectory

    // Symbolic links: appends the target. The second form, of magic links (/proc/self/fd/N), is asked first: it gives
    // the file itself, or null.
    virtual Result<> read_link(String& target);                 // InvalidArgument
    virtual Result<Ref<Inode>> follow_magic_link() { return Ref<Inode>{}; }

    // Directories; all fail with NotDirectory elsewhere.
    virtual Result<Ref<Inode>> lookup(std::string_view name);   // NotFound
    virtual Result<Ref<Inode>> parent();                        // of the root: itself
    virtual Result<Ref<Inode>> create(std::string_view name, CreateRequest const& request);  // Exists, ReadOnly
    virtual Result<> link(std::string_view name, Inode& target);                             // Exists, CrossDevice
    virtual Result<> unlink(std::string_view name, UnlinkKind kind);  // NotFound, IsDirectory, DirectoryNotEmpty
    virtual Result<> rename(std::string_view old_name, Inode& new_directory, std::string_view new_name,
                            RenameMode mode);                   // CrossDevice, ...
    // Entries from `position` on ("." and ".." are the caller's: vfs/directory_file.hpp).
    virtual Result<> list(u64 position, DirectorySink& sink);
    // Entries that are added from now on are listed at or behind this position.
    [[nodiscard]] virtual u64 list_end() { return ~u64{0}; }
    // Appends the name that `child` has in this directory.
    virtual Result<> name_of(Inode const& child, String& name); // NotFound

    // Mounts. A directory that is covered leads to the root of what is mounted on it, and that root back to it.
    // Set once, before programs run; never unset.
    [[nodiscard]] Inode* mounted_here() const { return mounted_.load(std::memory_order_acquire); }
    [[nodiscard]] Inode* covers() const { return covers_; }
    // Keeps references to both for ever.
    static void mount(Inode& covered, Inode& root);

  protected:
    explicit Inode(FileType type) : type_{type} {}

  private:
    FileType const type_;
    std::atomic<Inode*> mounted_{nullptr};  // release in mount(), acquire in mounted_here()
    Inode* covers_ = nullptr;
};

// A new st_dev number for a filesystem.
[[nodiscard]] u64 allocate_filesystem_number();

}  // namespace tutti::vfs
