// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/socket/local_address.hpp"

#include <algorithm>
#include <cstddef>

#include "base/bits.hpp"
#include "linux_abi/syscall/file_support.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u32 kFamilySize = offsetof(SockaddrUnix, path);

}  // namespace

Result<LocalAddress> LocalAddress::read(UserPtr<u8> from, u32 length) {
    if (length < kFamilySize || length > sizeof(SockaddrUnix)) return fail(Error::InvalidArgument);
    SockaddrUnix raw{};
    TRY(vm::copy_from_user(&raw, from.address(), length));
    if (raw.family != kAfUnix) return fail(Error::InvalidArgument);
    std::string_view name{raw.path, length - kFamilySize};
    // A path ends at its first zero byte, or fills what there is.
    if (!name.empty() && name[0] != '\0') name = name.substr(0, name.find('\0'));
    LocalAddress address;
    address.name_.assign(name);
    return address;
}

Result<String> LocalAddress::find_key(Task& task) const {
    if (is_unnamed()) return fail(Error::InvalidArgument);
    if (is_abstract()) return key_of_abstract_name(name());
    Ref<vfs::Inode> const start = TRY(start_directory(task, kAtFdCwd, name()));
    Ref<vfs::Inode> const inode = TRY(vfs::root_namespace().resolve(*start, name()));
    if (inode->type() != vfs::FileType::Socket) return fail(Error::ConnectionRefused);
    return key_of_inode(*inode);
}

Result<String> key_of_inode(vfs::Inode& inode) {
    vfs::Attributes const attributes = inode.attributes();
    char bytes[17] = {'F'};
    store_le<u64>(bytes + 1, attributes.filesystem);
    store_le<u64>(bytes + 9, attributes.inode);
    return String::create({bytes, sizeof bytes});
}

Result<String> key_of_abstract_name(std::string_view name) {
    String key = TRY(String::create("A"));
    TRY(key.append(name));
    return key;
}

Result<u32> write_address(UserPtr<u8> to, u32 room, std::string_view name) {
    SockaddrUnix raw{};
    raw.family = kAfUnix;
    size_t const size = std::min(name.size(), sizeof raw.path);
    std::copy_n(name.data(), size, raw.path);
    bool const is_path = size != 0 && name[0] != '\0';
    u32 const length = kFamilySize + static_cast<u32>(size) + (is_path ? 1 : 0);  // the zero byte may lie behind `path`
    u32 const count = std::min({room, length, static_cast<u32>(sizeof raw)});
    TRY(vm::copy_to_user(to.address(), &raw, count));
    return length;
}

Result<> write_address(UserPtr<u8> to, UserPtr<u32> length, std::string_view name) {
    if (to.is_null()) return {};
    u32 const room = TRY(read_user(length));
    if (static_cast<i32>(room) < 0) return fail(Error::InvalidArgument);
    return write_user(length, TRY(write_address(to, room, name)));
}

}  // namespace tutti::linux_abi
