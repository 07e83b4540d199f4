// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/devfs/devfs.hpp"

#include <new>

#include "vfs/console/console_file.hpp"
#include "vfs/devfs/memory_device.hpp"
#include "vfs/device.hpp"
#include "vfs/ramfs/ram_node.hpp"

namespace tutti::vfs {

namespace {

struct Node {
    std::string_view name;
    DeviceNumber number;
    DeviceOpen open;
};

constexpr Node kNodes[] = {
    {"null", {1, 3}, open_memory_device<MemoryDevice::Null>},
    {"zero", {1, 5}, open_memory_device<MemoryDevice::Zero>},
    {"full", {1, 7}, open_memory_device<MemoryDevice::Full>},
    {"random", {1, 8}, open_memory_device<MemoryDevice::Random>},
    {"urandom", {1, 9}, open_memory_device<MemoryDevice::Random>},
    {"tty", {5, 0}, [](Inode&, OpenFlags flags, String) { return open_console(ConsoleStream::Terminal, flags); }},
    {"console", {5, 1}, [](Inode&, OpenFlags flags, String) { return open_console(ConsoleStream::Output, flags); }},
};

struct Link {
    std::string_view name;
    std::string_view target;
};
constexpr Link kLinks[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

}  // namespace

Result<> mount_devfs(Namespace& names) {
    Ref<Inode> const root = TRY(make_ram_filesystem(0755));
    for (Node const& node : kNodes) {
        TRY(register_character_device(node.number, node.open));
        TRY(root->create(node.name,
                         {.type = FileType::CharacterDevice, .permissions = 0666, .device = node.number}));
    }
    for (Link const& link : kLinks)
        TRY(root->create(link.name, {.type = FileType::Symlink, .permissions = 0777, .link_target = link.target}));
    TRY(root->create("shm", {.type = FileType::Directory, .permissions = 01777}));
    TRY(root->create("pts", {.type = FileType::Directory, .permissions = 0755}));
    TRY(root->create("mqueue", {.type = FileType::Directory, .permissions = 01777}));
    return mount_at(names, "/dev", *root);
}

}  // namespace tutti::vfs
