// SPDX-License-Identifier: BSD-3-Clause
// One contiguous piece of an address space with the same properties throughout.
#pragma once

#include "base/rb_tree.hpp"
#include "vm/backing.hpp"

namespace tutti::vm {

struct Protection {
    bool read = false;
    bool write = false;
    bool execute = false;
    friend constexpr bool operator==(Protection, Protection) = default;
    [[nodiscard]] constexpr bool any() const { return read || write || execute; }
};

// What an area is for; shown by /proc/self/maps, and kept apart when areas merge.
enum class AreaKind : u8 { Ordinary, Heap, Stack, Vdso, Vvar };

struct Area {
    VirtAddr start;
    VirtAddr end;
    Protection protection;
    bool shared = false;
    bool grows_down = false;
    bool no_reserve = false;
    bool may_write = true;  // false: a shared mapping of a file that is open for reading only
    AreaKind kind = AreaKind::Ordinary;
    Ref<Backing> backing{};  // null: anonymous; by set_backing()
    u64 offset = 0;        // of `start` in the backing; bytes
    RbNode node;

    Area() = default;
    Area(Area const&) = delete;
    Area& operator=(Area const&) = delete;
    ~Area() {
        if (backing) backing->on_area(-1);
    }
    void set_backing(Ref<Backing> object) {
        if (object) object->on_area(+1);
        backing = std::move(object);
    }

    [[nodiscard]] u64 size() const { return end - start; }
    [[nodiscard]] bool contains(VirtAddr address) const { return address >= start && address < end; }
    [[nodiscard]] u64 page_index(VirtAddr address) const { return (offset + (address.page_base() - start)) >> kPageShift; }
    // True when `next`, which starts where this ends, is the same in every respect but position.
    [[nodiscard]] bool continues_with(Area const& next) const {
        return end == next.start && protection == next.protection && shared == next.shared &&
               grows_down == next.grows_down && no_reserve == next.no_reserve && may_write == next.may_write && kind == next.kind &&
               kind != AreaKind::Vvar &&
               backing == next.backing && (!backing || offset + size() == next.offset);
    }
};

struct AreaByStart {
    bool operator()(Area const& a, Area const& b) const { return a.start < b.start; }
};
using AreaTree = RbTree<Area, &Area::node, AreaByStart>;

}  // namespace tutti::vm
