// SPDX-License-Identifier: BSD-3-Clause
#include "indirect.hpp"

namespace isrcheck {
namespace {

constexpr std::string_view kTablePrefix = "_ZTV";
constexpr std::string_view kReadablePrefix = "vtable for ";

bool writes(Instruction const& instruction, Register reg) { return (instruction.writes >> reg & 1) != 0; }

}  // namespace

IndirectCalls::IndirectCalls(Image const& image, Values& values, DebugInfo& debug_info)
    : image_{image}, values_{values}, debug_info_{debug_info} {
    read_tables();
    for (Function const* const function : values.address_taken())
        if (function->type_hash) by_type_[*function->type_hash].insert(function);
}

// A table: {offset to the object's start, type information (none here), functions...} for each base with a table of its
// own. Two words that are no functions begin a group; pure virtual functions that nobody defines are null.
void IndirectCalls::read_tables() {
    for (DataObject const& object : image_.objects()) {
        if (!object.symbol.starts_with(kTablePrefix)) continue;
        std::string name = readable_name(object.symbol);
        if (name.starts_with(kReadablePrefix)) name.erase(0, kReadablePrefix.size());
        std::vector<Group>& groups = tables_[name];
        Group words;
        for (Address at = object.start; at + 8 <= object.end; at += 8)
            words.push_back(image_.function_starting_at(image_.word(at).value_or(0)));
        // Every pair of words without functions may begin a group: taking too many adds targets, never hides one.
        for (std::size_t i = 0; i + 2 <= words.size(); ++i)
            if (words[i] == nullptr && words[i + 1] == nullptr) groups.emplace_back(words.begin() + static_cast<long>(i) + 2, words.end());
    }
}

bool IndirectCalls::expected_type(Site site, std::uint32_t& hash) const {
    // movl $-hash, %r10d; addl -4(%target), %r10d; je 1f; ud2; 1: call *%target
    if (site.index < 4 || site.instruction().to.kind != Operand::Kind::Register) return false;
    auto const before = [&](std::uint32_t n) -> Instruction const& { return site.code->instructions[site.index - n]; };
    bool const checks = before(1).kind == Instruction::Kind::Trap && before(2).kind == Instruction::Kind::Branch &&
                        before(2).target == site.instruction().address && before(3).from.kind == Operand::Kind::Memory &&
                        before(3).from.base == site.instruction().to.base && before(3).from.value == -4 &&
                        before(4).kind == Instruction::Kind::Move && before(4).from.kind == Operand::Kind::Immediate &&
                        before(4).to.base == before(3).to.base;
    if (!checks) return false;
    hash = 0u - static_cast<std::uint32_t>(before(4).from.value);
    return true;
}

IndirectCall IndirectCalls::resolve(Site site) {
    Instruction const& instruction = site.instruction();
    if (instruction.kind == Instruction::Kind::Jump && !site.code->successors[site.index].empty())
        return {.kind = CallKind::JumpTable, .targets = {}};
    if (std::uint32_t hash = 0; expected_type(site, hash)) return by_type(site, hash);
    Targets const known = values_.of_operand(site, instruction.to);
    if (!known.unknown) return {.kind = CallKind::Variable, .targets = known.functions};
    return by_table(site);
}

IndirectCall IndirectCalls::by_type(Site site, std::uint32_t hash) {
    Targets const known = values_.of_operand(site, site.instruction().to);
    if (!known.unknown) return {.kind = CallKind::Variable, .targets = known.functions};
    IndirectCall out{.kind = CallKind::Type, .targets = {}};
    for (Function const* const function : by_type_[hash])
        if (known.functions.contains(function) || !values_.only_starts_threads(*function)) out.targets.insert(function);
    return out;
}

IndirectCall IndirectCalls::by_table(Site site) {
    Operand slot = site.instruction().to;
    Site load = site;
    if (slot.kind == Operand::Kind::Register) {
        if (!definition(site, slot.base, load) || load.instruction().kind != Instruction::Kind::Move) return {};
        slot = load.instruction().from;
    }
    if (slot.kind != Operand::Kind::Memory || slot.fixed || slot.per_cpu || slot.base == kNoRegister ||
        slot.index != kNoRegister || slot.value < 0 || slot.value % 8 != 0)
        return {};
    std::string const name = class_of_table(load, slot.base);
    auto const entry = static_cast<std::size_t>(slot.value / 8);
    IndirectCall out{.kind = name.empty() ? CallKind::VirtualOfAnyClass : CallKind::Virtual, .targets = {}};
    auto const add = [&](std::vector<Group> const& groups) {
        for (Group const& group : groups)
            if (entry < group.size() && group[entry] != nullptr) out.targets.insert(group[entry]);
    };
    if (name.empty()) {
        for (auto const& [_, groups] : tables_) add(groups);
    } else {
        for (std::string const& derived : debug_info_.with_derived(name))
            if (auto const found = tables_.find(derived); found != tables_.end()) add(found->second);
    }
    if (out.targets.empty()) out.kind = CallKind::Unresolved;
    return out;
}

std::string IndirectCalls::class_of_table(Site site, Register reg) {
    Site load;
    if (!definition(site, reg, load) || load.instruction().kind != Instruction::Kind::Move) return {};
    Operand const& table = load.instruction().from;
    if (table.kind != Operand::Kind::Memory || table.index != kNoRegister || table.per_cpu) return {};
    PointedType object;
    if (table.base == kNoRegister || table.fixed || !pointee(load, table.base, object, 0)) return {};
    object.offset += table.value;
    return debug_info_.class_at(object);
}

bool IndirectCalls::pointee(Site site, Register reg, PointedType& out, int depth) {
    if (depth > 8) return false;
    if (debug_info_.pointee_of_register(site.instruction().address, reg, out)) return true;
    Site from;
    if (!definition(site, reg, from)) return false;
    Instruction const& instruction = from.instruction();
    Operand const& source = instruction.from;
    // Just behind the definition the debug information may know what it no longer knows at the use.
    if (instruction.kind == Instruction::Kind::Call) {
        Function const* const callee = instruction.direct ? image_.function_starting_at(instruction.target) : nullptr;
        return reg == kRax && callee != nullptr && debug_info_.pointee_of_result(callee->start, out);
    }
    if (instruction.to.kind != Operand::Kind::Register) return false;
    if (instruction.kind == Instruction::Kind::Move && source.kind == Operand::Kind::Register)
        return pointee(from, source.base, out, depth + 1);
    bool const addresses = source.kind == Operand::Kind::Memory && source.index == kNoRegister && !source.per_cpu;
    if (!addresses) return false;
    if (instruction.kind == Instruction::Kind::Move && source.fixed)
        return debug_info_.pointee_of_global(static_cast<Address>(source.value), out);
    PointedType base;
    if (source.base == kNoRegister || !pointee(from, source.base, base, depth + 1)) return false;
    if (instruction.kind == Instruction::Kind::Move) return debug_info_.pointee_of_field(base, source.value, out);
    if (instruction.kind != Instruction::Kind::Lea) return false;
    out = base;
    out.offset += source.value;
    return true;
}

// The one instruction that gives `reg` its value at `site`; false when there are several or none.
bool IndirectCalls::definition(Site site, Register reg, Site& out) const {
    Code const& code = *site.code;
    std::set<std::uint32_t> seen;
    std::set<std::uint32_t> found;
    std::vector<std::uint32_t> work{code.predecessors[site.index]};
    while (!work.empty()) {
        std::uint32_t const index = work.back();
        work.pop_back();
        if (!seen.insert(index).second) continue;
        Instruction const& instruction = code.instructions[index];
        bool const clobbers = instruction.kind == Instruction::Kind::Call && (kCallerSaved >> reg & 1) != 0;
        if (clobbers || writes(instruction, reg)) {
            found.insert(index);
            continue;
        }
        if (index == 0) return false;  // what the caller passed
        work.insert(work.end(), code.predecessors[index].begin(), code.predecessors[index].end());
    }
    if (found.size() != 1) return false;
    out = {&code, *found.begin()};
    return true;
}

}  // namespace isrcheck
