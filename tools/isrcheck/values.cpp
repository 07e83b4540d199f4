// SPDX-License-Identifier: BSD-3-Clause
#include "values.hpp"

#include <algorithm>

namespace isrcheck {
namespace {

using Kind = Operand::Kind;

constexpr Address kWidestStore = 64;

bool is_vtable(DataObject const& object) { return object.symbol.starts_with("_ZTV"); }

// The constant that an instruction puts into its first operand: an immediate, or the address that lea computes.
bool constant_of(Instruction const& instruction, Address& value) {
    if (instruction.kind == Instruction::Kind::Move && instruction.from.kind == Kind::Immediate) {
        value = static_cast<Address>(instruction.from.value);
        return true;
    }
    if (instruction.kind == Instruction::Kind::Lea && instruction.from.fixed && instruction.from.index == kNoRegister) {
        value = static_cast<Address>(instruction.from.value);
        return true;
    }
    return false;
}

}  // namespace

Values::Values(Image const& image, Disassembly const& disassembly, DebugInfo& debug_info)
    : image_{image},
      disassembly_{disassembly},
      conventions_{disassembly.machine().conventions()},
      debug_info_{debug_info} {
    index_code();
    index_data();
}

void Values::note_constant(Site site, Operand const& operand) {
    if ((operand.kind != Kind::Immediate && !operand.fixed) || site.instruction().is_step) return;
    auto const value = static_cast<Address>(operand.value);
    if (Function const* const function = image_.function_starting_at(value)) {
        // A memory operand at a function's address would read its code: not a way to take it.
        bool const taken = operand.kind == Kind::Immediate || site.instruction().kind == Instruction::Kind::Lea;
        if (!taken) return;
        address_taken_.insert(function);
        taken_at_[function].push_back(site);
    } else if (operand.kind == Kind::Immediate || site.instruction().kind == Instruction::Kind::Lea ||
               operand.index != kNoRegister) {
        pointed_to_.insert(value);
    }
}

void Values::index_code() {
    for (Code const& code : disassembly_.all()) {
        for (std::uint32_t i = 0; i < code.instructions.size(); ++i) {
            Site const site{&code, i};
            Instruction const& instruction = code.instructions[i];
            if (instruction.direct) {
                Function const* const target = image_.function_starting_at(instruction.target);
                if (target != nullptr && (target != code.function || instruction.kind == Instruction::Kind::Call))
                    callers_[target].push_back(site);
                continue;
            }
            note_constant(site, instruction.to);
            note_constant(site, instruction.from);
            bool const stores = instruction.to.kind == Kind::Memory && instruction.to.fixed;
            if (stores) stores_[static_cast<Address>(instruction.to.value)].push_back(site);
        }
    }
}

void Values::index_data() {
    image_.for_each_data_word([&](Address at, std::uint64_t value) {
        if (Function const* const function = image_.function_starting_at(value)) {
            DataObject const* const object = image_.object_at(at);
            if (object != nullptr && is_vtable(*object)) return;
            address_taken_.insert(function);
            taken_in_data_.insert(function);
        } else if (image_.object_at(value) != nullptr) {
            pointed_to_.insert(value);
        }
    });
}

std::vector<Site> const& Values::callers(Function const& function) const {
    static std::vector<Site> const none;
    auto const found = callers_.find(&function);
    return found == callers_.end() ? none : found->second;
}

Targets Values::of_operand(Site site, Operand const& operand) {
    if (operand.kind == Kind::Register) return of_register(site, operand.base);
    // With an index the displacement need not lie in the table: what table it is cannot be told.
    if (operand.kind == Kind::Memory && operand.fixed && operand.index == kNoRegister)
        return stored_at(static_cast<Address>(operand.value));
    return {.functions = {}, .unknown = true};
}

Targets Values::of_register(Site site, Register reg) {
    // Every definition that reaches the site, over all ways back.
    Targets out;
    std::set<std::pair<std::uint32_t, Register>> seen;
    std::vector<std::pair<std::uint32_t, Register>> work;
    Code const& code = *site.code;
    auto const go_back = [&](std::uint32_t from, Register wanted) {
        if (from == 0) {
            bool const is_argument = conventions_.is_argument(wanted);
            if (is_argument && !code.function->is_label) out.add(of_parameter(*code.function, wanted));
            else out.unknown = true;
        } else if (code.predecessors[from].empty()) {
            out.unknown = true;  // reached by a jump that is not understood
        }
        for (std::uint32_t const before : code.predecessors[from])
            if (seen.insert({before, wanted}).second) work.push_back({before, wanted});
    };
    go_back(site.index, reg);
    while (!work.empty()) {
        auto const [index, wanted] = work.back();
        work.pop_back();
        Instruction const& instruction = code.instructions[index];
        bool const clobbers = instruction.kind == Instruction::Kind::Call && has(conventions_.caller_saved, wanted);
        if (clobbers) {
            out.unknown = true;
            continue;
        }
        if (!has(instruction.writes, wanted)) {
            go_back(index, wanted);
            continue;
        }
        Address constant = 0;
        bool const whole = instruction.to.kind == Kind::Register && instruction.to.base == wanted;
        if (whole && constant_of(instruction, constant)) {
            if (Function const* const function = image_.function_starting_at(constant)) out.functions.insert(function);
            else if (constant != 0) out.unknown = true;
        } else if (whole && instruction.kind == Instruction::Kind::Move && instruction.from.kind == Kind::Register) {
            go_back(index, instruction.from.base);
        } else if (whole && instruction.kind == Instruction::Kind::Move && instruction.from.kind == Kind::Memory) {
            out.add(of_operand({&code, index}, instruction.from));
        } else {
            out.unknown = true;
        }
    }
    return out;
}

Targets Values::of_parameter(Function const& function, Register reg) {
    auto const key = std::pair{&function, reg};
    if (auto const found = parameters_.find(key); found != parameters_.end()) return found->second;
    if (!parameters_in_progress_.insert(key).second) return {};  // a cycle adds nothing
    Targets out;
    if (address_taken_.contains(&function)) out.unknown = true;
    for (Site const& caller : callers(function)) out.add(of_register(caller, reg));
    parameters_in_progress_.erase(key);
    // Inside a cycle the answer is not complete yet: keep only answers of the outermost question.
    if (parameters_in_progress_.empty() && slots_in_progress_.empty()) parameters_[key] = out;
    return out;
}

Targets Values::stored_at(Address slot) {
    if (auto const found = slots_.find(slot); found != slots_.end()) return found->second;
    if (!slots_in_progress_.insert(slot).second) return {};
    Targets out;
    DataObject const* const object = image_.object_at(slot);
    if (object == nullptr) {
        out.unknown = true;
    } else {
        // Somebody may write through a pointer.
        auto const pointer = pointed_to_.lower_bound(object->start);
        bool const writable_through_pointer = pointer != pointed_to_.end() && *pointer < object->end;
        auto const initial = image_.word(slot);
        if (initial && *initial != 0) {
            if (Function const* const function = image_.function_starting_at(*initial)) out.functions.insert(function);
            else out.unknown = true;
        }
        if (writable_through_pointer) out.unknown = true;
        auto const near = stores_.lower_bound(slot - kWidestStore + 1);
        for (auto store = near; store != stores_.end() && store->first < slot + 8; ++store) {
            for (Site const& site : store->second) {
                Instruction const& instruction = site.instruction();
                if (store->first != slot && store->first + instruction.to.size <= slot) continue;
                bool const moves = instruction.kind == Instruction::Kind::Move || instruction.kind == Instruction::Kind::Exchange;
                if (!instruction.writes_memory) continue;
                Address constant = 0;
                if (moves && store->first == slot && constant_of(instruction, constant)) {
                    if (Function const* const function = image_.function_starting_at(constant))
                        out.functions.insert(function);
                    else if (constant != 0)
                        out.unknown = true;
                } else if (moves && store->first == slot && instruction.from.kind == Kind::Register) {
                    out.add(of_register(site, instruction.from.base));
                } else {
                    out.unknown = true;
                }
            }
        }
    }
    slots_in_progress_.erase(slot);
    if (parameters_in_progress_.empty() && slots_in_progress_.empty()) slots_[slot] = out;
    return out;
}

bool Values::only_starts_threads(Function const& function) {
    if (taken_in_data_.contains(&function)) return false;
    auto const found = taken_at_.find(&function);
    if (found == taken_at_.end()) return false;
    return std::ranges::none_of(found->second, [&](Site const& site) {
        Instruction const& instruction = site.instruction();
        bool const in_register = instruction.to.kind == Kind::Register &&
                                 (instruction.kind == Instruction::Kind::Move || instruction.kind == Instruction::Kind::Lea);
        return !in_register || escapes_from(site, instruction.to.base);
    });
}

bool Values::parameter_escapes(Function const& function, Register reg) {
    if (Note const* const note = function.note("thread-main"))
        if (debug_info_.register_of_parameter(function.start, note->text) == conventions_.dwarf_number(reg)) return false;
    auto const key = std::pair{&function, reg};
    auto const [found, is_new] = parameter_escapes_.try_emplace(key, false);  // false: what a cycle adds
    if (!is_new) return found->second;
    bool const escapes = escapes_through(disassembly_.of(function), 0, reg);
    parameter_escapes_[key] = escapes;
    return escapes;
}

bool Values::escapes_from(Site site, Register reg) {
    for (std::uint32_t const next : site.code->successors[site.index])
        if (escapes_through(*site.code, next, reg)) return true;
    return false;
}

bool Values::escapes_through(Code const& code, std::uint32_t first, Register reg) {
    std::set<std::pair<std::uint32_t, Register>> seen;
    std::vector<std::pair<std::uint32_t, Register>> work{{first, reg}};
    while (!work.empty()) {
        auto const [index, held] = work.back();
        work.pop_back();
        if (index >= code.instructions.size() || !seen.insert({index, held}).second) continue;
        Instruction const& instruction = code.instructions[index];
        bool lives_on = true;
        switch (instruction.kind) {
            case Instruction::Kind::Call:
            case Instruction::Kind::Jump:
            case Instruction::Kind::Branch: {
                bool const is_argument = conventions_.is_argument(held);
                if (!instruction.direct) {
                    if (has(instruction.reads, held) || is_argument || code.successors[index].empty()) return true;
                } else if (!code.function->contains(instruction.target) || instruction.kind == Instruction::Kind::Call) {
                    // What a function does with registers that are no arguments, it undoes.
                    Function const* const callee = image_.function_starting_at(instruction.target);
                    if (callee == nullptr || ((is_argument || callee->is_label) && parameter_escapes(*callee, held))) return true;
                }
                lives_on = instruction.kind != Instruction::Kind::Call || !has(conventions_.caller_saved, held);
                break;
            }
            case Instruction::Kind::Return:
                if (held == conventions_.result) return true;
                break;
            case Instruction::Kind::Move:
                if (has(instruction.reads, held)) {
                    bool const copies = instruction.from.kind == Kind::Register && instruction.from.base == held &&
                                        instruction.to.kind == Kind::Register;
                    if (!copies) return true;
                    work.push_back({index + 1, instruction.to.base});
                }
                lives_on = !has(instruction.writes, held);
                break;
            default:
                if (has(instruction.reads, held) && instruction.writes != 0) return true;
                if (has(instruction.reads, held) && instruction.to.kind == Kind::Memory) return true;
                lives_on = !has(instruction.writes, held);
                break;
        }
        if (!lives_on) continue;
        for (std::uint32_t const next : code.successors[index]) work.push_back({next, held});
    }
    return false;
}

}  // namespace isrcheck
