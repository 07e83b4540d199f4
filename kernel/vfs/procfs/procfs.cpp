// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/procfs.hpp"

#include <new>

#include "vfs/procfs/load_average.hpp"
#include "vfs/procfs/process_directory.hpp"
#include "vfs/procfs/system_control.hpp"
#include "vfs/procfs/system_text.hpp"

namespace tutti::vfs {

namespace {

constexpr u64 kMagic = 0x9fa0;
constexpr u64 kProcessPositions = 1024;  // of the listing: fixed names come before

// self and thread-self: whose depends on who asks.
class SelfLink final : public GeneratedNode {
  public:
    SelfLink(GeneratedFilesystem const& filesystem, Ref<Inode> directory, std::string_view name, ProcessSource& source)
        : GeneratedNode{filesystem, FileType::Symlink, 0777, std::move(directory), name}, source_{source} {}
    Result<Ref<File>> open(OpenFlags, String) override { return fail(Error::TooManySymlinks); }
    Result<> read_link(String& target) override {
        i32 const process = TRY(source_.current_process());
        if (name() == "self") return target.append_format("{}", process);
        return target.append_format("{}/task/{}", process, TRY(source_.current_thread()));
    }

  private:
    ProcessSource& source_;
};

class Root final : public GeneratedDirectory {
  public:
    Root(GeneratedFilesystem const& filesystem, ProcessSource& source)
        : GeneratedDirectory{filesystem, {}, "proc"}, source_{source} {}

    Result<Ref<Inode>> lookup(std::string_view name) override {
        if (name.front() >= '0' && name.front() <= '9')
            return make_process_directory(*this, source_, TRY(parse_entry_number(name)));
        return GeneratedDirectory::lookup(name);
    }
    Result<> list(u64 position, DirectorySink& sink) override {
        if (position < kProcessPositions) {
            FullSink fixed{sink};
            TRY(GeneratedDirectory::list(position, fixed));
            if (fixed.is_full) return {};
        }
        return list_numbers(*this, kProcessPositions, position, FileType::Directory, sink,
                            [&](i32 from) { return source_.next_process(from); });
    }

  private:
    struct FullSink final : DirectorySink {
        explicit FullSink(DirectorySink& sink) : out{sink} {}
        bool add(DirectoryEntry const& entry) override {
            is_full = !out.add(entry);
            return !is_full;
        }
        DirectorySink& out;
        bool is_full = false;
    };
    ProcessSource& source_;
};

}  // namespace

Result<> mount_procfs(Namespace& names, ProcessSource& source) {
    auto* const filesystem = new (std::nothrow) GeneratedFilesystem{kMagic};
    if (filesystem == nullptr) return fail(Error::NoMemory);
    Ref<Root> const root = TRY(make_ref<Root>(*filesystem, source));
    for (std::string_view const name : {std::string_view{"self"}, std::string_view{"thread-self"}}) {
        auto* const link = new (std::nothrow) SelfLink{*filesystem, Ref<Inode>{*root}, name, source};
        if (link == nullptr) return fail(Error::NoMemory);
        TRY(root->add(Ref<GeneratedNode>::adopt(link)));
    }
    TRY(add_system_texts(*root, source));
    TRY(add_system_control(*root, source));
    TRY(add_link(*root, "mounts", "self/mounts"));
    start_load_average();
    return mount_at(names, "/proc", *root);
}

}  // namespace tutti::vfs
