// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/descriptor_directory.hpp"

#include <new>

#include "vfs/procfs/process_directory.hpp"

namespace tutti::vfs {

namespace {

// What stands for a file without an inode (a pipe, the console) when it is reached through its link: opening it again
// is up to the file.
class FileInode final : public Inode {
  public:
    explicit FileInode(Ref<File> file) : Inode{file->attributes().type}, file_{std::move(file)} {}
    Attributes attributes() override { return file_->attributes(); }
    FilesystemStatistics filesystem_statistics() override { return {}; }
    Result<Ref<File>> open(OpenFlags flags, String) override { return file_->reopen(flags); }

  private:
    Ref<File> const file_;
};

class DescriptorLink final : public GeneratedNode {
  public:
    DescriptorLink(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name, u32 permissions,
                   ProcessSource& source, i32 process, i32 descriptor)
        : GeneratedNode{filesystem, FileType::Symlink, permissions, std::move(directory), name},
          source_{source},
          process_{process},
          descriptor_{descriptor} {}

    Result<Ref<File>> open(OpenFlags, String) override { return fail(Error::TooManySymlinks); }
    Result<> read_link(String& target) override { return target.append(TRY(file())->path()); }
    Result<Ref<Inode>> follow_magic_link() override {
        Ref<File> file = TRY(this->file());
        if (Inode* const inode = file->inode()) return Ref<Inode>{*inode};
        auto* const stand_in = new (std::nothrow) FileInode{std::move(file)};
        if (stand_in == nullptr) return fail(Error::NoMemory);
        return Ref<Inode>::adopt(stand_in);
    }

  private:
    Result<Ref<File>> file() {
        Result<Ref<File>> file = source_.file(process_, descriptor_);
        return file ? std::move(file) : fail(Error::NotFound);
    }
    ProcessSource& source_;
    i32 const process_;
    i32 const descriptor_;
};

class DescriptorInformation final : public GeneratedText {
  public:
    DescriptorInformation(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name,
                          ProcessSource& source, i32 process, i32 descriptor)
        : GeneratedText{filesystem, 0444, std::move(directory), name},
          source_{source},
          process_{process},
          descriptor_{descriptor} {}

    Result<> generate(String& text) override {
        Result<Ref<File>> const found = source_.file(process_, descriptor_);
        if (!found) return fail(Error::NotFound);
        File& file = **found;
        u64 const position = file.position();
        u32 const flags = source_.open_bits(process_, descriptor_);
        char octal[12];
        size_t at = sizeof octal;
        for (u32 rest = flags; rest != 0; rest >>= 3) octal[--at] = static_cast<char>('0' + (rest & 7));
        return text.append_format("pos:\t{}\nflags:\t0{}\nmnt_id:\t20\nino:\t{}\n", position,
                                  std::string_view{octal + at, sizeof octal - at}, file.attributes().inode);
    }

  private:
    ProcessSource& source_;
    i32 const process_;
    i32 const descriptor_;
};

class DescriptorDirectory final : public GeneratedDirectory {
  public:
    DescriptorDirectory(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name,
                        ProcessSource& source, i32 process, DescriptorView view)
        : GeneratedDirectory{filesystem, std::move(directory), name},
          source_{source},
          process_{process},
          view_{view} {}

    Result<Ref<Inode>> lookup(std::string_view name) override {
        i32 const descriptor = TRY(parse_entry_number(name));
        Result<Ref<File>> const file = source_.file(process_, descriptor);
        if (!file) return fail(Error::NotFound);
        GeneratedNode* node = nullptr;
        if (view_ == DescriptorView::Files) {
            OpenFlags const flags = (*file)->flags();
            // The owner's bits say how it is open (proc(5)).
            u32 const permissions = (flags.has(OpenFlags::Read) ? 0500u : 0100u) |
                                    (flags.has(OpenFlags::Write) ? 0300u : 0100u);
            node = new (std::nothrow)
                DescriptorLink{filesystem(), Ref<Inode>{*this}, name, permissions, source_, process_, descriptor};
        } else {
            node = new (std::nothrow)
                DescriptorInformation{filesystem(), Ref<Inode>{*this}, name, source_, process_, descriptor};
        }
        if (node == nullptr) return fail(Error::NoMemory);
        return Ref<Inode>::adopt(node);
    }
    Result<> list(u64 position, DirectorySink& sink) override {
        FileType const type = view_ == DescriptorView::Files ? FileType::Symlink : FileType::Regular;
        return list_numbers(*this, 2, position, type, sink,
                            [&](i32 from) { return source_.next_descriptor(process_, from); });
    }

  private:
    ProcessSource& source_;
    i32 const process_;
    DescriptorView const view_;
};

}  // namespace

Result<Ref<Inode>> make_descriptor_directory(GeneratedDirectory& parent, std::string_view name, ProcessSource& source,
                                             i32 process, DescriptorView view) {
    auto* const directory = new (std::nothrow)
        DescriptorDirectory{parent.filesystem(), Ref<Inode>{parent}, name, source, process, view};
    if (directory == nullptr) return fail(Error::NoMemory);
    return Ref<Inode>::adopt(directory);
}

}  // namespace tutti::vfs
