// SPDX-License-Identifier: BSD-3-Clause
// The kernel's instructions, reduced to what the checks ask: where control goes, and how addresses travel in registers.
#pragma once

#include <memory>
#include <vector>

#include "image.hpp"

namespace isrcheck {

// General registers, numbered as the machine does; parts of a register count as the register.
using Register = std::int8_t;
inline constexpr Register kNoRegister = -1;
constexpr std::uint32_t set_of(Register reg) { return reg == kNoRegister ? 0 : 1u << reg; }
constexpr bool has(std::uint32_t set, Register reg) { return (set & set_of(reg)) != 0; }

struct Operand {
    enum class Kind : std::uint8_t { None, Register, Immediate, Memory, Other } kind = Kind::None;
    std::uint8_t size = 0;  // bytes
    Register base = kNoRegister;   // the register itself, or the base of an address
    Register index = kNoRegister;
    bool per_cpu = false;   // relative to a segment
    bool fixed = false;     // an address without base register: `value` is the address (plus index)
    std::int64_t value = 0;  // immediate, displacement, or fixed address
};

struct Instruction {
    enum class Kind : std::uint8_t { Other, Call, Jump, Branch, Return, Trap, Move, Lea, Exchange };
    Address address = 0;
    Address target = 0;  // of a direct call, jump or branch
    std::uint32_t writes = 0;  // general registers, as a set
    std::uint32_t reads = 0;   // the same, addresses included
    std::uint8_t size = 0;
    Kind kind = Kind::Other;
    bool direct = false;
    bool is_padding = false;
    bool enables_interrupts = false;
    bool writes_memory = false;  // at the address of `to`
    bool reads_interrupt_flag = false;
    bool uses_vector = false;   // touches floating-point or SIMD registers, or their control registers
    bool is_page = false;       // Lea: only the page of an address; what is in it, later instructions add
    bool is_step = false;       // Lea: only for the addresses of instructions behind it, which `fixed` operands give
    Operand to;    // first operand
    Operand from;  // second operand

    [[nodiscard]] Address end() const { return address + size; }
    [[nodiscard]] bool transfers() const { return kind == Kind::Call || kind == Kind::Jump || kind == Kind::Branch; }
    [[nodiscard]] bool ends_flow() const { return kind == Kind::Jump || kind == Kind::Return || kind == Kind::Trap; }
};

// One function's instructions and how control moves between them.
struct Code {
    Function const* function = nullptr;
    std::vector<Instruction> instructions;
    // Indices into `instructions`.
    std::vector<std::vector<std::uint32_t>> successors;
    std::vector<std::vector<std::uint32_t>> predecessors;
    Address first_undecoded = 0;  // not zero: bytes that are no known instruction

    [[nodiscard]] std::uint32_t index_of(Address address) const;  // instructions.size() when there is none
    void join(std::size_t from, Address target);  // when it is one of these
};

class Machine;

class Disassembly {
  public:
    explicit Disassembly(Image const& image);
    Disassembly(Disassembly const&) = delete;
    ~Disassembly();
    [[nodiscard]] Machine const& machine() const { return *machine_; }
    [[nodiscard]] Code const& of(Function const& function) const {
        return codes_[static_cast<std::size_t>(&function - image_.functions().data())];
    }
    [[nodiscard]] std::vector<Code> const& all() const { return codes_; }

  private:
    void connect(Code& code);
    [[nodiscard]] static bool may_return(Code const& code);

    Image const& image_;
    std::unique_ptr<Machine> machine_;
    std::vector<Code> codes_;
};

}  // namespace isrcheck
