// SPDX-License-Identifier: BSD-3-Clause
#include "indirect.hpp"

namespace isrcheck {
namespace {

constexpr std::string_view kTablePrefix = "_ZTV";
constexpr std::string_view kReadablePrefix = "vtable for ";

}  // namespace

IndirectCalls::IndirectCalls(Image const& image, Disassembly const& disassembly, Values& values, DebugInfo& debug_info)
    : image_{image}, machine_{disassembly.machine()}, values_{values}, debug_info_{debug_info} {
    read_tables();
    for (Function const* const function : values.address_taken())
        if (auto const type = machine_.declared_type(image, *function)) by_type_[*type].insert(function);
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

IndirectCall IndirectCalls::resolve(Site site) {
    Instruction const& instruction = site.instruction();
    if (instruction.kind == Instruction::Kind::Jump && !site.code->successors[site.index].empty())
        return {.kind = CallKind::JumpTable, .targets = {}};
    if (auto const type = machine_.compared_type(*site.code, site.index)) return by_type(site, *type);
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
    unsigned const dwarf_number = machine_.conventions().dwarf_number(reg);
    if (debug_info_.pointee_of_register(site.instruction().address, dwarf_number, out)) return true;
    // On every way here the same.
    bool first = true;
    for (Site const& from : definitions(site, reg)) {
        PointedType found;
        if (!pointee_of_definition(from, reg, found, depth)) return false;
        if (!first && (dwarf_dieoffset(&found.type) != dwarf_dieoffset(&out.type) || found.offset != out.offset)) return false;
        out = found;
        first = false;
    }
    return !first;
}

bool IndirectCalls::pointee_of_definition(Site from, Register reg, PointedType& out, int depth) {
    Instruction const& instruction = from.instruction();
    Operand const& source = instruction.from;
    // Just behind the definition the debug information may know what it no longer knows at the use.
    if (instruction.kind == Instruction::Kind::Call) {
        Function const* const callee = instruction.direct ? image_.function_starting_at(instruction.target) : nullptr;
        return reg == machine_.conventions().result && callee != nullptr && debug_info_.pointee_of_result(callee->start, out);
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
    std::vector<Site> const found = definitions(site, reg);
    if (found.size() != 1) return false;
    out = found.front();
    return true;
}

// All instructions that may give `reg` its value at `site`; none when the caller may have.
std::vector<Site> IndirectCalls::definitions(Site site, Register reg) const {
    Code const& code = *site.code;
    std::set<std::uint32_t> seen;
    std::vector<Site> found;
    std::vector<std::uint32_t> work{code.predecessors[site.index]};
    if (site.index == 0) return {};
    while (!work.empty()) {
        std::uint32_t const index = work.back();
        work.pop_back();
        if (!seen.insert(index).second) continue;
        Instruction const& instruction = code.instructions[index];
        bool const clobbers = instruction.kind == Instruction::Kind::Call && has(machine_.conventions().caller_saved, reg);
        if (clobbers || has(instruction.writes, reg)) {
            found.push_back({&code, index});
            continue;
        }
        if (index == 0) return {};
        work.insert(work.end(), code.predecessors[index].begin(), code.predecessors[index].end());
    }
    return found;
}

}  // namespace isrcheck
