// SPDX-License-Identifier: BSD-3-Clause
#include "aarch64_decode.hpp"

namespace isrcheck::aarch64 {
namespace {

using Kind = Instruction::Kind;

constexpr std::uint32_t kClobberedByHypervisor = 0x3ffff;  // x0..x17 (SMC calling convention)

class Decoder {
  public:
    Decoder(std::uint32_t word, Address address, Instruction& first, Instruction& second)
        : word_{word}, out_{first}, second_{second} {
        out_.address = address;
        out_.size = kInstructionSize;
    }

    [[nodiscard]] bool decode() {
        switch (at(28, 25)) {
            case 0b0000: return reserved();
            case 0b1000: case 0b1001: return immediate();
            case 0b1010: case 0b1011: return branch_or_system();
            case 0b0100: case 0b0110: case 0b1100: case 0b1110: return load_or_store();
            case 0b0101: case 0b1101: return general_registers();
            case 0b0111: case 0b1111: return vector_registers();
            default: return false;  // SVE too: no CPU setting of the kernel's allows it
        }
    }

  private:
    [[nodiscard]] std::uint32_t at(int high, int low) const { return bits(word_, high, low); }
    [[nodiscard]] bool at(int bit) const { return bits(word_, bit, bit) != 0; }
    [[nodiscard]] std::int64_t signed_at(int high, int low) const {
        int const above = 63 - (high - low);
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(at(high, low)) << above) >> above;
    }
    // Register fields, by their lowest bit. 31 is the zero register or the stack pointer.
    [[nodiscard]] Register zero_or(int low) const {
        std::uint32_t const number = at(low + 4, low);
        return number == 31 ? kNoRegister : static_cast<Register>(number);
    }
    [[nodiscard]] Register sp_or(int low) const { return static_cast<Register>(at(low + 4, low)); }

    template <class... Registers>
    void reads(Registers... registers) { out_.reads |= (set_of(registers) | ...); }
    void result(Register reg, std::uint8_t size = 8) {
        out_.to = {.kind = Operand::Kind::Register, .size = size, .base = reg};
        if (reg == kNoRegister) out_.to.kind = Operand::Kind::Other;
        out_.writes |= set_of(reg);
    }
    void leads_to(std::int64_t offset) {
        out_.direct = true;
        out_.target = out_.address + static_cast<Address>(offset);
    }
    [[nodiscard]] std::uint8_t width() const { return at(31) ? 8 : 4; }

    bool reserved() {
        if (at(31, 16) != 0) return false;
        out_.kind = Kind::Trap;  // UDF
        return true;
    }

    bool immediate() {
        Register const to = zero_or(0);
        Register const from = zero_or(5);
        switch (at(25, 23)) {
            case 0b000: case 0b001: return address();
            case 0b010: return add_immediate();
            case 0b011:  // with tags
                reads(sp_or(5));
                result(sp_or(0));
                return at(31) && !at(29);
            case 0b100:  // bitwise
                reads(from);
                result(at(30, 29) == 3 ? to : sp_or(0), width());
                return at(31) || !at(22);
            case 0b101: return wide();
            case 0b110:  // bit fields: BFM leaves the others as they are
                reads(from);
                if (at(30, 29) == 1) reads(to);
                result(to, width());
                return at(30, 29) != 3;
            default:  // EXTR
                reads(from, zero_or(16));
                result(to, width());
                return at(30, 29) == 0;
        }
    }

    bool address() {
        std::int64_t const offset = signed_at(23, 5) * 4 + at(30, 29);
        out_.kind = Kind::Lea;
        out_.is_page = at(31);
        result(zero_or(0));
        Address const address = out_.is_page ? (out_.address & ~Address{0xfff}) + (static_cast<Address>(offset) << 12)
                                             : out_.address + static_cast<Address>(offset);
        out_.from = {.kind = Operand::Kind::Memory, .size = 8, .fixed = true, .value = static_cast<std::int64_t>(address)};
        return true;
    }

