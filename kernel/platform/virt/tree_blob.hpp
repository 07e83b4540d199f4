// SPDX-License-Identifier: BSD-3-Clause
// For host tests: a device tree to change.
#pragma once

#include <gtest/gtest.h>
#include <libfdt.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

// A tree that QEMU made, with room for changes.
class Blob {
  public:
    explicit Blob(std::string const& name) : words_(8192) {
        std::ifstream file(std::string(TUTTI_CORPUS "/") + name, std::ios::binary);
        std::string const bytes(std::istreambuf_iterator<char>(file), {});
        EXPECT_EQ(fdt_open_into(bytes.data(), fdt(), static_cast<int>(words_.size() * sizeof(u64))), 0);
    }
    [[nodiscard]] void* fdt() { return words_.data(); }
    [[nodiscard]] std::span<u8 const> bytes() { return {reinterpret_cast<u8 const*>(words_.data()), fdt_totalsize(fdt())}; }

    int node(char const* path) {
        int const offset = fdt_path_offset(fdt(), path);
        EXPECT_GE(offset, 0) << path;
        return offset;
    }
    Blob& remove(char const* path) {
        EXPECT_EQ(fdt_del_node(fdt(), node(path)), 0);
        return *this;
    }
    Blob& set(char const* path, char const* name, std::vector<u32> const& cells) {
        std::vector<fdt32_t> value;
        for (u32 const cell : cells) value.push_back(cpu_to_fdt32(cell));
        EXPECT_EQ(fdt_setprop(fdt(), node(path), name, value.data(), static_cast<int>(4 * value.size())), 0);
        return *this;
    }
    Blob& set(char const* path, char const* name, char const* text) {
        EXPECT_EQ(fdt_setprop_string(fdt(), node(path), name, text), 0);
        return *this;
    }
    // What is said about it; empty when nothing is wrong.
    std::string problem() {
        auto const read = read_device_tree(bytes(), tree);
        return read ? "" : std::string(read.error());
    }

    DeviceTree tree;

  private:
    std::vector<u64> words_;
};

}  // namespace tutti::platform
