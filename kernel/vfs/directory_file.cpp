// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/directory_file.hpp"

#include <new>

#include "vfs/namespace.hpp"

namespace tutti::vfs {

namespace {

// Keeps the position up to date with what the reader took, up to the end of the listing.
class PositionedSink final : public DirectorySink {
  public:
    PositionedSink(DirectorySink& out, u64 position, u64 end) : out_{out}, position_{position}, end_{end} {}
    bool add(DirectoryEntry const& entry) override {
        if (entry.next > end_ || !out_.add(entry)) return false;
        position_ = entry.next;
        return true;
    }
    [[nodiscard]] u64 position() const { return position_; }

  private:
    DirectorySink& out_;
    u64 position_;
    u64 const end_;
};

class DirectoryFile final : public File {
  public:
    DirectoryFile(OpenFlags flags, Inode& inode, String path) : File{flags, Ref<Inode>{inode}, std::move(path)} {}

    Result<> list(DirectorySink& sink) override {
        sched::MutexGuard guard{position_mutex_};
        u64 const start = position_.load(std::memory_order_relaxed);
        // Entries that come while somebody lists are for the next listing: this one ends, whatever he does with what he reads.
        if (start == 0) end_ = inode()->list_end();
        PositionedSink positioned{sink, start, end_};
        Result<> const outcome = list_from(positioned);
        position_.store(positioned.position(), std::memory_order_relaxed);
        return outcome;
    }

  protected:
    [[nodiscard]] Positioning positioning() const override { return Positioning::Seekable; }
    Result<u64> do_read(u64, vm::IoBuffer&) override { return fail(Error::IsDirectory); }
    Result<u64> do_write(u64&, vm::IoBuffer&) override { return fail(Error::IsDirectory); }

  private:
    Result<> list_from(PositionedSink& sink) {
        if (sink.position() == 0 && !sink.add({.name = ".", .inode = inode()->attributes().inode,
                                               .type = FileType::Directory, .next = 1}))
            return {};
        if (sink.position() == 1) {
            // A removed directory has no parent any more; nor has it entries.
            Result<Ref<Inode>> const parent = inode()->parent();
            u64 const number = parent ? (*parent)->attributes().inode : inode()->attributes().inode;
            if (!sink.add({.name = "..", .inode = number, .type = FileType::Directory, .next = 2})) return {};
        }
        return inode()->list(sink.position(), sink);
    }

    u64 end_ GUARDED_BY(position_mutex_) = ~u64{0};
};

class PathOnlyFile final : public File {
  public:
    PathOnlyFile(OpenFlags flags, Inode& inode, String path) : File{flags, Ref<Inode>{inode}, std::move(path)} {}
    Result<u64> seek(i64, SeekOrigin) override { return fail(Error::BadFileDescriptor); }
    Result<i64> control(u32, u64) override { return fail(Error::BadFileDescriptor); }
    Result<Ref<vm::Backing>> backing() override { return fail(Error::BadFileDescriptor); }
    Result<> list(DirectorySink&) override { return fail(Error::BadFileDescriptor); }
};

template <class T>
Result<Ref<File>> make(Inode& inode, OpenFlags flags, String path) {
    auto* const file = new (std::nothrow) T{flags, inode, std::move(path)};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<File>::adopt(file);
}

}  // namespace

Result<Ref<File>> open_directory(Inode& directory, OpenFlags flags, String path) {
    return make<DirectoryFile>(directory, flags, std::move(path));
}

Result<Ref<File>> open_path_only(Inode& inode, OpenFlags flags, String path) {
    return make<PathOnlyFile>(inode, OpenFlags{flags.bits() & ~(OpenFlags::Read | OpenFlags::Write)}, std::move(path));
}

}  // namespace tutti::vfs
