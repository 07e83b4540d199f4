// SPDX-License-Identifier: BSD-3-Clause
// Whatever the archive says, the reader stays inside it, makes progress and ends.
#include "vfs/cpio/cpio_reader.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(tutti::u8 const* data, std::size_t size) {
    std::span<tutti::u8 const> const archive{data, size};
    tutti::vfs::CpioReader reader{archive};
    std::size_t before = 0;
    while (true) {
        auto const entry = reader.next();
        if (!entry || !*entry) break;
        if (reader.position() <= before || reader.position() > size) std::abort();
        before = reader.position();
        auto const* const name = reinterpret_cast<tutti::u8 const*>((*entry)->name.data());
        if ((*entry)->name.empty() || name < data || name + (*entry)->name.size() > data + size) std::abort();
        auto const bytes = (*entry)->data;
        if (bytes.size() > size || bytes.data() < data || bytes.data() + bytes.size() > data + size) std::abort();
    }
    return 0;
}
