// SPDX-License-Identifier: BSD-3-Clause
// Addresses that take several instructions on some machines: the page, then the place in it, then an access there.
//
// Forwards over all ways through a function, what every register holds for certain. With that each operand whose address
// is certain becomes a `fixed` one, as on machines that have it in one instruction; the instructions that led there become
// steps, unless their value goes anywhere else.
#pragma once

#include <array>

#include "machine.hpp"

namespace isrcheck {

class Addresses {
  public:
    Addresses(Code& code, Conventions const& conventions) : code_{code}, conventions_{conventions} {}

    // Again when edges were added.
    void propagate();
    // What `reg` holds just before the instruction.
    [[nodiscard]] std::optional<Address> before(std::uint32_t index, Register reg) const;
    // Throws BadImage at a page of code whose use it does not understand: a function might be taken there unseen.
    void fold(Image const& image);

  private:
    struct State {
        bool reached = false;
        std::uint32_t known = 0;
        std::array<Address, 32> values{};
    };
    enum class Use { Address, Value, Unclear };
    void step(Instruction const& instruction, State& state) const;
    void run_from(std::uint32_t first);
    // What the value that `index` leaves in `reg` is used for: the worst of all.
    [[nodiscard]] Use use_of(std::uint32_t index, Register reg) const;
    [[nodiscard]] Use use_at(std::uint32_t index, Register reg) const;

    Code& code_;
    Conventions const& conventions_;
    std::vector<State> states_;        // before each instruction
    std::vector<std::uint32_t> folded_;  // for each instruction, registers that fixed operands have replaced
};

}  // namespace isrcheck
