// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/elf/map_image.hpp"

#include <algorithm>

#include "base/bits.hpp"
#include "vm/address_space.hpp"

namespace tutti::linux_abi::elf {
namespace {

// Zeroes [from, end of its page), which the file fills with what follows the segment there.
Result<> zero_rest_of_page(vm::AddressSpace& space, VirtAddr from) {
    static constexpr u8 kZeroes[256] = {};
    VirtAddr const end{align_up(from.value(), kPageSize)};
    while (from < end) {
        u64 const count = std::min<u64>(end - from, sizeof kZeroes);
        TRY(space.write(from, std::span{kZeroes}.first(count)));
        from += count;
    }
    return {};
}

Result<> map_segment(vm::AddressSpace& space, Ref<vm::Backing> const& file, Segment const& segment, u64 bias) {
    vm::Protection const protection{segment.readable, segment.writable, segment.executable};
    VirtAddr const start = VirtAddr{bias + segment.address}.page_base();
    VirtAddr const file_end{bias + segment.address + segment.file_size};
    VirtAddr const end{align_up(bias + segment.end(), kPageSize)};
    VirtAddr zeroes = start;  // where anonymous memory begins
    if (segment.file_size != 0) {
        zeroes = VirtAddr{align_up(file_end.value(), kPageSize)};
        bool const has_tail = segment.memory_size > segment.file_size && file_end < zeroes;
        vm::Protection const while_writing{true, true, segment.executable};
        TRY(space.map({.address = start,
                       .length = zeroes - start,
                       .protection = has_tail ? while_writing : protection,
                       .placement = vm::Placement::Fixed,
                       .backing = file,
                       .offset = align_down(segment.offset, kPageSize)}));
        if (has_tail) {
            TRY(zero_rest_of_page(space, file_end));
            if (while_writing != protection) TRY(space.protect(start, zeroes - start, protection));
        }
    }
    if (zeroes < end)
        TRY(space.map({.address = zeroes,
                       .length = end - zeroes,
                       .protection = protection,
                       .placement = vm::Placement::Fixed}));
    return {};
}

// Finds the whole image a place. It is free afterwards, and stays so: the program does not run yet.
Result<u64> find_bias(vm::AddressSpace& space, Image const& image, VirtAddr wish) {
    u64 const low = align_down(image.low(), image.alignment);
    vm::MapRequest request{.address = wish, .length = image.high() - low, .no_reserve = true};
    if (image.position_independent) {
        request.length += image.alignment - kPageSize;  // room to align inside
    } else {
        request.address = VirtAddr{image.low()};
        request.length = image.high() - image.low();
        request.placement = vm::Placement::FixedIfFree;
    }
    VirtAddr const place = TRY(space.map(request));
    TRY(space.unmap(place, request.length));
    return image.position_independent ? align_up(place.value(), image.alignment) - low : 0;
}

}  // namespace

Result<u64> map_image(vm::AddressSpace& space, Ref<vm::Backing> const& file, Image const& image, VirtAddr wish) {
    u64 const bias = TRY(find_bias(space, image, wish));
    for (Segment const& segment : image.segments) TRY(map_segment(space, file, segment, bias));
    return bias;
}

}  // namespace tutti::linux_abi::elf
