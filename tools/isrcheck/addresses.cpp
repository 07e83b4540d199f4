// SPDX-License-Identifier: BSD-3-Clause
#include "addresses.hpp"

#include <algorithm>
#include <set>

namespace isrcheck {
namespace {

using Kind = Instruction::Kind;

constexpr Address kPageSize = 4096;

bool is_address(Operand const& operand) { return operand.kind == Operand::Kind::Memory && !operand.per_cpu; }

}  // namespace

std::optional<Address> Addresses::before(std::uint32_t index, Register reg) const {
    State const& state = states_[index];
    if (reg == kNoRegister || !has(state.known, reg)) return std::nullopt;
    return state.values[static_cast<std::size_t>(reg)];
}

void Addresses::step(Instruction const& instruction, State& state) const {
    Operand const& from = instruction.from;
    auto const value_of = [&](Register reg) -> std::optional<Address> {
        if (reg == kNoRegister || !has(state.known, reg)) return std::nullopt;
        return state.values[static_cast<std::size_t>(reg)];
    };
    std::optional<Address> result;
    if (instruction.kind == Kind::Move && from.kind == Operand::Kind::Immediate) result = static_cast<Address>(from.value);
    if (instruction.kind == Kind::Move && from.kind == Operand::Kind::Register) result = value_of(from.base);
    if (instruction.kind == Kind::Lea && from.index == kNoRegister) {
        result = from.fixed ? 0 : value_of(from.base);
        if (result) *result += static_cast<Address>(from.value);
    }
    state.known &= ~instruction.writes;
    if (instruction.kind == Kind::Call) state.known &= ~conventions_.caller_saved;
    if (result && instruction.to.kind == Operand::Kind::Register) {
        state.known |= set_of(instruction.to.base);
        state.values[static_cast<std::size_t>(instruction.to.base)] = *result;
    }
}

void Addresses::propagate() {
    states_.assign(code_.instructions.size(), {});
    for (std::uint32_t i = 0; i < states_.size(); ++i)
        if (i == 0 || code_.predecessors[i].empty()) run_from(i);
    for (std::uint32_t i = 0; i < states_.size(); ++i)
        if (!states_[i].reached) run_from(i);
}

// With nothing known there.
void Addresses::run_from(std::uint32_t first) {
    states_[first].reached = true;
    states_[first].known = 0;
    std::vector<std::uint32_t> work{first};
    while (!work.empty()) {
        std::uint32_t const index = work.back();
        work.pop_back();
        State state = states_[index];
        step(code_.instructions[index], state);
        for (std::uint32_t const next : code_.successors[index]) {
            State& there = states_[next];
            if (!there.reached) {
                there = state;
                work.push_back(next);
                continue;
            }
            std::uint32_t known = there.known & state.known;
            for (std::size_t reg = 0; reg < there.values.size(); ++reg)
                if ((known >> reg & 1) != 0 && there.values[reg] != state.values[reg]) known &= ~(1u << reg);
            if (known == there.known) continue;
            there.known = known;
            work.push_back(next);
        }
    }
}

void Addresses::fold(Image const& image) {
    folded_.assign(code_.instructions.size(), 0);
    for (std::uint32_t i = 0; i < code_.instructions.size(); ++i) {
        Instruction& instruction = code_.instructions[i];
        for (Operand* const operand : {&instruction.to, &instruction.from}) {
            if (!is_address(*operand) || operand->fixed) continue;
            auto const base = before(i, operand->base);
            if (!base) continue;
            folded_[i] |= set_of(operand->base);
            operand->fixed = true;
            operand->base = kNoRegister;
            operand->value += static_cast<std::int64_t>(*base);
        }
    }
    for (std::uint32_t i = 0; i < code_.instructions.size(); ++i) {
        Instruction& instruction = code_.instructions[i];
        if (instruction.kind != Kind::Lea || !instruction.from.fixed || instruction.from.index != kNoRegister ||
            instruction.to.base == kNoRegister)
            continue;
        Use const use = use_of(i, instruction.to.base);
        instruction.is_step = use == Use::Address;
        auto const page = static_cast<Address>(instruction.from.value);
        if (use == Use::Unclear && instruction.is_page && image.is_near_code({page, page + kPageSize}) &&
            image.function_starting_at(page) == nullptr)
            throw BadImage(code_.function->name + ": an address of code is put together in a way that is not understood");
    }
}

Addresses::Use Addresses::use_of(std::uint32_t index, Register reg) const {
    Use worst = Use::Address;
    std::set<std::pair<std::uint32_t, Register>> seen;
    std::vector<std::pair<std::uint32_t, Register>> work;
    auto const go_on = [&](std::uint32_t from, Register held) {
        for (std::uint32_t const next : code_.successors[from])
            if (seen.insert({next, held}).second) work.push_back({next, held});
    };
    go_on(index, reg);
    while (!work.empty() && worst != Use::Unclear) {
        auto const [at, held] = work.back();
        work.pop_back();
        Instruction const& instruction = code_.instructions[at];
        worst = std::max(worst, use_at(at, held));
        bool const copies = instruction.kind == Kind::Move && instruction.from.kind == Operand::Kind::Register &&
                            instruction.from.base == held && instruction.to.kind == Operand::Kind::Register;
        if (copies) go_on(at, instruction.to.base);
        bool const clobbers = instruction.kind == Kind::Call && has(conventions_.caller_saved, held);
        if (!clobbers && !has(instruction.writes, held)) go_on(at, held);
    }
    return worst;
}

Addresses::Use Addresses::use_at(std::uint32_t index, Register reg) const {
    Instruction const& instruction = code_.instructions[index];
    bool const in_function = instruction.direct && code_.function->contains(instruction.target);
    if (instruction.kind == Kind::Return) return reg == conventions_.result ? Use::Value : Use::Address;
    if (instruction.transfers() && !in_function && (code_.function->is_label || conventions_.is_argument(reg))) return Use::Value;
    if (code_.successors[index].empty() && !instruction.ends_flow()) return Use::Value;  // runs on into the next label
    if (!has(instruction.reads, reg)) return Use::Address;
    if (instruction.transfers()) return Use::Value;
    auto const is_base = [&](Operand const& operand) { return is_address(operand) && operand.base == reg; };
    if (is_base(instruction.to) || is_base(instruction.from)) return Use::Unclear;
    bool const is_stored = instruction.from.kind == Operand::Kind::Register && instruction.from.base == reg;
    bool const is_index = instruction.to.index == reg || instruction.from.index == reg;
    return has(folded_[index], reg) && !is_stored && !is_index ? Use::Address : Use::Value;
}

}  // namespace isrcheck
