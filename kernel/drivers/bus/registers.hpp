// SPDX-License-Identifier: BSD-3-Clause
// A device's registers in memory: each access is one load or store of exactly the width named, ordered with what the
// device does to memory (arch/mmio.hpp). There is none of 64 bits: a bus may split it, and half an old value with half a
// new one is worse than two reads that say so.
#pragma once

#include "arch/mmio.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "base/result.hpp"

namespace tutti::drivers {

class Registers {
  public:
    constexpr Registers() = default;
    // `base` is mapped uncached for as long as the object is used.
    Registers(u8* base, size_t size) : base_{base}, size_{size} {}

    // Maps device memory; it stays mapped for ever. Error::NoMemory, InvalidArgument for an empty or wrapping range.
    // Thread context.
    [[nodiscard]] static Result<Registers> map(PhysAddr address, u64 size);

    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] bool is_mapped() const { return base_ != nullptr; }
    // A part; Error::OutOfRange when it is not wholly inside.
    [[nodiscard]] Result<Registers> part(u64 offset, u64 size) const {
        if (!range_within(offset, size, size_)) return fail(Error::OutOfRange);
        return Registers{base_ + offset, static_cast<size_t>(size)};
    }

    // Offsets are aligned to the width and inside: drivers pass constants or values they have checked.
    [[nodiscard]] u8 read8(size_t offset) const { return read<u8>(offset); }
    [[nodiscard]] u16 read16(size_t offset) const { return read<u16>(offset); }
    [[nodiscard]] u32 read32(size_t offset) const { return read<u32>(offset); }
    void write8(size_t offset, u8 value) const { write(offset, value); }
    void write16(size_t offset, u16 value) const { write(offset, value); }
    void write32(size_t offset, u32 value) const { write(offset, value); }
    // Two writes, low half first: for registers that take effect later.
    void write64_in_halves(size_t offset, u64 value) const {
        write32(offset, static_cast<u32>(value));
        write32(offset + 4, static_cast<u32>(value >> 32));
    }

  private:
    template <class T>
    [[nodiscard]] T read(size_t offset) const {
        ASSERT(range_within(offset, sizeof(T), size_) && offset % sizeof(T) == 0);
        return arch::mmio_read<T>(base_ + offset);
    }
    template <class T>
    void write(size_t offset, T value) const {
        ASSERT(range_within(offset, sizeof(T), size_) && offset % sizeof(T) == 0);
        arch::mmio_write<T>(base_ + offset, value);
    }

    u8* base_ = nullptr;
    size_t size_ = 0;
};

}  // namespace tutti::drivers