    bool add_immediate() {
        bool const sets_flags = at(29);
        std::int64_t const value = static_cast<std::int64_t>(at(21, 10)) << (at(22) ? 12 : 0);
        Register const from = sp_or(5);
        reads(from);
        result(sets_flags ? zero_or(0) : sp_or(0), width());
        if (!at(31) || sets_flags) {
            out_.from = {.kind = Operand::Kind::Other, .value = value};
            return true;
        }
        out_.kind = value == 0 ? Kind::Move : Kind::Lea;
        out_.from = value == 0 ? Operand{.kind = Operand::Kind::Register, .size = 8, .base = from}
                               : Operand{.kind = Operand::Kind::Memory, .size = 8, .base = from, .value = at(30) ? -value : value};
        return true;
    }

    bool wide() {
        std::uint32_t const operation = at(30, 29);
        if (operation == 1 || (!at(31) && at(22))) return false;
        std::uint64_t value = std::uint64_t{at(20, 5)} << 16 * at(22, 21);
        if (operation == 0) value = ~value;  // MOVN
        if (!at(31)) value &= 0xffffffff;
        if (operation == 3) reads(zero_or(0));  // MOVK leaves the other bits
        else out_.kind = Kind::Move;
        result(zero_or(0), width());
        out_.from = {.kind = Operand::Kind::Immediate, .size = width(), .value = static_cast<std::int64_t>(value)};
        return true;
    }

    bool branch_or_system() {
        switch (at(31, 29)) {
            case 0b000: case 0b100:  // B, BL
                out_.kind = at(31) ? Kind::Call : Kind::Jump;
                if (at(31)) out_.writes |= set_of(kLink);
                leads_to(signed_at(25, 0) * 4);
                return true;
            case 0b001: case 0b101:
                out_.kind = Kind::Branch;
                reads(zero_or(0));
                leads_to((at(25) ? signed_at(18, 5) : signed_at(23, 5)) * 4);  // TBZ, TBNZ; CBZ, CBNZ
                return true;
            case 0b010:
                out_.kind = at(3, 1) == 0b111 ? Kind::Jump : Kind::Branch;  // B.AL is one too
                leads_to(signed_at(23, 5) * 4);
                return at(25, 24) == 0;
            case 0b110:
                if (at(25)) return branch_to_register();
                return at(24) ? system() : exception();
            default: return false;
        }
    }

    bool branch_to_register() {
        std::uint32_t const operation = at(24, 21);
        if (at(20, 16) != 31 || at(15, 12) != 0) return false;
        out_.to = {.kind = Operand::Kind::Register, .size = 8, .base = zero_or(5)};
        switch (operation & 7) {  // bit 24: with a key, as bit 11
            case 0: out_.kind = Kind::Jump; break;
            case 1:
                out_.kind = Kind::Call;
                out_.writes |= set_of(kLink);
                break;
            case 2: case 4: case 5: out_.kind = Kind::Return; break;  // RET, ERET, DRPS
            default: return false;
        }
        reads(zero_or(5));
        if (at(24)) reads(sp_or(0));
        return true;
    }

    bool exception() {
        std::uint32_t const operation = at(23, 21);
        std::uint32_t const level = at(1, 0);
        if (at(4, 2) != 0) return false;
        if (operation == 0 && level != 0) {  // SVC, HVC, SMC
            out_.reads |= kClobberedByHypervisor;
            out_.writes |= kClobberedByHypervisor;
            return true;
        }
        out_.kind = Kind::Trap;
        bool const is_dcps = operation == 5 && level != 0;
        return is_dcps || ((operation == 1 || operation == 2) && level == 0);  // BRK, HLT
    }

