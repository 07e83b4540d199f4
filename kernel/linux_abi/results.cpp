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

Result<> send_tree(std::string_view path, vfs::Inode& inode);

Result<> send_directory(std::string_view path, vfs::Inode& inode) {
    TRY(link::file_begin(path, mode_of(inode.attributes()), 0));
    TRY(link::file_end());
    NameList list;
    TRY(inode.list(0, list));
    TRY(std::move(list.outcome));
    for (String const& name : list.names) {
        String child = TRY(String::create(path));
        if (!path.ends_with('/')) TRY(child.append('/'));
        TRY(child.append(name.view()));
        Result<Ref<vfs::Inode>> const found = inode.lookup(name.view());
        if (found) TRY(send_tree(child.view(), **found));
    }
    return {};
}

Result<> send_tree(std::string_view path, vfs::Inode& inode) {
    switch (inode.type()) {
        case vfs::FileType::Regular: return send_regular(path, inode);
        case vfs::FileType::Directory: return send_directory(path, inode);
        case vfs::FileType::Symlink: return send_link(path, inode);
        default: return {};
    }
}

}  // namespace

Result<> send_result(std::string_view path) {
    vfs::Namespace& names = vfs::root_namespace();
    Result<Ref<vfs::Inode>> const inode = names.resolve(names.root(), path);
    if (!inode) return inode.error() == Error::NotFound ? Result<>{} : fail(inode.error());
    return send_tree(path, **inode);
}

}  // namespace tutti::linux_abi
