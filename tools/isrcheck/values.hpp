// SPDX-License-Identifier: BSD-3-Clause
// Which functions a pointer may hold: where addresses of functions are taken, and how they travel.
//
// Backwards, from a call: the register's definitions on every way to it. A constant is one function; a variable at a
// fixed address is whatever is stored there anywhere in the kernel; a parameter is what all callers pass. Anything else,
// such as a field of an object, is unknown, and the type decides (indirect.hpp).
// Forwards, from the place where an address is taken: whether it only ever becomes the main function of a thread.
#pragma once

#include <map>
#include <set>
#include <unordered_set>

#include "debug_info.hpp"
#include "machine.hpp"

namespace isrcheck {

struct Targets {
    std::set<Function const*> functions;
    bool unknown = false;  // and perhaps others

    void add(Targets const& other) {
        functions.insert(other.functions.begin(), other.functions.end());
        unknown = unknown || other.unknown;
    }
};

struct Site {
    Code const* code = nullptr;
    std::uint32_t index = 0;
    [[nodiscard]] Instruction const& instruction() const { return code->instructions[index]; }
    auto operator<=>(Site const&) const = default;
};

class Values {
  public:
    Values(Image const& image, Disassembly const& disassembly, DebugInfo& debug_info);

    // What `reg` may hold just before the instruction at `site`.
    [[nodiscard]] Targets of_register(Site site, Register reg);
    // What an operand of the instruction, a register or memory, may hold.
    [[nodiscard]] Targets of_operand(Site site, Operand const& operand);

    [[nodiscard]] std::set<Function const*> const& address_taken() const { return address_taken_; }
    // Its address goes nowhere but to functions that start threads.
    [[nodiscard]] bool only_starts_threads(Function const& function);
    [[nodiscard]] std::vector<Site> const& callers(Function const& function) const;

  private:
    void index_code();
    void index_data();
    void note_constant(Site site, Operand const& operand);
    [[nodiscard]] Targets stored_at(Address slot);
    [[nodiscard]] Targets of_parameter(Function const& function, Register reg);
    // True when the value in `reg` after `site` can get anywhere but into a thread's main function.
    [[nodiscard]] bool escapes_from(Site site, Register reg);
    [[nodiscard]] bool escapes_through(Code const& code, std::uint32_t first, Register reg);
    [[nodiscard]] bool parameter_escapes(Function const& function, Register reg);

    Image const& image_;
    Disassembly const& disassembly_;
    Conventions const& conventions_;
    DebugInfo& debug_info_;
    std::set<Function const*> address_taken_;
    std::map<Function const*, std::vector<Site>> taken_at_;      // in code
    std::unordered_set<Function const*> taken_in_data_;
    std::map<Function const*, std::vector<Site>> callers_;
    std::map<Address, std::vector<Site>> stores_;                // to fixed addresses
    std::set<Address> pointed_to_;                               // data addresses that are constants somewhere
    std::map<std::pair<Function const*, Register>, Targets> parameters_;
    std::set<std::pair<Function const*, Register>> parameters_in_progress_;
    std::map<Address, Targets> slots_;
    std::set<Address> slots_in_progress_;
    std::map<std::pair<Function const*, Register>, bool> parameter_escapes_;
};

}  // namespace isrcheck
