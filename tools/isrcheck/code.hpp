// SPDX-License-Identifier: BSD-3-Clause
// The kernel's instructions, reduced to what the checks ask: where control goes, and how addresses travel in registers.
#pragma once

#include <unordered_map>
#include <vector>

#include "image.hpp"

namespace isrcheck {

// General registers, numbered as the machine does; parts of a register count as the register.
using Register = std::int8_t;
inline constexpr Register kNoRegister = -1;
inline constexpr Register kRax = 0;
inline constexpr Register kRsp = 4;
inline constexpr Register kR10 = 10;
inline constexpr Register kR11 = 11;
inline constexpr Register kArguments[] = {7, 6, 2, 1, 8, 9};  // rdi rsi rdx rcx r8 r9
inline constexpr std::uint32_t kCallerSaved = 0x0fc7;         // rax rcx rdx rsi rdi r8..r11

struct Operand {
    enum class Kind : std::uint8_t { None, Register, Immediate, Memory, Other } kind = Kind::None;
    std::uint8_t size = 0;  // bytes
    Register base = kNoRegister;   // the register itself, or the base of an address
    Register index = kNoRegister;
    bool per_cpu = false;   // gs-relative
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
    bool reads_flags = false;   // pushf
    bool uses_vector = false;   // touches FPU, MMX, SSE or AVX registers
    Operand to;    // first operand
    Operand from;  // second operand

    [[nodiscard]] Address end() const { return address + size; }
    [[nodiscard]] bool ends_flow() const { return kind == Kind::Jump || kind == Kind::Return || kind == Kind::Trap; }
};

// One function's instructions and how control moves between them.
struct Code {
    Function const* function = nullptr;
    std::vector<Instruction> instructions;
    // Indices into `instructions`.
    std::vector<std::vector<std::uint32_t>> successors;
    std::vector<std::vector<std::uint32_t>> predecessors;
    Address first_undecoded = 0;  // not zero: bytes that the disassembler does not know

    [[nodiscard]] std::uint32_t index_of(Address address) const;  // instructions.size() when there is none
};

class Disassembly {
  public:
    explicit Disassembly(Image const& image);
    [[nodiscard]] Code const& of(Function const& function) const {
        return codes_[static_cast<std::size_t>(&function - image_.functions().data())];
    }
    [[nodiscard]] std::vector<Code> const& all() const { return codes_; }
    [[nodiscard]] std::size_t instruction_count() const { return count_; }

  private:
    void connect(Code& code);
    Image const& image_;
    std::vector<Code> codes_;
    std::size_t count_ = 0;
};

}  // namespace isrcheck
