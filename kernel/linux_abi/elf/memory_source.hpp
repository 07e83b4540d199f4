// SPDX-License-Identifier: BSD-3-Clause
// An ELF image that lies in memory: for tests and the fuzzer.
#pragma once

#include <cstring>

#include "base/bits.hpp"
#include "linux_abi/elf/image.hpp"

namespace tutti::linux_abi::elf {

class MemorySource final : public ImageSource {
  public:
    explicit MemorySource(std::span<u8 const> bytes) : bytes_{bytes} {}
    u64 size() override { return bytes_.size(); }
    // A range outside the file is a mistake of the parser, whom this exists to check.
    Result<> read(u64 offset, std::span<u8> out) override {
        CHECK(range_within(offset, out.size(), bytes_.size()), "the parser read outside the file");
        std::memcpy(out.data(), bytes_.data() + offset, out.size());
        return {};
    }

  private:
    std::span<u8 const> bytes_;
};

}  // namespace tutti::linux_abi::elf
