// SPDX-License-Identifier: BSD-3-Clause
#include "code.hpp"

#include <capstone/capstone.h>

#include <algorithm>
#include <array>

namespace isrcheck {
namespace {

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
    bool const transfers = out.kind == Instruction::Kind::Call || out.kind == Instruction::Kind::Jump ||
                           out.kind == Instruction::Kind::Branch;
    if (transfers && out.to.kind == Operand::Kind::Immediate) {
        out.direct = true;
        out.target = static_cast<Address>(out.to.value);
    }
    out.writes_memory = x86.op_count > 0 && out.to.kind == Operand::Kind::Memory && (x86.operands[0].access & CS_AC_WRITE) != 0;
    out.is_padding = raw.id == X86_INS_NOP || raw.id == X86_INS_INT3;
    out.enables_interrupts = raw.id == X86_INS_STI;
    out.reads_flags = raw.id == X86_INS_PUSHF || raw.id == X86_INS_PUSHFD || raw.id == X86_INS_PUSHFQ;
    cs_regs read{};
    cs_regs written{};
    std::uint8_t reads = 0;
    std::uint8_t writes = 0;
    if (cs_regs_access(capstone, &raw, read, &reads, written, &writes) == CS_ERR_OK) {
        for (std::uint8_t i = 0; i < reads; ++i) {
            Register const reg = general(static_cast<x86_reg>(read[i]));
            if (reg != kNoRegister) out.reads |= 1u << reg;
        }
        for (std::uint8_t i = 0; i < writes; ++i) {
            Register const reg = general(static_cast<x86_reg>(written[i]));
            if (reg != kNoRegister) out.writes |= 1u << reg;
        }
    }
    for (std::uint8_t i = 0; i < x86.op_count; ++i)
        if (x86.operands[i].type == X86_OP_REG) out.uses_vector |= is_vector(x86.operands[i].reg);
    for (int i = 0; i < raw.detail->groups_count; ++i) out.uses_vector |= raw.detail->groups[i] == X86_GRP_FPU;
    out.uses_vector |= handles_vector_state(raw.id);
    return out;
}

}  // namespace

std::uint32_t Code::index_of(Address address) const {
    auto const found = std::ranges::lower_bound(instructions, address, {}, &Instruction::address);
    if (found == instructions.end() || found->address != address) return static_cast<std::uint32_t>(instructions.size());
    return static_cast<std::uint32_t>(found - instructions.begin());
}

Disassembly::Disassembly(Image const& image) : image_{image} {
    csh capstone{};
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK) throw BadImage("capstone does not start");
    cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON);
    cs_insn* const raw = cs_malloc(capstone);
    codes_.resize(image.functions().size());
    for (std::size_t i = 0; i < codes_.size(); ++i) {
        Code& code = codes_[i];
        code.function = &image.functions()[i];
        std::string_view const text = image.bytes(code.function->start, code.function->end);
        auto const* at = reinterpret_cast<std::uint8_t const*>(text.data());
        std::size_t left = text.size();
        std::uint64_t address = code.function->start;
        while (left != 0) {
            if (!cs_disasm_iter(capstone, &at, &left, &address, raw)) {
                code.first_undecoded = address;
                break;
            }
            code.instructions.push_back(simplify(capstone, *raw));
        }
        count_ += code.instructions.size();
        connect(code);
    }
    cs_free(raw, 1);
    cs_close(&capstone);
}

void Disassembly::connect(Code& code) {
    std::size_t const count = code.instructions.size();
    code.successors.resize(count);
    code.predecessors.resize(count);
    auto const join = [&](std::size_t from, Address target) {
        std::uint32_t const to = code.index_of(target);
        if (to == count) return;
        code.successors[from].push_back(to);
        code.predecessors[to].push_back(static_cast<std::uint32_t>(from));
    };
    for (std::size_t i = 0; i < count; ++i) {
        Instruction const& instruction = code.instructions[i];
        bool const jumps = instruction.kind == Instruction::Kind::Jump || instruction.kind == Instruction::Kind::Branch;
        if (jumps && instruction.direct) join(i, instruction.target);
        if (jumps && !instruction.direct && instruction.to.kind == Operand::Kind::Memory && instruction.to.fixed) {
            // A jump table: every word from its start that points into this function.
            for (Address entry = static_cast<Address>(instruction.to.value);; entry += 8) {
                auto const target = image_.word(entry);
                if (!target || !code.function->contains(*target)) break;
                join(i, *target);
            }
        }
        if (!instruction.ends_flow()) join(i, instruction.end());
    }
}

}  // namespace isrcheck
