// SPDX-License-Identifier: BSD-3-Clause
// What differs from one instruction set to the next. Each has one file; everything else knows instructions only in the
// reduced form of code.hpp.
#pragma once

#include <memory>
#include <span>

#include "code.hpp"

namespace isrcheck {

// The C calling convention.
struct Conventions {
    std::span<Register const> arguments;  // in order
    std::uint32_t caller_saved;           // as a set
    Register result;
    Register stack_pointer;
    std::span<std::uint8_t const> dwarf_numbers;  // by register

    [[nodiscard]] unsigned dwarf_number(Register reg) const { return dwarf_numbers[static_cast<std::size_t>(reg)]; }
    [[nodiscard]] bool is_argument(Register reg) const {
        for (Register const argument : arguments)
            if (argument == reg) return true;
        return false;
    }
};

class Machine {
  public:
    explicit Machine(Conventions const& conventions) : conventions_{conventions} {}
    Machine(Machine const&) = delete;
    virtual ~Machine() = default;

    [[nodiscard]] Conventions const& conventions() const { return conventions_; }
    // Appends the instructions of `text`, which lies at `start`. Bytes that are none: `code.first_undecoded`.
    virtual void decode(std::string_view text, Address start, Code& code) const = 0;
    // When the edges of direct jumps are there: adds those of jump tables.
    virtual void refine(Code& code, Image const& image) const = 0;
    // -fsanitize=kcfi: the type that a function declares, if a pointer may call it.
    [[nodiscard]] virtual std::optional<std::uint32_t> declared_type(Image const& image, Function const& function) const = 0;
    // The type that the call through a register at `index` compares with before it enters the function.
    [[nodiscard]] virtual std::optional<std::uint32_t> compared_type(Code const& code, std::uint32_t index) const = 0;

  private:
    Conventions conventions_;
};

[[nodiscard]] std::unique_ptr<Machine> make_x86_64();
[[nodiscard]] std::unique_ptr<Machine> make_aarch64();

}  // namespace isrcheck
