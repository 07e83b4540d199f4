// SPDX-License-Identifier: BSD-3-Clause
// A directory in memory: names in a tree, under a lock of its own.
//
// Two directory locks at once are taken ancestor first, unrelated ones in the order of their addresses. That is decided
// while the filesystem's rename mutex is held, without which no directory changes its parent; a removal (parent, then
// child) fits the order by itself. A directory's `parent_` is guarded by a small lock of its own, so that ".." and paths
// need no more than that.
#pragma once

#include "base/rb_tree.hpp"
#include "smp/spin/spin.hpp"
#include "vfs/ramfs/ram_node.hpp"

namespace tutti::vfs {

class RamDirectory final : public RamNode {
  public:
    RamDirectory(RamFilesystem& filesystem, u32 permissions)
        : RamNode{filesystem, FileType::Directory, permissions, 1} {}
    ~RamDirectory() override;

    Result<Ref<File>> open(OpenFlags flags, String path) override;
    Result<Ref<Inode>> lookup(std::string_view name) override;
    Result<Ref<Inode>> parent() override;
    Result<Ref<Inode>> create(std::string_view name, CreateRequest const& request) override;
    Result<> link(std::string_view name, Inode& target) override;
    Result<> unlink(std::string_view name, UnlinkKind kind) override;
    Result<> rename(std::string_view old_name, Inode& new_directory, std::string_view new_name,
                    RenameMode mode) override;
    Result<> list(u64 position, DirectorySink& sink) override;
    [[nodiscard]] u64 list_end() override;
    Result<> name_of(Inode const& child, String& name) override;

    void become_root() { set_parent(this); }

  protected:
    void add_size(Attributes& attributes) override;

  private:
    struct Entry {
        RbNode by_name;
        RbNode by_position;
        String name;
        u64 position = 0;  // of the listing; grows with each new entry
        Ref<RamNode> node;
    };
    struct NameOrder {
        bool operator()(Entry const& a, Entry const& b) const { return a.name.view() < b.name.view(); }
    };
    struct PositionOrder {
        bool operator()(Entry const& a, Entry const& b) const { return a.position < b.position; }
    };

    [[nodiscard]] static Result<Entry*> make_entry(std::string_view name, Ref<RamNode> node);
    [[nodiscard]] Entry* find(std::string_view name) const REQUIRES(lock_);
    void insert(Entry& entry) REQUIRES(lock_);
    void remove(Entry& entry) REQUIRES(lock_);
    Result<Ref<Inode>> add(std::string_view name, Ref<RamNode> node);
    void set_parent(RamDirectory* parent);
    // Changes with the entry, under the locks of the directories that lose it and get it: a directory is alive while
    // another one has it as parent.
    static void set_parent_of(RamNode& node, RamDirectory* parent);
    // This directory is `ancestor` or lies below it. The filesystem's rename mutex is held.
    [[nodiscard]] bool is_within(RamDirectory const& ancestor);
    // Empties the name for a replacement: true when `node` (a directory) had no entries and is marked removed.
    [[nodiscard]] bool mark_removed_if_empty();
    struct Renaming;
    static Result<> rename_locked(Renaming& work) NO_THREAD_SAFETY_ANALYSIS;

    smp::SpinLock lock_{smp::LockRank::Directory, "directory"};
    RbTree<Entry, &Entry::by_name, NameOrder> names_ GUARDED_BY(lock_);
    RbTree<Entry, &Entry::by_position, PositionOrder> positions_ GUARDED_BY(lock_);
    u64 next_position_ GUARDED_BY(lock_) = 2;  // 0 and 1 are "." and ".."
    bool removed_ GUARDED_BY(lock_) = false;   // no entry can be added any more
    // The directory that this one is linked in, which is alive meanwhile; null once removed. Of a root: itself.
    smp::SpinLock parent_lock_{smp::LockRank::DirectoryParent, "directory's parent"};
    RamDirectory* parent_ GUARDED_BY(parent_lock_) = nullptr;
};

}  // namespace tutti::vfs
