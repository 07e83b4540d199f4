// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/ramfs/ram_file.hpp"

#include <new>

namespace tutti::vfs {

namespace {

class OpenRamFile final : public File {
  public:
    OpenRamFile(OpenFlags flags, Ref<Inode> inode, RamFile& file, String path)
        : File{flags, std::move(inode), std::move(path)}, file_{file} {}

    Result<Ref<vm::Backing>> backing() override {
        file_.pages().set_description(path(), file_.filesystem().number, file_.number());
        return Ref<vm::Backing>{Ref<RamPages>{file_.pages()}};
    }
    Result<> truncate(u64 size) override {
        if (!flags().has(OpenFlags::Write)) return fail(Error::InvalidArgument);
        return file_.truncate(size);
    }
    Result<> allocate(u64 offset, u64 length, bool keep_size) override {
        if (!flags().has(OpenFlags::Write)) return fail(Error::BadFileDescriptor);
        file_.touch_modify();
        return file_.pages().allocate(offset, length, keep_size);
    }
    Result<> punch_hole(u64 offset, u64 length) override {
        if (!flags().has(OpenFlags::Write)) return fail(Error::BadFileDescriptor);
        file_.pages().punch_hole(offset, length);
        file_.touch_modify();
        return {};
    }
    Result<u64> seek(i64 offset, SeekOrigin origin) override {
        if (origin != SeekOrigin::Data && origin != SeekOrigin::Hole) return File::seek(offset, origin);
        u64 const size = file_.pages().size();
        if (offset < 0 || static_cast<u64>(offset) >= size) return fail(Error::NoDeviceAddress);
        u64 const start = static_cast<u64>(offset);
        u64 const found = origin == SeekOrigin::Data ? file_.pages().next_data(start) : file_.pages().next_hole(start);
        if (origin == SeekOrigin::Data && found == size) return fail(Error::NoDeviceAddress);
        return File::seek(static_cast<i64>(found), SeekOrigin::Start);
    }

  protected:
    [[nodiscard]] Positioning positioning() const override { return Positioning::Seekable; }
    [[nodiscard]] u64 size_for_seek() override { return file_.pages().size(); }
    Result<u64> do_read(u64 offset, vm::IoBuffer& to) override {
        if (!flags().has(OpenFlags::NoAccessTime)) file_.touch_access();
        return file_.pages().read(offset, to);
    }
    Result<u64> do_write(u64& offset, vm::IoBuffer& from) override {
        u64 const count = TRY(file_.pages().write(offset, from, flags().has(OpenFlags::Append)));
        file_.touch_modify();
        return count;
    }

  private:
    RamFile& file_;  // kept by inode()
};

// The filesystem of files without names.
RamFilesystem& nameless_filesystem() {
    static constinit std::atomic<RamFilesystem*> filesystem{nullptr};
    RamFilesystem* present = filesystem.load(std::memory_order_acquire);
    if (present != nullptr) return *present;
    auto* const made = new (std::nothrow) RamFilesystem;
    CHECK(made != nullptr, "no memory for the first memory file");
    if (filesystem.compare_exchange_strong(present, made, std::memory_order_acq_rel, std::memory_order_acquire))
        return *made;
    delete made;
    return *present;
}

}  // namespace

Result<Ref<File>> RamFile::open(OpenFlags flags, String path) {
    auto* const file = new (std::nothrow) OpenRamFile{flags, Ref<Inode>{*this}, *this, std::move(path)};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<File>::adopt(file);
}

Result<> RamFile::truncate(u64 size) {
    TRY(pages_->resize(size));
    touch_modify();
    return {};
}

void RamFile::add_size(Attributes& attributes) {
    attributes.size = pages_->size();
    attributes.allocated = pages_->allocated_bytes();
}

Result<Ref<File>> make_memory_file(OpenFlags flags, String path) {
    Ref<RamNode> const node =
        TRY(make_ram_node(nameless_filesystem(), {.type = FileType::Regular, .permissions = 0777}));
    return node->open(flags, std::move(path));
}

}  // namespace tutti::vfs
