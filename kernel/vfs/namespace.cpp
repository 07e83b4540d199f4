// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/namespace.hpp"

#include <new>

#include "vfs/file.hpp"

namespace tutti::vfs {

namespace {

constinit Namespace* the_namespace = nullptr;  // set once at boot

// Takes the next component off the front of `rest`. Empty when only slashes are left.
std::string_view take_component(std::string_view& rest) {
    size_t const begin = rest.find_first_not_of('/');
    if (begin == std::string_view::npos) {
        rest = {};
        return {};
    }
    rest.remove_prefix(begin);
    size_t const end = rest.find('/');
    std::string_view const component = end == std::string_view::npos ? rest : rest.substr(0, end);
    rest.remove_prefix(component.size());
    return component;
}

bool only_slashes(std::string_view text) { return text.find_first_not_of('/') == std::string_view::npos; }

Ref<Inode> across_mounts(Ref<Inode> inode) {
    while (Inode* const mounted = inode->mounted_here()) inode = Ref<Inode>{*mounted};
    return inode;
}

}  // namespace

Namespace& root_namespace() {
    ASSERT(the_namespace != nullptr, "no root filesystem yet");
    return *the_namespace;
}

void set_root_namespace(Ref<Inode> root) {
    the_namespace = new (std::nothrow) Namespace{std::move(root)};
    CHECK(the_namespace != nullptr, "no memory for the namespace");
}

Result<> mount_at(Namespace& names, std::string_view path, Inode& root) {
    auto const made = names.create(names.root(), path, {.type = FileType::Directory, .permissions = 0755});
    if (!made && made.error() != Error::Exists) return fail(made.error());
    Ref<Inode> const covered = TRY(names.resolve(names.root(), path));
    if (!covered->is_directory()) return fail(Error::NotDirectory);
    Inode::mount(*covered, root);
    return {};
}

// What is left to walk: the caller's path, or the expansion of a symbolic link that replaced it.
struct Namespace::Walk {
    String buffer;
    unsigned links = 0;
};

Result<Ref<Inode>> Namespace::step(Inode& directory, std::string_view name) {
    if (!directory.is_directory()) return fail(Error::NotDirectory);
    if (name == ".") return Ref<Inode>{directory};
    if (name != "..") {
        if (name.size() > kNameLimit) return fail(Error::NameTooLong);
        return across_mounts(TRY(directory.lookup(name)));
    }
    if (&directory == root_.get()) return Ref<Inode>{directory};
    Inode* at = &directory;
    while (Inode* const covered = at->covers()) at = covered;  // the root of a mount: go up from what it covers
    return across_mounts(TRY(at->parent()));
}

Result<Ref<Inode>> Namespace::walk(Walk& state, Inode& start, std::string_view path, LastLink last_link) {
    if (path.empty()) return fail(Error::NotFound);
    if (path.size() >= kPathLimit) return fail(Error::NameTooLong);
    Ref<Inode> current = path.front() == '/' ? root_ : Ref<Inode>{start};
    std::string_view rest = path;
    while (true) {
        std::string_view const component = take_component(rest);
        if (component.empty()) break;
        bool const last = only_slashes(rest);
        bool const follow = !last || !rest.empty() || last_link == LastLink::Follow;
        Ref<Inode> next = TRY(step(*current, component));
        if (next->type() != FileType::Symlink || !follow) {
            current = std::move(next);
            continue;
        }
        if (++state.links > kSymlinkLimit) return fail(Error::TooManySymlinks);
        if (Ref<Inode> target = TRY(next->follow_magic_link())) {
            current = across_mounts(std::move(target));
            continue;
        }
        String expansion;
        TRY(next->read_link(expansion));
        if (expansion.empty()) return fail(Error::NotFound);
        TRY(expansion.append(rest));  // begins with a slash, or is empty
        if (expansion.size() >= kPathLimit) return fail(Error::NameTooLong);
        state.buffer = std::move(expansion);
        rest = state.buffer.view();
        if (rest.front() == '/') current = root_;
    }
    if (path.back() == '/' && !current->is_directory()) return fail(Error::NotDirectory);
    return current;
}

Result<Ref<Inode>> Namespace::resolve(Inode& start, std::string_view path, LastLink last_link) {
    Walk state;
    return walk(state, start, path, last_link);
}

Result<Namespace::Parent> Namespace::resolve_parent(Inode& start, std::string_view path) {
    if (path.empty()) return fail(Error::NotFound);
    if (path.size() >= kPathLimit) return fail(Error::NameTooLong);
    Parent result;
    std::string_view trimmed = path;
    while (!trimmed.empty() && trimmed.back() == '/') trimmed.remove_suffix(1);
    result.must_be_directory = trimmed.size() != path.size();
    size_t const slash = trimmed.rfind('/');
    std::string_view const name = slash == std::string_view::npos ? trimmed : trimmed.substr(slash + 1);
    std::string_view const directory = slash == std::string_view::npos ? std::string_view{}
                                       : slash == 0                    ? std::string_view{"/"}
                                                                       : trimmed.substr(0, slash);
    if (name.size() > kNameLimit) return fail(Error::NameTooLong);
    if (name.empty())
        result.directory = root_;
    else if (directory.empty())
        result.directory = Ref<Inode>{start};
    else
        result.directory = TRY(resolve(start, directory));
    if (!result.directory->is_directory()) return fail(Error::NotDirectory);
    result.name.assign(name);
    result.is_special = name.empty() || name == "." || name == "..";
    return result;
}

Result<Ref<File>> Namespace::open_inode(Inode& inode, OpenRequest const& request, String path, bool created) {
    if (request.flags.has(OpenFlags::Directory) && !inode.is_directory()) return fail(Error::NotDirectory);
    bool const path_only = request.flags.has(OpenFlags::PathOnly);
    if (inode.is_directory() && !path_only &&
        (request.flags.has(OpenFlags::Write) || (request.create && !request.flags.has(OpenFlags::Directory))))
        return fail(Error::IsDirectory);
    if (inode.type() == FileType::Symlink && !path_only) return fail(Error::TooManySymlinks);
    if (inode.type() == FileType::Socket && !path_only) return fail(Error::NoDeviceAddress);
    if (path_only) return open_path_only(inode, request.flags, std::move(path));
    if (request.flags.has(OpenFlags::Truncate) && inode.type() == FileType::Regular && !created) TRY(inode.truncate(0));
    return inode.open(request.flags, std::move(path));
}

Result<Ref<File>> Namespace::open(Inode& start, std::string_view path, OpenRequest const& request) {
    Ref<Inode> from{start};
    String buffer;  // the target of a link that `path` ended in
    for (unsigned links = 0; links <= kSymlinkLimit; ++links) {
        Parent const parent = TRY(resolve_parent(*from, path));
        if (parent.is_special) {
            Ref<Inode> const inode = TRY(resolve(*from, path));
            String full;
            (void)path_of(*inode, full);  // a removed directory has none
            if (request.create && request.exclusive) return fail(Error::Exists);
            return open_inode(*inode, request, std::move(full), false);
        }
        String full;
        if (path_of(*parent.directory, full)) {
            if (full.view() != "/") TRY(full.append('/'));
            TRY(full.append(parent.name));
        }
        Result<Ref<Inode>> found = step(*parent.directory, parent.name);
        if (!found) {
            if (found.error() != Error::NotFound || !request.create) return fail(found.error());
            if (parent.must_be_directory) return fail(Error::IsDirectory);
            Result<Ref<Inode>> const made = parent.directory->create(
                parent.name, {.type = FileType::Regular, .permissions = request.permissions});
            if (made) return open_inode(**made, request, std::move(full), true);
            if (made.error() != Error::Exists || request.exclusive) return fail(made.error());
            found = TRY(step(*parent.directory, parent.name));  // somebody else made it meanwhile
        } else if (request.create && request.exclusive) {
            return fail(Error::Exists);
        }
        Inode& inode = **found;
        bool const follow = request.last_link == LastLink::Follow || parent.must_be_directory;
        if (inode.type() != FileType::Symlink || !follow) {
            if (parent.must_be_directory && !inode.is_directory()) return fail(Error::NotDirectory);
            return open_inode(inode, request, std::move(full), false);
        }
        if (Ref<Inode> const target = TRY(inode.follow_magic_link())) {
            String name;
            TRY(inode.read_link(name));
            return open_inode(*across_mounts(target), request, std::move(name), false);
        }
        String target;
        TRY(inode.read_link(target));
        if (parent.must_be_directory) TRY(target.append('/'));
        from = parent.directory;
        buffer = std::move(target);
        path = buffer.view();
    }
    return fail(Error::TooManySymlinks);
}

Result<Ref<Inode>> Namespace::create(Inode& start, std::string_view path, CreateRequest const& request) {
    Parent const parent = TRY(resolve_parent(start, path));
    if (parent.is_special) return fail(Error::Exists);
    if (parent.must_be_directory && request.type != FileType::Directory) {
        return fail(step(*parent.directory, parent.name) ? Error::Exists : Error::NotFound);
    }
    return parent.directory->create(parent.name, request);
}

Result<> Namespace::unlink(Inode& start, std::string_view path, UnlinkKind kind) {
    Parent const parent = TRY(resolve_parent(start, path));
    if (parent.is_special) {
        TRY(resolve(start, path));
        if (kind == UnlinkKind::File) return fail(Error::IsDirectory);
        if (parent.name.view() == ".") return fail(Error::InvalidArgument);
        return fail(parent.name.empty() ? Error::Busy : Error::DirectoryNotEmpty);
    }
    Ref<Inode> const inode = TRY(step(*parent.directory, parent.name));
    if (inode->covers() != nullptr) return fail(Error::Busy);  // the root of a mount
    if (parent.must_be_directory && !inode->is_directory()) return fail(Error::NotDirectory);
    return parent.directory->unlink(parent.name, kind);
}

Result<> Namespace::link(Inode& target, Inode& start, std::string_view path) {
    Parent const parent = TRY(resolve_parent(start, path));
    if (parent.is_special) return fail(Error::Exists);
    if (target.is_directory()) return fail(Error::NotPermitted);
    if (parent.must_be_directory) return fail(Error::NotFound);
    return parent.directory->link(parent.name, target);
}

Result<> Namespace::rename(Inode& old_start, std::string_view old_path, Inode& new_start, std::string_view new_path,
                           RenameMode mode) {
    Parent const from = TRY(resolve_parent(old_start, old_path));
    Parent const to = TRY(resolve_parent(new_start, new_path));
    if (from.is_special || to.is_special) return fail(Error::Busy);
    Ref<Inode> const moved = TRY(step(*from.directory, from.name));
    if (moved->covers() != nullptr) return fail(Error::Busy);
    if ((from.must_be_directory || to.must_be_directory) && !moved->is_directory()) return fail(Error::NotDirectory);
    return from.directory->rename(from.name, *to.directory, to.name, mode);
}

Result<> Namespace::path_of(Inode& directory, String& path) {
    // Names from the leaf to the root, then joined the other way round.
    Vector<String> names;
    Ref<Inode> at{directory};
    auto const is_still_in = [&](Inode& parent) {
        Result<Ref<Inode>> const now = at->parent();
        return !now || now->get() == &parent;
    };
    while (at.get() != root_.get()) {
        while (Inode* const covered = at->covers()) at = Ref<Inode>{*covered};
        if (at.get() == root_.get()) break;
        Ref<Inode> up = TRY(at->parent());
        if (up.get() == at.get()) break;
        String name;
        if (Result<> const found = up->name_of(*at, name); !found) {
            if (found.error() != Error::NotFound || is_still_in(*up)) return found;
            names.clear();  // it has been moved meanwhile: from the leaf again
            at = Ref<Inode>{directory};
            continue;
        }
        TRY(names.try_push_back(std::move(name)));
        at = across_mounts(std::move(up));
    }
    if (names.empty()) return path.append('/');
    while (!names.empty()) {
        TRY(path.append('/'));
        TRY(path.append(names.back()));
        names.pop_back();
    }
    return {};
}

}  // namespace tutti::vfs