    bool system() {
        if (at(23, 22) != 0) return false;
        constexpr std::uint32_t kFlags = 0b11'011'0100'0010'001;         // DAIF
        constexpr std::uint32_t kFloatControl = 0b11'011'0100'0100'000;  // FPCR; the next one is FPSR
        std::uint32_t const system_register = at(20, 5);
        bool const loads = at(21);
        if (at(20, 19) >= 2) {  // MRS, MSR
            out_.reads_interrupt_flag = loads && system_register == kFlags;
            out_.uses_vector = (system_register & ~1u) == kFloatControl;
            if (loads) result(zero_or(0));
            else reads(zero_or(0));
            return true;
        }
        if (at(20, 19) == 1) {  // SYS, SYSL: caches, translations
            if (loads) result(zero_or(0));
            else reads(zero_or(0));
            return true;
        }
        if (loads) return false;
        if (at(18, 12) == 0b011'0010 && at(4, 0) == 31) return hint();
        if (at(18, 12) == 0b011'0011) return true;  // barriers
        if (at(15, 12) == 0b0100 && at(4, 0) == 31) {  // MSR of a field of the state
            bool const clears_masks = at(18, 16) == 3 && at(7, 5) == 7;
            out_.enables_interrupts = clears_masks && at(9);  // DAIFClr with I
            return true;
        }
        return at(18, 12) == 0b011'0001;  // WFET, WFIT
    }

    bool hint() {
        std::uint32_t const number = at(11, 5);
        out_.is_padding = number == 0;
        // Of pointer authentication, which changes registers by place.
        if (number == 7 || number >> 3 == 3) out_.writes |= set_of(kLink);
        if (number >> 3 == 1) out_.writes |= set_of(17);
        return true;
    }

    bool load_or_store() {
        if (at(26)) return vector_load_or_store();
        switch (at(29, 28)) {
            case 0b00: return !at(24) && exclusive();
            case 0b01:
                if (!at(24)) return literal();
                return at(21) ? tags() : access(sp_or(5), signed_at(20, 12)) && at(11, 10) == 0;  // LDAPUR, STLUR
            case 0b10: return pair();
            default: return single();
        }
    }

    // The memory operand of an access of `size` bytes.
    [[nodiscard]] Operand memory(std::uint8_t size, Register base, std::int64_t offset, Register index = kNoRegister) const {
        return {.kind = Operand::Kind::Memory, .size = size, .base = base, .index = index, .value = offset};
    }

    // A load or store of one register by the fields size (31:30) and opc (23:22).
    bool access(Register base, std::int64_t offset, Register index = kNoRegister) {
        auto const size = static_cast<std::uint8_t>(1u << at(31, 30));
        std::uint32_t const operation = at(23, 22);
        Operand const place = memory(size, base, offset, index);
        Register const reg = zero_or(0);
        reads(base, index);
        if (operation == 0) {
            out_.kind = Kind::Move;
            out_.to = place;
            out_.writes_memory = true;
            set_stored(reg, size);
            return true;
        }
        if (size == 8 && operation == 2) return true;  // PRFM
        if ((size == 8 && operation == 3) || (size == 4 && operation == 3)) return false;
        out_.kind = Kind::Move;
        result(reg, size);
        out_.from = place;
        return true;
    }

    void set_stored(Register reg, std::uint8_t size) {
        reads(reg);
        if (reg == kNoRegister) out_.from = {.kind = Operand::Kind::Immediate, .size = size};
        else out_.from = {.kind = Operand::Kind::Register, .size = size, .base = reg};
    }

    bool literal() {
        Address const place = out_.address + static_cast<Address>(signed_at(23, 5) * 4);
        if (at(31, 30) == 3) return true;  // PRFM
        auto const size = static_cast<std::uint8_t>(at(31, 30) == 1 ? 8 : 4);
        out_.kind = Kind::Move;
        result(zero_or(0), size);
        out_.from = {.kind = Operand::Kind::Memory, .size = size, .fixed = true, .value = static_cast<std::int64_t>(place)};
        return true;
    }

    bool tags() {
        reads(sp_or(5), sp_or(0));
        if (at(31, 24) != 0b11011001) return false;
        if (at(11, 10) == 0) {  // LDG
            result(zero_or(0));
            return true;
        }
        if (at(10)) out_.writes |= set_of(sp_or(5));
        out_.to = memory(32, sp_or(5), 0);
        out_.writes_memory = true;
        return true;
    }

    bool single() {
        Register const base = sp_or(5);
        if (at(24)) return access(base, static_cast<std::int64_t>(at(21, 10)) << at(31, 30));
        if (!at(21)) {
            std::uint32_t const mode = at(11, 10);  // unscaled, post-indexed, unprivileged, pre-indexed
            if (!access(base, mode == 1 ? 0 : signed_at(20, 12))) return false;
            if (mode == 1 || mode == 3) out_.writes |= set_of(base);
            return true;
        }
        if (at(11, 10) == 2) return access(base, 0, zero_or(16));
        if (at(11, 10) == 0) return atomic();
        // LDRAA, LDRAB
        if (at(31, 30) != 3) return false;
        reads(base);
        result(zero_or(0));
        if (at(11)) out_.writes |= set_of(base);
        return true;
    }

    // One instruction that reads, changes and writes (FEAT_LSE), or LDAPR.
    bool atomic() {
        auto const size = static_cast<std::uint8_t>(1u << at(31, 30));
        Register const base = sp_or(5);
        reads(base);
        out_.writes |= set_of(zero_or(0));
        if (at(15, 12) == 0b1100) {
            out_.kind = Kind::Move;
            result(zero_or(0), size);
            out_.from = memory(size, base, 0);
            return true;
        }
        if (at(15, 12) > 0b1000) return false;
        out_.kind = at(15, 12) == 0b1000 ? Kind::Exchange : Kind::Other;  // SWP; LDADD and the like
        out_.to = memory(size, base, 0);
        out_.writes_memory = true;
        set_stored(zero_or(16), size);
        return true;
    }

    // Exclusives, ordered accesses, compare and swap.
    bool exclusive() {
        auto const size = static_cast<std::uint8_t>(1u << at(31, 30));
        Register const base = sp_or(5);
        Register const reg = zero_or(0);
        Register const other = zero_or(10);
        Register const status = zero_or(16);
        bool const loads = at(22);
        reads(base);
        if (at(23) && !at(21)) {  // LDAR, STLR
            out_.kind = Kind::Move;
            if (loads) {
                result(reg, size);
                out_.from = memory(size, base, 0);
            } else {
                out_.to = memory(size, base, 0);
                out_.writes_memory = true;
                set_stored(reg, size);
            }
            return true;
        }
        bool const is_cas = (at(23) && at(21)) || (at(21) && !at(31));
        if (is_cas) {
            bool const pairs = !at(23);  // CASP: this register and the next
            if (other != kNoRegister) return false;
            out_.to = memory(size, base, 0);
            out_.writes_memory = true;
            std::uint32_t const compared = set_of(status) << (pairs ? 1 : 0) | set_of(status);
            out_.reads |= compared | set_of(reg) << (pairs ? 1 : 0);
            out_.writes |= compared;
            set_stored(reg, size);
            return true;
        }
        if (loads) {
            result(reg, size);
            if (at(21)) out_.writes |= set_of(other);
            out_.from = memory(size, base, 0);
        } else {
            out_.to = memory(size, base, 0);
            out_.writes_memory = true;
            set_stored(reg, size);
            if (at(21)) reads(other);
            out_.writes |= set_of(status);
        }
        return true;
    }

    bool pair() {
        std::uint32_t const operation = at(31, 30);
        bool const loads = at(22);
        if (operation == 3) return false;
        if (operation == 1 && !loads) return false;  // STGP: the kernel has no tags
        std::uint8_t const size = operation == 2 ? 8 : 4;
        std::uint32_t const mode = at(24, 23);  // no-allocate, post-indexed, offset, pre-indexed
        Register const base = sp_or(5);
        std::int64_t const offset = mode == 1 ? 0 : signed_at(21, 15) * size;
        bool const writes_back = mode == 1 || mode == 3;
        second_ = out_;
        second_.address += kInstructionSize / 2;
        out_.size = second_.size = kInstructionSize / 2;
        // The half that changes the base comes last.
        bool const swapped = loads && zero_or(0) == base;
        half(out_, zero_or(swapped ? 10 : 0), memory(size, base, swapped ? offset + size : offset), loads);
        half(second_, zero_or(swapped ? 0 : 10), memory(size, base, swapped ? offset : offset + size), loads);
        if (writes_back) second_.writes |= set_of(base);
        return true;
    }

    static void half(Instruction& out, Register reg, Operand const& place, bool loads) {
        Operand value{.kind = Operand::Kind::Register, .size = place.size, .base = reg};
        if (reg == kNoRegister) value.kind = loads ? Operand::Kind::Other : Operand::Kind::Immediate;
        out.kind = Kind::Move;
        out.reads = set_of(place.base) | (loads ? 0 : set_of(reg));
        out.writes = loads ? set_of(reg) : 0;
        out.writes_memory = !loads;
        out.to = loads ? value : place;
        out.from = loads ? place : value;
    }

    bool vector_load_or_store() {
        out_.uses_vector = true;
        bool const is_literal = at(29, 27) == 0b011 && at(25, 24) == 0;
        if (is_literal) return true;
        Register const base = sp_or(5);
        reads(base);
        bool const structures = at(29, 28) == 0;
        bool const pairs = at(29, 28) == 2;
        bool const in_register = at(29, 28) == 3 && !at(24) && at(21);
        if (in_register || (structures && at(23))) reads(zero_or(16));
        bool const writes_back = structures ? at(23) : pairs ? at(23) : at(29, 28) == 3 && !at(24) && !at(21) && at(10);
        if (writes_back) out_.writes |= set_of(base);
        if (!at(22)) {
            std::int64_t offset = 0;
            if (pairs) offset = signed_at(21, 15) << (2 + at(31, 30));
            else if (at(29, 28) == 3 && at(24)) offset = static_cast<std::int64_t>(at(21, 10)) << (at(23) ? 4 : at(31, 30));
            out_.to = memory(64, base, offset);  // no store is wider
            out_.writes_memory = true;
        }
        return true;
    }

    bool general_registers() {
        Register const to = zero_or(0);
        Register const from = zero_or(5);
        Register const other = zero_or(16);
        reads(from);
        if (!at(28)) {
            reads(other);
            bool const extended = at(24) && at(21);  // ADD, SUB
            if (extended) reads(sp_or(5));
            result(extended && !at(29) ? sp_or(0) : to, width());
            bool const is_move = !at(24) && at(30, 29) == 1 && from == kNoRegister && at(23, 21) == 0 && at(15, 10) == 0;
            if (is_move && (at(31) || other == kNoRegister)) {
                out_.kind = Kind::Move;
                if (other == kNoRegister) out_.from = {.kind = Operand::Kind::Immediate, .size = width()};
                else out_.from = {.kind = Operand::Kind::Register, .size = 8, .base = other};
            }
            return true;
        }
        std::uint32_t const operation = at(24, 21);
        bool const of_one = operation == 0b0110 && at(30);
        bool const with_number = operation == 0b0010 && at(11);
        if (!of_one && !with_number) reads(other);
        if (operation == 0b0010) return at(29) && !at(4);  // CCMP
        result(to, width());
        switch (operation) {
            case 0b0000: return at(15, 10) == 0;         // ADC, SBC
            case 0b0100: return !at(29) && !at(11);      // CSEL
            case 0b0110: return !at(29);                 // DIV, shifts; RBIT
            default:                                     // MADD
                reads(zero_or(10));
                return at(24) && at(30, 29) == 0;
        }
    }

    // Whether general registers take part matters to who follows them: when in doubt, their values are lost or are used.
    bool vector_registers() {
        out_.uses_vector = true;
        bool const converts = at(30, 24) == 0b0011110 && at(21) && at(15, 10) == 0;
        bool const converts_fixed = at(30, 24) == 0b0011110 && !at(21);
        bool const copies = !at(31) && at(28, 21) == 0b01110000 && !at(15) && at(10);
        if (converts || converts_fixed) {
            std::uint32_t const operation = at(18, 16);
            bool const from_general = operation == 2 || operation == 3 || operation == 7;
            if (from_general) reads(zero_or(5));
            else out_.writes |= set_of(zero_or(0));
        } else if (copies) {
            if (at(14, 11) == 0b0111 || at(14, 11) == 0b0101) out_.writes |= set_of(zero_or(0));
            else reads(zero_or(5));
        }
        return true;
    }

    std::uint32_t word_;
    Instruction& out_;
    Instruction& second_;
};

}  // namespace

bool decode(std::uint32_t word, Address address, Instruction& first, Instruction& second) {
    return Decoder{word, address, first, second}.decode();
}

}  // namespace isrcheck::aarch64
