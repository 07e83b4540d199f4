// SPDX-License-Identifier: BSD-3-Clause
// What all inodes of the memory filesystem share: attributes, as words that are read and written without a lock.
#pragma once

#include <atomic>

#include "sched/wait/mutex.hpp"
#include "vfs/inode.hpp"

namespace tutti::vfs {

// One mounted tree. Lives for ever.
struct RamFilesystem {
    u64 number = allocate_filesystem_number();
    std::atomic<u64> next_inode{1};
    sched::Mutex rename_mutex{"ramfs rename"};  // held by every rename between two directories
};

class RamNode : public Inode {
  public:
    [[nodiscard]] Attributes attributes() override;
    Result<> change(AttributeChange const& change) override;
    [[nodiscard]] FilesystemStatistics filesystem_statistics() override;

    [[nodiscard]] RamFilesystem& filesystem() const { return filesystem_; }
    [[nodiscard]] u64 number() const { return number_; }

    // Relaxed everywhere: each word stands for itself.
    void add_link() { links_.fetch_add(1, std::memory_order_relaxed); }
    void drop_link() { links_.fetch_sub(1, std::memory_order_relaxed); }
    void touch_access();
    void touch_modify();
    void touch_change();

  protected:
    RamNode(RamFilesystem& filesystem, FileType type, u32 permissions, u32 links);
    virtual void add_size(Attributes& attributes) { (void)attributes; }

  private:
    RamFilesystem& filesystem_;
    u64 const number_;
    std::atomic<u32> permissions_;
    std::atomic<u32> uid_{0};
    std::atomic<u32> gid_{0};
    std::atomic<u32> links_;
    std::atomic<i64> access_time_, modify_time_, change_time_;
    i64 const birth_time_;
};

// `inode` as a node of `filesystem`; null when it belongs to another.
[[nodiscard]] RamNode* dynamic_ram_node(Inode& inode, RamFilesystem& filesystem);

// Makes an inode of any type, linked nowhere yet. Error::NoMemory.
Result<Ref<RamNode>> make_ram_node(RamFilesystem& filesystem, CreateRequest const& request);
// A new tree: its root directory.
Result<Ref<Inode>> make_ram_filesystem(u32 root_permissions);

}  // namespace tutti::vfs
