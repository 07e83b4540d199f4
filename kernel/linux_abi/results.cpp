// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/results.hpp"

#include "drivers/link/host_link.hpp"
#include "vfs/file.hpp"
#include "vfs/namespace.hpp"

namespace tutti::linux_abi {

namespace {

namespace link = drivers::host_link;

u32 mode_of(vfs::Attributes const& attributes) {
    return static_cast<u32>(attributes.type) << 12 | attributes.permissions;
}

Result<> send_regular(std::string_view path, vfs::Inode& inode) {
    String name = TRY(String::create(path));
    Ref<vfs::File> const file = TRY(inode.open(vfs::OpenFlags{vfs::OpenFlags::Read}, std::move(name)));
    vfs::Attributes const attributes = inode.attributes();
    Vector<u8> buffer;
    TRY(buffer.try_resize(32 * 1024));
    TRY(link::file_begin(path, mode_of(attributes), attributes.size));
    u64 sent = 0;
    while (sent < attributes.size) {
        size_t const want = std::min<u64>(buffer.size(), attributes.size - sent);
        vm::IoBuffer to = vm::IoBuffer::kernel(buffer.span().first(want));
        u64 const got = TRY(file->read_at(sent, to));
        if (got == 0) return fail(Error::IoError);  // nobody else runs: it cannot have shrunk
        TRY(link::file_data(buffer.span().first(got)));
        sent += got;
    }
    return link::file_end();
}

Result<> send_link(std::string_view path, vfs::Inode& inode) {
    String target;
    TRY(inode.read_link(target));
    TRY(link::file_begin(path, mode_of(inode.attributes()), target.size()));
    TRY(link::file_data({reinterpret_cast<u8 const*>(target.view().data()), target.size()}));
    return link::file_end();
}

struct NameList final : vfs::DirectorySink {
    Vector<String> names;
    Result<> outcome{};
    bool add(vfs::DirectoryEntry const& entry) override {
        outcome = [&]() -> Result<> {
            String name = TRY(String::create(entry.name));
            return names.try_push_back(std::move(name));
        }();
        return outcome.has_value();
    }
};

// Adds the paths of the entries of `directory` to `paths`.
Result<> add_entries(std::string_view path, vfs::Inode& directory, Vector<String>& paths) {
    NameList list;
    TRY(directory.list(0, list));
    TRY(std::move(list.outcome));
    for (String const& name : list.names) {
        String child = TRY(String::create(path));
        if (!path.ends_with('/')) TRY(child.append('/'));
        TRY(child.append(name.view()));
        TRY(paths.try_push_back(std::move(child)));
    }
    return {};
}

Result<> send_one(std::string_view path, vfs::Inode& inode) {
    switch (inode.type()) {
        case vfs::FileType::Regular: return send_regular(path, inode);
        case vfs::FileType::Symlink: return send_link(path, inode);
        case vfs::FileType::Directory:
            TRY(link::file_begin(path, mode_of(inode.attributes()), 0));
            return link::file_end();
        default: return {};
    }
}

}  // namespace

// What is still to be sent is kept in a list: a deep tree must not need a deep kernel stack.
Result<> send_result(std::string_view root) {
    vfs::Namespace& names = vfs::root_namespace();
    Vector<String> paths;
    TRY(paths.try_push_back(TRY(String::create(root))));
    bool first = true;
    while (!paths.empty()) {
        String const path = std::move(paths.back());
        paths.pop_back();
        auto const follow = first ? vfs::LastLink::Follow : vfs::LastLink::DoNotFollow;
        Result<Ref<vfs::Inode>> const inode = names.resolve(names.root(), path.view(), follow);
        if (!inode && first && inode.error() == Error::NotFound) return {};
        if (!inode) return fail(inode.error());
        first = false;
        TRY(send_one(path.view(), **inode));
        if ((*inode)->is_directory()) TRY(add_entries(path.view(), **inode, paths));
    }
    return {};
}

}  // namespace tutti::linux_abi
