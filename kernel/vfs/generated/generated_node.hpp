// SPDX-License-Identifier: BSD-3-Clause
// What the filesystems whose contents the kernel makes up (/proc, /sys) have in common: directories with a fixed set of
// names, text files, links.
//
// The tree of fixed directories is complete before it is mounted and never changes, so look-ups take no lock. Nodes that
// come and go (processes) are made anew at each look-up; their inode number follows from their path, so that it is the
// same each time.
#pragma once

#include "sched/wait/mutex.hpp"
#include "vfs/inode.hpp"

namespace tutti::vfs {

struct GeneratedFilesystem {
    u64 magic = 0;  // statfs f_type
    u64 number = allocate_filesystem_number();
};

class GeneratedNode : public Inode {
  public:
    [[nodiscard]] Attributes attributes() override;
    [[nodiscard]] FilesystemStatistics filesystem_statistics() override;

    [[nodiscard]] GeneratedFilesystem const& filesystem() const { return filesystem_; }
    [[nodiscard]] std::string_view name() const { return name_; }
    [[nodiscard]] u64 number() const { return number_; }
    // The number that a node called `name` in a directory numbered `directory` has.
    [[nodiscard]] static u64 number_of(u64 directory, std::string_view name);

  protected:
    // `directory` is null for the root.
    GeneratedNode(GeneratedFilesystem const& filesystem, FileType type, u32 permissions, Ref<Inode> directory,
                  std::string_view name);
    [[nodiscard]] Ref<Inode> const& directory() const { return directory_; }

  private:
    GeneratedFilesystem const& filesystem_;  // lives for ever
    Ref<Inode> const directory_;
    FixedString<63> const name_;
    u32 const permissions_;
    u64 const number_;
};

class GeneratedDirectory : public GeneratedNode {
  public:
    GeneratedDirectory(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name)
        : GeneratedNode{filesystem, FileType::Directory, 0555, std::move(directory), name} {}

    Result<Ref<File>> open(OpenFlags flags, String path) override;
    Result<Ref<Inode>> lookup(std::string_view name) override;
    Result<Ref<Inode>> parent() override;
    Result<> list(u64 position, DirectorySink& sink) override;
    Result<> name_of(Inode const& child, String& name) override;

    // Before the tree is mounted.
    Result<> add(Ref<GeneratedNode> node) { return nodes_.try_push_back(std::move(node)); }
    [[nodiscard]] GeneratedNode* find(std::string_view name) const;

  protected:
    void clear() { nodes_.clear(); }

  private:
    Vector<Ref<GeneratedNode>> nodes_;
};

// A fixed directory whose nodes are made when somebody first looks into it: for large trees that few programs read.
class LazyDirectory final : public GeneratedDirectory {
  public:
    using Fill = Result<> (*)(GeneratedDirectory& directory, u64 argument);
    LazyDirectory(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name, Fill fill,
                  u64 argument)
        : GeneratedDirectory{filesystem, std::move(directory), name}, fill_{fill}, argument_{argument} {}
    Result<Ref<Inode>> lookup(std::string_view name) override;
    Result<> list(u64 position, DirectorySink& sink) override;

  private:
    Result<> ensure_filled();

    Fill const fill_;
    u64 const argument_;
    sched::Mutex mutex_{"generated directory"};
    std::atomic<bool> is_filled_{false};  // release when the nodes are there; acquire by readers
};

// A file whose text is made when it is read from its beginning; that snapshot serves the reads that follow, so that no
// reader sees half of one state and half of another.
class GeneratedText : public GeneratedNode {
  public:
    Result<Ref<File>> open(OpenFlags flags, String path) override;
    Result<> truncate(u64) override { return {}; }  // writing replaces the whole value anyway

    virtual Result<> generate(String& text) = 0;
    // One write. InvalidArgument for a value that makes no sense.
    virtual Result<> set(std::string_view text);  // NotPermitted

  protected:
    GeneratedText(GeneratedFilesystem const& filesystem, u32 permissions, Ref<Inode> directory, std::string_view name)
        : GeneratedNode{filesystem, FileType::Regular, permissions, std::move(directory), name} {}
};

class GeneratedLink final : public GeneratedNode {
  public:
    GeneratedLink(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name,
                  std::string_view target)
        : GeneratedNode{filesystem, FileType::Symlink, 0777, std::move(directory), name}, target_{target} {}
    Result<Ref<File>> open(OpenFlags, String) override { return fail(Error::TooManySymlinks); }
    Result<> read_link(String& target) override { return target.append(target_); }

  private:
    std::string_view const target_;  // a literal
};

// For fixed trees: what a file says is a function and a number for it.
using TextGenerator = Result<> (*)(u64 argument, String& text);
using TextSetter = Result<> (*)(u64 argument, std::string_view text);

struct TextEntry {
    std::string_view path;  // below the directory that it is added to; directories on the way are made
    TextGenerator generate;
    u64 argument = 0;
    u32 permissions = 0444;
    TextSetter set = nullptr;
};
Result<> add_text(GeneratedDirectory& directory, TextEntry const& entry);
// The directory at `path`, made if it is not there.
Result<GeneratedDirectory*> add_directory(GeneratedDirectory& directory, std::string_view path);
Result<> add_link(GeneratedDirectory& directory, std::string_view path, std::string_view target);
Result<> add_lazy_directory(GeneratedDirectory& directory, std::string_view path, LazyDirectory::Fill fill,
                            u64 argument);

// Generators for plain values: the argument, and a line of text (the argument is a `char const*`).
Result<> generate_number(u64 value, String& text);
Result<> generate_line(u64 text_pointer, String& text);

// The first decimal number of a text that was written to a file.
Result<i64> parse_number(std::string_view text);

}  // namespace tutti::vfs
