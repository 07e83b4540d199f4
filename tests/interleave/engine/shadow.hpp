// SPDX-License-Identifier: BSD-3-Clause
// Plain memory: who wrote and read each byte last, and whether it is alive. Finds data races and use after free.
#pragma once

#include "engine/knowledge.hpp"

namespace tutti::interleave {

// Where the simulated machine's own memory lies: stacks and heaps of the strands, per-CPU areas.
inline constexpr u64 kArena = u64{1} << 36;
inline constexpr u64 kStackSize = 256 * 1024;
inline constexpr u64 kHeapSize = 1024 * 1024;
inline constexpr u64 kPerCpuSize = 64 * 1024;
inline constexpr u64 kStrandSize = kStackSize + kHeapSize + kPerCpuSize;
inline constexpr u64 kArenaSize = kMaxStrands * kStrandSize;

struct ByteShadow {
    u32 execution = 0;
    u32 write_pc = 0;
    u32 read_pc = 0;
    u16 write_event = 0;
    u8 write_strand = 0;
    bool written = false;
    bool atomic = false;  // a cell of the memory model lies here
    bool freed = false;
    u16 read_event[kMaxStrands] = {};
};

enum class Clash : u8 { None, Race, Freed };

class Shadow {
  public:
    Shadow(u64 data_begin, u64 data_end);

    void begin_execution() { ++execution_; }
    // Null outside of the simulated machine's memory (constants, the C library).
    [[nodiscard]] ByteShadow* at(u64 address) {
        ByteShadow* shadow = nullptr;
        if (address - kArena < kArenaSize)
            shadow = arena_ + (address - kArena);
        else if (address - data_begin_ < data_size_)
            shadow = data_ + (address - data_begin_);
        else
            return nullptr;
        if (shadow->execution != execution_) {
            *shadow = ByteShadow{};
            shadow->execution = execution_;
        }
        return shadow;
    }
    [[nodiscard]] static bool is_arena(u64 address) { return address - kArena < kArenaSize; }

  private:
    ByteShadow* arena_;
    ByteShadow* data_;
    u64 data_begin_;
    u64 data_size_;
    u32 execution_ = 0;
};

}  // namespace tutti::interleave
