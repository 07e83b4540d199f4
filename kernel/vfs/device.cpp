// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/device.hpp"

#include <atomic>

namespace tutti::vfs {

namespace {

struct Registration {
    DeviceNumber number;
    DeviceOpen open = nullptr;
};
constexpr size_t kMostDevices = 64;  // the kernel's own drivers: known when it is built
constinit Registration registrations[kMostDevices] = {};
constinit std::atomic<size_t> registration_count{0};  // release after an entry is filled; acquire by readers

Registration const* find(DeviceNumber number) {
    size_t const count = registration_count.load(std::memory_order_acquire);
    for (size_t i = 0; i < count; ++i)
        if (registrations[i].number == number) return &registrations[i];
    return nullptr;
}

}  // namespace

Result<> register_character_device(DeviceNumber number, DeviceOpen open) {
    if (find(number) != nullptr) return fail(Error::Exists);
    size_t const index = registration_count.load(std::memory_order_relaxed);
    if (index == kMostDevices) return fail(Error::NoSpace);
    registrations[index] = {number, open};
    registration_count.store(index + 1, std::memory_order_release);
    return {};
}

Result<Ref<File>> open_device(Inode& inode, FileType type, DeviceNumber number, OpenFlags flags, String path) {
    Registration const* const found = type == FileType::CharacterDevice ? find(number) : nullptr;
    if (found == nullptr) return fail(Error::NoDeviceAddress);
    return found->open(inode, flags, std::move(path));
}

}  // namespace tutti::vfs
