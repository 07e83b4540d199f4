// SPDX-License-Identifier: BSD-3-Clause
#include <capstone/capstone.h>

#include "machine.hpp"

namespace isrcheck {
namespace {

constexpr Register kRax = 0;
constexpr Register kRsp = 4;
constexpr Register kArguments[] = {7, 6, 2, 1, 8, 9};  // rdi rsi rdx rcx r8 r9
constexpr std::uint32_t kCallerSaved = 0x0fc7;         // rax rcx rdx rsi rdi r8..r11
constexpr std::uint8_t kDwarfNumbers[] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};

Register general(x86_reg reg) {
    switch (reg) {
        case X86_REG_RAX: case X86_REG_EAX: case X86_REG_AX: case X86_REG_AL: case X86_REG_AH: return 0;
        case X86_REG_RCX: case X86_REG_ECX: case X86_REG_CX: case X86_REG_CL: case X86_REG_CH: return 1;
        case X86_REG_RDX: case X86_REG_EDX: case X86_REG_DX: case X86_REG_DL: case X86_REG_DH: return 2;
        case X86_REG_RBX: case X86_REG_EBX: case X86_REG_BX: case X86_REG_BL: case X86_REG_BH: return 3;
        case X86_REG_RSP: case X86_REG_ESP: case X86_REG_SP: case X86_REG_SPL: return 4;
        case X86_REG_RBP: case X86_REG_EBP: case X86_REG_BP: case X86_REG_BPL: return 5;
        case X86_REG_RSI: case X86_REG_ESI: case X86_REG_SI: case X86_REG_SIL: return 6;
        case X86_REG_RDI: case X86_REG_EDI: case X86_REG_DI: case X86_REG_DIL: return 7;
        case X86_REG_R8: case X86_REG_R8D: case X86_REG_R8W: case X86_REG_R8B: return 8;
        case X86_REG_R9: case X86_REG_R9D: case X86_REG_R9W: case X86_REG_R9B: return 9;
        case X86_REG_R10: case X86_REG_R10D: case X86_REG_R10W: case X86_REG_R10B: return 10;
        case X86_REG_R11: case X86_REG_R11D: case X86_REG_R11W: case X86_REG_R11B: return 11;
        case X86_REG_R12: case X86_REG_R12D: case X86_REG_R12W: case X86_REG_R12B: return 12;
        case X86_REG_R13: case X86_REG_R13D: case X86_REG_R13W: case X86_REG_R13B: return 13;
        case X86_REG_R14: case X86_REG_R14D: case X86_REG_R14W: case X86_REG_R14B: return 14;
        case X86_REG_R15: case X86_REG_R15D: case X86_REG_R15W: case X86_REG_R15B: return 15;
        default: return kNoRegister;
    }
}

bool is_vector(unsigned reg) {
    return (reg >= X86_REG_XMM0 && reg <= X86_REG_ZMM31) || (reg >= X86_REG_MM0 && reg <= X86_REG_MM7) ||
           (reg >= X86_REG_ST0 && reg <= X86_REG_ST7) || (reg >= X86_REG_FP0 && reg <= X86_REG_FP7) ||
           (reg >= X86_REG_K0 && reg <= X86_REG_K7);
}

// Instructions that handle the state as a whole, or name no register.
bool handles_vector_state(unsigned id) {
    switch (id) {
        case X86_INS_FXSAVE: case X86_INS_FXSAVE64: case X86_INS_FXRSTOR: case X86_INS_FXRSTOR64:
        case X86_INS_XSAVE: case X86_INS_XSAVE64: case X86_INS_XSAVEC: case X86_INS_XSAVEC64:
        case X86_INS_XSAVEOPT: case X86_INS_XSAVEOPT64: case X86_INS_XSAVES: case X86_INS_XSAVES64:
        case X86_INS_XRSTOR: case X86_INS_XRSTOR64: case X86_INS_XRSTORS: case X86_INS_XRSTORS64:
        case X86_INS_LDMXCSR: case X86_INS_STMXCSR: case X86_INS_VLDMXCSR: case X86_INS_VSTMXCSR:
        case X86_INS_EMMS: case X86_INS_VZEROALL: case X86_INS_VZEROUPPER: case X86_INS_FNINIT:
        case X86_INS_FLDCW: case X86_INS_FNSTCW: case X86_INS_FNSAVE: case X86_INS_FRSTOR: case X86_INS_FNCLEX:
            return true;
        default: return false;
    }
}

Operand simplify(cs_insn const& raw, cs_x86_op const& operand) {
    Operand out{.size = operand.size};
    if (operand.type == X86_OP_REG) {
        out.base = general(operand.reg);
        out.kind = out.base == kNoRegister ? Operand::Kind::Other : Operand::Kind::Register;
    } else if (operand.type == X86_OP_IMM) {
        out.kind = Operand::Kind::Immediate;
        out.value = operand.imm;
    } else if (operand.type == X86_OP_MEM) {
        out.kind = Operand::Kind::Memory;
        out.base = general(operand.mem.base);
        out.index = general(operand.mem.index);
        out.per_cpu = operand.mem.segment == X86_REG_GS || operand.mem.segment == X86_REG_FS;
        out.value = operand.mem.disp;
        if (operand.mem.base == X86_REG_RIP) {
            out.fixed = !out.per_cpu;
            out.value += static_cast<std::int64_t>(raw.address + raw.size);
        } else if (operand.mem.base == X86_REG_INVALID) {
            out.fixed = !out.per_cpu;
        }
    }
    return out;
}

Instruction::Kind kind_of(cs_insn const& raw) {
    for (int i = 0; i < raw.detail->groups_count; ++i)
        switch (raw.detail->groups[i]) {
            case CS_GRP_CALL: return Instruction::Kind::Call;
            case CS_GRP_RET: case CS_GRP_IRET: return Instruction::Kind::Return;
            case CS_GRP_JUMP: return raw.id == X86_INS_JMP || raw.id == X86_INS_LJMP ? Instruction::Kind::Jump
                                                                                    : Instruction::Kind::Branch;
            default: break;
        }
    switch (raw.id) {
        case X86_INS_CALL: return Instruction::Kind::Call;
        case X86_INS_UD2: return Instruction::Kind::Trap;
        case X86_INS_IRETQ: case X86_INS_SYSRET: case X86_INS_RET: return Instruction::Kind::Return;
        case X86_INS_MOV: case X86_INS_MOVABS: return Instruction::Kind::Move;
        case X86_INS_LEA: return Instruction::Kind::Lea;
        case X86_INS_XCHG: return Instruction::Kind::Exchange;
        default: return Instruction::Kind::Other;
    }
}

Instruction simplify(csh capstone, cs_insn const& raw) {
    Instruction out;
    out.address = raw.address;
    out.size = static_cast<std::uint8_t>(raw.size);
    out.kind = kind_of(raw);
    cs_x86 const& x86 = raw.detail->x86;
    if (x86.op_count > 0) out.to = simplify(raw, x86.operands[0]);
    if (x86.op_count > 1) out.from = simplify(raw, x86.operands[1]);
    if (out.transfers() && out.to.kind == Operand::Kind::Immediate) {
        out.direct = true;
        out.target = static_cast<Address>(out.to.value);
    }
    out.writes_memory = x86.op_count > 0 && out.to.kind == Operand::Kind::Memory && (x86.operands[0].access & CS_AC_WRITE) != 0;
    out.is_padding = raw.id == X86_INS_NOP || raw.id == X86_INS_INT3;
    out.enables_interrupts = raw.id == X86_INS_STI;
    out.reads_interrupt_flag = raw.id == X86_INS_PUSHF || raw.id == X86_INS_PUSHFD || raw.id == X86_INS_PUSHFQ;
    cs_regs read{};
    cs_regs written{};
    std::uint8_t reads = 0;
    std::uint8_t writes = 0;
    if (cs_regs_access(capstone, &raw, read, &reads, written, &writes) == CS_ERR_OK) {
        for (std::uint8_t i = 0; i < reads; ++i) {
            Register const reg = general(static_cast<x86_reg>(read[i]));
            out.reads |= set_of(reg);
        }
        for (std::uint8_t i = 0; i < writes; ++i) {
            Register const reg = general(static_cast<x86_reg>(written[i]));
            out.writes |= set_of(reg);
        }
    }
    bool const of_itself = out.to.kind == Operand::Kind::Register && out.from.kind == Operand::Kind::Register &&
                           out.to.base == out.from.base;
    if (of_itself && (raw.id == X86_INS_XOR || raw.id == X86_INS_SUB)) {  // zero
        out.kind = Instruction::Kind::Move;
        out.from = {.kind = Operand::Kind::Immediate, .size = out.from.size};
        out.reads = 0;
    }
    for (std::uint8_t i = 0; i < x86.op_count; ++i)
        if (x86.operands[i].type == X86_OP_REG) out.uses_vector |= is_vector(x86.operands[i].reg);
    for (int i = 0; i < raw.detail->groups_count; ++i) out.uses_vector |= raw.detail->groups[i] == X86_GRP_FPU;
    out.uses_vector |= handles_vector_state(raw.id);
    return out;
}

class X86_64 final : public Machine {
  public:
    X86_64()
        : Machine({.arguments = kArguments,
                   .caller_saved = kCallerSaved,
                   .result = kRax,
                   .stack_pointer = kRsp,
                   .dwarf_numbers = kDwarfNumbers}) {
        if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone_) != CS_ERR_OK) throw BadImage("capstone does not start");
        cs_option(capstone_, CS_OPT_DETAIL, CS_OPT_ON);
        raw_ = cs_malloc(capstone_);
    }
    ~X86_64() override {
        cs_free(raw_, 1);
        cs_close(&capstone_);
    }

    void decode(std::string_view text, Address start, Code& code) const override {
        auto const* at = reinterpret_cast<std::uint8_t const*>(text.data());
        std::size_t left = text.size();
        while (left != 0) {
            if (!cs_disasm_iter(capstone_, &at, &left, &start, raw_)) {
                code.first_undecoded = start;
                break;
            }
            code.instructions.push_back(simplify(capstone_, *raw_));
        }
    }

    // A jump table: every word from its start that points into this function.
    void refine(Code& code, Image const& image) const override {
        for (std::size_t i = 0; i < code.instructions.size(); ++i) {
            Instruction const& jump = code.instructions[i];
            bool const has_table = jump.kind == Instruction::Kind::Jump && !jump.direct &&
                                   jump.to.kind == Operand::Kind::Memory && jump.to.fixed;
            if (!has_table) continue;
            for (Address entry = static_cast<Address>(jump.to.value);; entry += 8) {
                auto const target = image.word(entry);
                if (!target || !code.function->contains(*target)) break;
                code.join(i, *target);
            }
        }
    }

    // movl $hash, %eax; then the function
    std::optional<std::uint32_t> declared_type(Image const& image, Function const& function) const override {
        std::string_view const text = image.bytes(function.start - 5, function.start);
        if (text.size() != 5 || text[0] != '\xb8') return std::nullopt;
        std::uint32_t hash = 0;
        std::memcpy(&hash, text.data() + 1, sizeof hash);
        return hash;
    }

    // movl $-hash, %r10d; addl -4(%target), %r10d; je 1f; ud2; 1: call *%target
    std::optional<std::uint32_t> compared_type(Code const& code, std::uint32_t index) const override {
        Instruction const& call = code.instructions[index];
        if (index < 4 || call.to.kind != Operand::Kind::Register) return std::nullopt;
        auto const before = [&](std::uint32_t n) -> Instruction const& { return code.instructions[index - n]; };
        bool const compares = before(1).kind == Instruction::Kind::Trap && before(2).kind == Instruction::Kind::Branch &&
                              before(2).target == call.address && before(3).from.kind == Operand::Kind::Memory &&
                              before(3).from.base == call.to.base && before(3).from.value == -4 &&
                              before(4).kind == Instruction::Kind::Move && before(4).from.kind == Operand::Kind::Immediate &&
                              before(4).to.base == before(3).to.base;
        if (!compares) return std::nullopt;
        return 0u - static_cast<std::uint32_t>(before(4).from.value);
    }

  private:
    csh capstone_{};
    cs_insn* raw_ = nullptr;
};

}  // namespace

std::unique_ptr<Machine> make_x86_64() { return std::make_unique<X86_64>(); }

}  // namespace isrcheck
