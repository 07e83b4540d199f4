// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/ramfs/ram_node.hpp"

#include <new>

#include "mem/frame/frame_allocator.hpp"
#include "vfs/device.hpp"
#include "vfs/file.hpp"
#include "vfs/pipe/pipe_file.hpp"
#include "vfs/ramfs/ram_directory.hpp"
#include "vfs/ramfs/ram_file.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::vfs {

namespace {

constexpr u64 kTmpfsMagic = 0x01021994;
// As relatime: an access time is renewed when it is older than the last change, or than this.
constexpr i64 kAccessTimeAge = i64{24} * 3600 * 1'000'000'000;

class RamSymlink final : public RamNode {
  public:
    RamSymlink(RamFilesystem& filesystem, String target)
        : RamNode{filesystem, FileType::Symlink, 0777, 0}, target_{std::move(target)} {}
    Result<> read_link(String& target) override { return target.append(target_.view()); }
    Result<Ref<File>> open(OpenFlags, String) override { return fail(Error::TooManySymlinks); }

  protected:
    void add_size(Attributes& attributes) override { attributes.size = target_.size(); }

  private:
    String const target_;
};

class RamDevice final : public RamNode {
  public:
    RamDevice(RamFilesystem& filesystem, FileType type, u32 permissions, DeviceNumber device)
        : RamNode{filesystem, type, permissions, 0}, device_{device} {}
    Result<Ref<File>> open(OpenFlags flags, String path) override {
        return open_device(*this, type(), device_, flags, std::move(path));
    }

  protected:
    void add_size(Attributes& attributes) override { attributes.device = device_; }

  private:
    DeviceNumber const device_;
};

class RamFifo final : public RamNode {
  public:
    RamFifo(RamFilesystem& filesystem, u32 permissions, Ref<PipeBuffer> pipe)
        : RamNode{filesystem, FileType::Fifo, permissions, 0}, pipe_{std::move(pipe)} {}
    Result<Ref<File>> open(OpenFlags flags, String path) override {
        return open_fifo(pipe_, flags, Ref<Inode>{*this}, std::move(path));
    }

  private:
    Ref<PipeBuffer> const pipe_;
};

// A bound socket's name; opening it is not possible, connecting goes through net.
class RamSocket final : public RamNode {
  public:
    RamSocket(RamFilesystem& filesystem, u32 permissions) : RamNode{filesystem, FileType::Socket, permissions, 0} {}
    Result<Ref<File>> open(OpenFlags, String) override { return fail(Error::NoDeviceAddress); }
};

template <class T, class... Args>
Result<Ref<RamNode>> make(Args&&... args) {
    auto* const node = new (std::nothrow) T(std::forward<Args>(args)...);
    if (node == nullptr) return fail(Error::NoMemory);
    return Ref<RamNode>::adopt(node);
}

}  // namespace

RamNode::RamNode(RamFilesystem& filesystem, FileType type, u32 permissions, u32 links)
    : Inode{type},
      filesystem_{filesystem},
      number_{filesystem.next_inode.fetch_add(1, std::memory_order_relaxed)},
      permissions_{permissions & kPermissionMask},
      links_{links},
      birth_time_{wall_clock_now().count()} {
    access_time_.store(birth_time_, std::memory_order_relaxed);
    modify_time_.store(birth_time_, std::memory_order_relaxed);
    change_time_.store(birth_time_, std::memory_order_relaxed);
}

Attributes RamNode::attributes() {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    Attributes result;
    result.filesystem = filesystem_.number;
    result.inode = number_;
    result.type = type();
    result.permissions = permissions_.load(kRelaxed);
    result.link_count = links_.load(kRelaxed);
    result.uid = uid_.load(kRelaxed);
    result.gid = gid_.load(kRelaxed);
    result.access_time = Nanoseconds{access_time_.load(kRelaxed)};
    result.modify_time = Nanoseconds{modify_time_.load(kRelaxed)};
    result.change_time = Nanoseconds{change_time_.load(kRelaxed)};
    result.birth_time = Nanoseconds{birth_time_};
    add_size(result);
    return result;
}

Result<> RamNode::change(AttributeChange const& change) {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    if (change.permissions) permissions_.store(*change.permissions & kPermissionMask, kRelaxed);
    if (change.uid) uid_.store(*change.uid, kRelaxed);
    if (change.gid) gid_.store(*change.gid, kRelaxed);
    if (change.access_time) access_time_.store(change.access_time->count(), kRelaxed);
    if (change.modify_time) modify_time_.store(change.modify_time->count(), kRelaxed);
    touch_change();
    return {};
}

FilesystemStatistics RamNode::filesystem_statistics() {
    auto const memory = mem::frame_statistics();
    FilesystemStatistics result;
    result.magic = kTmpfsMagic;
    result.blocks = memory.total;
    result.free_blocks = memory.free;
    result.inodes = memory.total;
    result.free_inodes = memory.free;
    return result;
}

void RamNode::touch_access() {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    i64 const last = access_time_.load(kRelaxed);
    // The common case reads only: many CPUs that read one file do not write to its inode.
    if (last > modify_time_.load(kRelaxed) && last > change_time_.load(kRelaxed)) {
        if (wall_clock_now().count() - last < kAccessTimeAge) return;
    }
    access_time_.store(wall_clock_now().count(), kRelaxed);
}

void RamNode::touch_modify() {
    i64 const now = wall_clock_now().count();
    modify_time_.store(now, std::memory_order_relaxed);
    change_time_.store(now, std::memory_order_relaxed);
}

void RamNode::touch_change() { change_time_.store(wall_clock_now().count(), std::memory_order_relaxed); }

RamNode* dynamic_ram_node(Inode& inode, RamFilesystem& filesystem) {
    // Filesystem numbers are unique, and only ram nodes carry a RamFilesystem's.
    return inode.attributes().filesystem == filesystem.number ? static_cast<RamNode*>(&inode) : nullptr;
}

Result<Ref<RamNode>> make_ram_node(RamFilesystem& filesystem, CreateRequest const& request) {
    switch (request.type) {
        case FileType::Regular: return make<RamFile>(filesystem, request.permissions, TRY(make_ref<RamPages>()));
        case FileType::Directory: return make<RamDirectory>(filesystem, request.permissions);
        case FileType::Symlink: return make<RamSymlink>(filesystem, TRY(String::create(request.link_target)));
        case FileType::CharacterDevice:
        case FileType::BlockDevice:
            return make<RamDevice>(filesystem, request.type, request.permissions, request.device);
        case FileType::Fifo: return make<RamFifo>(filesystem, request.permissions, TRY(PipeBuffer::create()));
        case FileType::Socket: return make<RamSocket>(filesystem, request.permissions);
        case FileType::Unknown: break;
    }
    return fail(Error::InvalidArgument);
}

Result<Ref<Inode>> make_ram_filesystem(u32 root_permissions) {
    auto* const filesystem = new (std::nothrow) RamFilesystem;
    if (filesystem == nullptr) return fail(Error::NoMemory);
    Ref<RamNode> root = TRY(make<RamDirectory>(*filesystem, root_permissions));
    root->add_link();  // nothing holds a root but itself
    static_cast<RamDirectory&>(*root).become_root();
    return Ref<Inode>{std::move(root)};
}

}  // namespace tutti::vfs
