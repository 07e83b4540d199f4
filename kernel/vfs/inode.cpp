// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/inode.hpp"

#include "vfs/file.hpp"

namespace tutti::vfs {

namespace {

// Relaxed: only uniqueness counts. 0 means "no filesystem".
constinit std::atomic<u64> next_filesystem_number{1};

}  // namespace

u64 allocate_filesystem_number() { return next_filesystem_number.fetch_add(1, std::memory_order_relaxed); }

void Inode::mount(Inode& covered, Inode& root) {
    covered.get();
    root.get();
    root.covers_ = &covered;
    covered.mounted_.store(&root, std::memory_order_release);  // pairs with mounted_here()
}

Result<> Inode::change(AttributeChange const&) { return fail(Error::NotPermitted); }
Result<> Inode::truncate(u64) { return fail(is_directory() ? Error::IsDirectory : Error::InvalidArgument); }
Result<> Inode::read_link(String&) { return fail(Error::InvalidArgument); }
Result<Ref<Inode>> Inode::lookup(std::string_view) {
    return fail(is_directory() ? Error::NotFound : Error::NotDirectory);
}
Result<Ref<Inode>> Inode::parent() { return fail(is_directory() ? Error::NotFound : Error::NotDirectory); }

// Filesystems that programs cannot change (procfs, sysfs) keep these.
Result<Ref<Inode>> Inode::create(std::string_view, CreateRequest const&) {
    return fail(is_directory() ? Error::NotPermitted : Error::NotDirectory);
}
Result<> Inode::link(std::string_view, Inode&) {
    return fail(is_directory() ? Error::NotPermitted : Error::NotDirectory);
}
Result<> Inode::unlink(std::string_view, UnlinkKind) {
    return fail(is_directory() ? Error::NotPermitted : Error::NotDirectory);
}
Result<> Inode::rename(std::string_view, Inode&, std::string_view, RenameMode) {
    return fail(is_directory() ? Error::NotPermitted : Error::NotDirectory);
}
Result<> Inode::list(u64, DirectorySink&) { return fail(Error::NotDirectory); }
Result<> Inode::name_of(Inode const&, String&) { return fail(is_directory() ? Error::NotFound : Error::NotDirectory); }

}  // namespace tutti::vfs
