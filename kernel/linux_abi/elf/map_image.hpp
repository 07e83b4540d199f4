// SPDX-License-Identifier: BSD-3-Clause
// Maps the segments of a parsed ELF image: file pages shared with the page cache until written, then zeroes.
#pragma once

#include "base/ref.hpp"
#include "base/types.hpp"
#include "linux_abi/elf/image.hpp"

namespace tutti::vm {
class AddressSpace;
class Backing;
}

namespace tutti::linux_abi::elf {

// Returns what must be added to the image's addresses: 0 for a fixed program. A position-independent one goes to `wish`
// or, when that is null or taken, where there is room. Error::Exists: a fixed program's addresses are taken; NoMemory.
// On failure a part may be mapped. Thread context; may block.
[[nodiscard]] Result<u64> map_image(vm::AddressSpace& space, Ref<vm::Backing> const& file, Image const& image,
                                    VirtAddr wish);

}  // namespace tutti::linux_abi::elf
