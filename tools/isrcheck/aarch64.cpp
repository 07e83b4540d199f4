// SPDX-License-Identifier: BSD-3-Clause
#include "aarch64_decode.hpp"
#include "addresses.hpp"

namespace isrcheck {
namespace {

using aarch64::bits;
using aarch64::kInstructionSize;
using Kind = Instruction::Kind;

constexpr Register kArguments[] = {0, 1, 2, 3, 4, 5, 6, 7};
constexpr std::uint32_t kCallerSaved = 0x4007ffff;  // x0..x18, x30
constexpr std::uint8_t kDwarfNumbers[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                          16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

std::uint32_t word_at(Image const& image, Address address) {
    std::string_view const text = image.bytes(address, address + sizeof(std::uint32_t));
    std::uint32_t word = 0;
    if (text.size() == sizeof word) std::memcpy(&word, text.data(), sizeof word);
    return word;
}

// A jump table, as the compiler writes it: an entry is the distance from some place in the function.
//
//     cmp wI, #LAST; b.hi default; adr xT, table; adr xB, place; ldrb wE, [xT, xI]; add xB, xB, xE, lsl #2; br xB
//
// Entries are bytes or halfwords in instructions, or signed words in bytes.
struct JumpTable {
    Address place = 0;
    Address entries = 0;
    unsigned entry_size = 0;
    unsigned shift = 0;
    std::optional<std::uint32_t> count;  // unknown: as many as lead into the function
};

class JumpTables {
  public:
    JumpTables(Code& code, Image const& image, Addresses& addresses) : code_{code}, image_{image}, addresses_{addresses} {}

    // Whether it is one; adds the edges.
    bool connect(std::uint32_t jump) {
        auto const table = read(jump);
        if (!table) return false;
        for (std::uint32_t i = 0; !table->count || i < *table->count; ++i) {
            Address const entry = table->entries + Address{i} * table->entry_size;
            std::string_view const text = image_.bytes(entry, entry + table->entry_size);
            if (text.empty()) break;
            std::int64_t distance = 0;
            if (table->entry_size == 4) {
                std::int32_t value = 0;
                std::memcpy(&value, text.data(), sizeof value);
                distance = value;
            } else {
                std::memcpy(&distance, text.data(), table->entry_size);
            }
            Address const target = table->place + static_cast<Address>(distance * (1 << table->shift));
            if (!code_.function->contains(target)) break;
            code_.join(jump, target);
        }
        return true;
    }

  private:
    // The instruction before `index` that last wrote `reg`, in straight order and near.
    [[nodiscard]] std::optional<std::uint32_t> writer(std::uint32_t index, Register reg) const {
        constexpr std::uint32_t kNear = 32;
        for (std::uint32_t i = index; i-- > 0 && index - i <= kNear;) {
            Instruction const& instruction = code_.instructions[i];
            if (has(instruction.writes, reg)) return i;
            if (instruction.ends_flow() || instruction.kind == Kind::Call) return std::nullopt;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::optional<JumpTable> read(std::uint32_t jump) const {
        auto const sum = writer(jump, code_.instructions[jump].to.base);
        if (!sum) return std::nullopt;
        std::uint32_t const add = word(*sum);
        if ((add & 0xffe00000) != 0x8b000000) return std::nullopt;  // ADD of registers, shifted left
        auto const place_register = static_cast<Register>(bits(add, 9, 5));
        auto const entry_register = static_cast<Register>(bits(add, 20, 16));
        auto const load = writer(*sum, entry_register);
        if (!load) return std::nullopt;
        Instruction const& access = code_.instructions[*load];
        bool const reads_table = access.kind == Kind::Move && access.from.kind == Operand::Kind::Memory &&
                                 access.from.index != kNoRegister && access.from.size <= 4;
        auto const place = addresses_.before(*sum, place_register);
        auto const entries = reads_table ? addresses_.before(*load, access.from.base) : std::nullopt;
        if (!place || !entries) return std::nullopt;
        return JumpTable{.place = *place,
                         .entries = *entries,
                         .entry_size = access.from.size,
                         .shift = bits(add, 15, 10),
                         .count = bound(*load, access.from.index)};
    }

    // From the comparison of the index before the load.
    [[nodiscard]] std::optional<std::uint32_t> bound(std::uint32_t load, Register index) const {
        bool guarded = false;
        for (std::uint32_t i = load; i-- > 0 && load - i <= 32;) {
            Instruction const& instruction = code_.instructions[i];
            std::uint32_t const encoded = word(i);
            bool const is_guard = (encoded & 0xff00001f) == 0x54000008;    // b.hi
            bool const compares = (encoded & 0x7fc0001f) == 0x7100001f;    // cmp reg, #number
            if (guarded && compares && static_cast<Register>(bits(encoded, 9, 5)) == index) return bits(encoded, 21, 10) + 1;
            if (guarded && compares) return std::nullopt;
            guarded = guarded || is_guard;
            if (has(instruction.writes, index) || instruction.ends_flow() || instruction.kind == Kind::Call) return std::nullopt;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::uint32_t word(std::uint32_t index) const {
        return word_at(image_, code_.instructions[index].address & ~Address{kInstructionSize - 1});
    }

    Code& code_;
    Image const& image_;
    Addresses& addresses_;
};

class AArch64 final : public Machine {
  public:
    AArch64()
        : Machine({.arguments = kArguments,
                   .caller_saved = kCallerSaved,
                   .result = 0,
                   .stack_pointer = aarch64::kStackPointer,
                   .dwarf_numbers = kDwarfNumbers}) {}

    void decode(std::string_view text, Address start, Code& code) const override {
        for (std::size_t at = 0; at + kInstructionSize <= text.size(); at += kInstructionSize) {
            std::uint32_t word = 0;
            std::memcpy(&word, text.data() + at, sizeof word);
            Instruction first;
            Instruction second;
            if (!aarch64::decode(word, start + at, first, second)) {
                // May do anything with any register.
                if (code.first_undecoded == 0) code.first_undecoded = start + at;
                first = {.address = start + at, .writes = ~0u, .reads = ~0u, .size = kInstructionSize, .writes_memory = true};
                second = {};
            }
            code.instructions.push_back(first);
            if (second.size != 0) code.instructions.push_back(second);
        }
    }

    void refine(Code& code, Image const& image) const override {
        Addresses addresses{code, conventions()};
        addresses.propagate();
        bool found = false;
        for (std::uint32_t i = 0; i < code.instructions.size(); ++i) {
            Instruction const& jump = code.instructions[i];
            if (jump.kind == Kind::Jump && !jump.direct && JumpTables{code, image, addresses}.connect(i)) found = true;
        }
        if (found) addresses.propagate();
        addresses.fold(image);
    }

    // The word before the function, which is data.
    std::optional<std::uint32_t> declared_type(Image const& image, Function const& function) const override {
        Address const place = function.start - sizeof(std::uint32_t);
        if (!image.is_data_among_code(place)) return std::nullopt;
        return word_at(image, place);
    }

    // ldur w16, [target, #-4]; movk w17, #low; movk w17, #high, lsl #16; cmp w16, w17; b.eq 1f; brk; 1: blr target
    std::optional<std::uint32_t> compared_type(Code const& code, std::uint32_t index) const override {
        if (index < 6) return std::nullopt;
        auto const before = [&](std::uint32_t n) -> Instruction const& { return code.instructions[index - n]; };
        auto const is_half = [&](Instruction const& half) {
            return half.to.kind == Operand::Kind::Register && half.from.kind == Operand::Kind::Immediate &&
                   half.to.base == before(5).to.base;
        };
        Operand const& place = before(6).from;
        bool const compares = before(1).kind == Kind::Trap && before(2).kind == Kind::Branch &&
                              before(2).target == code.instructions[index].address && is_half(before(4)) && is_half(before(5)) &&
                              has(before(3).reads, before(5).to.base) && has(before(3).reads, before(6).to.base) &&
                              place.kind == Operand::Kind::Memory && place.size == 4 &&
                              (place.fixed || (place.base == code.instructions[index].to.base && place.value == -4));
        if (!compares) return std::nullopt;
        return static_cast<std::uint32_t>(before(5).from.value | before(4).from.value);
    }
};

}  // namespace

std::unique_ptr<Machine> make_aarch64() { return std::make_unique<AArch64>(); }

}  // namespace isrcheck
