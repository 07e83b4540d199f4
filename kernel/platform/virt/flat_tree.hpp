// SPDX-License-Identifier: BSD-3-Clause
// Reads nodes of a flattened device tree that libfdt has checked as a whole (fdt_check_full). Nothing a property says is
// believed yet: a missing or malformed one reads as empty.
#pragma once

#include <libfdt.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "base/bits.hpp"
#include "base/types.hpp"

namespace tutti::platform {

// Beyond the direct map (arch/memory_layout.hpp) or the MMU's reach nothing can be used.
inline constexpr u64 kPhysicalEnd = u64{1} << 47;

class FlatTree {
  public:
    explicit FlatTree(std::span<u8 const> blob) : blob_{blob.data()} {}

    [[nodiscard]] void const* blob() const { return blob_; }
    [[nodiscard]] int root() const { return 0; }
    [[nodiscard]] int find(char const* path) const { return fdt_path_offset(blob_, path); }
    [[nodiscard]] std::span<u8 const> property(int node, char const* name) const {
        int size = 0;
        auto const* const bytes = static_cast<u8 const*>(fdt_getprop(blob_, node, name, &size));
        if (bytes == nullptr || size < 0) return {};
        return {bytes, static_cast<size_t>(size)};
    }
    // Without its NUL; empty when there is none.
    [[nodiscard]] std::string_view text(int node, char const* name) const {
        std::span<u8 const> const bytes = property(node, name);
        auto const end = std::find(bytes.begin(), bytes.end(), u8{0});
        if (end == bytes.end()) return {};
        return {reinterpret_cast<char const*>(bytes.data()), static_cast<size_t>(end - bytes.begin())};
    }
    [[nodiscard]] bool is_compatible(int node, char const* name) const {
        return fdt_node_check_compatible(blob_, node, name) == 0;
    }
    [[nodiscard]] bool is_enabled(int node) const {
        std::string_view const status = text(node, "status");
        return property(node, "status").empty() || status == "okay" || status == "ok";
    }
    // Cells of an address or a size below `node`: 0 when the tree says something that cannot be used.
    [[nodiscard]] unsigned cells(int node, char const* name, unsigned default_value) const {
        std::span<u8 const> const value = property(node, name);
        if (value.empty()) return default_value;
        if (value.size() != 4) return 0;
        u64 const count = number(value);
        return count <= 2 ? static_cast<unsigned>(count) : 0;
    }
    template <class Visit>
    void for_each_child(int parent, Visit visit) const {
        for (int node = fdt_first_subnode(blob_, parent); node >= 0; node = fdt_next_subnode(blob_, node)) visit(node);
    }

    [[nodiscard]] static u64 number(std::span<u8 const> big_endian) {
        u64 value = 0;
        for (u8 const byte : big_endian) value = value << 8 | byte;
        return value;
    }

  private:
    void const* blob_;
};

// The entries of a `reg` property.
class RegisterList {
  public:
    RegisterList(FlatTree const& tree, int parent, int node, char const* name = "reg")
        : bytes_{tree.property(node, name)},
          address_{4 * tree.cells(parent, "#address-cells", 2)},
          size_{4 * tree.cells(parent, "#size-cells", 1)} {}

    // Entry `index`, empty when it is missing or lies where nothing can be used.
    [[nodiscard]] PhysRange operator[](size_t index) const {
        size_t const entry = address_ + size_;
        if (address_ == 0 || size_ == 0 || bytes_.size() / entry <= index) return {};
        std::span<u8 const> const at = bytes_.subspan(index * entry, entry);
        u64 const base = FlatTree::number(at.first(address_));
        u64 const size = FlatTree::number(at.subspan(address_));
        if (!range_within(base, size, kPhysicalEnd)) return {};
        return {PhysAddr{base}, size};
    }
    [[nodiscard]] size_t count() const {
        return address_ == 0 || size_ == 0 ? 0 : bytes_.size() / (address_ + size_);
    }

  private:
    std::span<u8 const> bytes_;
    size_t address_;
    size_t size_;
};

}  // namespace tutti::platform
