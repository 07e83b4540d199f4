// SPDX-License-Identifier: BSD-3-Clause
#include "engine/shadow.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

namespace tutti::interleave {

namespace {
void* map(u64 address, u64 size) {
    int const fixed = address != 0 ? MAP_FIXED_NOREPLACE : 0;
    void* const memory = mmap(reinterpret_cast<void*>(address), size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
    if (memory == MAP_FAILED) {
        std::perror("interleave: mmap");
        std::exit(2);
    }
    return memory;
}
}  // namespace

Shadow::Shadow(u64 data_begin, u64 data_end) : data_begin_{data_begin}, data_size_{data_end - data_begin} {
    map(kArena, kArenaSize);
    arena_ = static_cast<ByteShadow*>(map(0, kArenaSize * sizeof(ByteShadow)));
    data_ = static_cast<ByteShadow*>(map(0, data_size_ * sizeof(ByteShadow)));
}

}  // namespace tutti::interleave
