// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

#include <algorithm>

namespace isrcheck {

Result Checker::run(bool go_on) {
    go_on_ = go_on;
    for (Note const& note : image_.notes()) {
        if (note.kind != "entry") continue;
        Function const* const function = image_.function_at(note.address);
        result_.entries.push_back(function);
        enter({function, Mode::Handler}, {});
    }
    if (result_.entries.empty()) throw BadImage("no interrupt entry: no note of kind \"entry\" (kernel/base/isr_marks.hpp)");
    // Breadth first: the chain of a finding is a shortest one.
    for (std::size_t i = 0; i < queue_.size(); ++i) {
        Node node = queue_[i];
        if (inspect(node)) walk(node);
    }
    return std::move(result_);
}

void Checker::enter(Node node, From from) {
    if (node.first->note("interrupt-end") != nullptr && node.second == Mode::Handler) node.second = Mode::InterruptEnd;
    if (node.first->note("nmi") != nullptr) node.second = Mode::Nmi;
    if (reached_.emplace(node, from).second) queue_.push_back(node);
}

void Checker::find(Node node, std::string kind, std::string text, Address at) {
    Finding finding{.kind = std::move(kind), .text = std::move(text), .chain = {}, .at = at};
    for (Node current = node; current.first != nullptr;) {
        From const& from = reached_.at(current);
        finding.chain.push_back({current.first, from.call});
        current = from.node;
    }
    std::ranges::reverse(finding.chain);
    result_.findings.push_back(std::move(finding));
}

// Whether the function may be run here; true: go on with what it calls.
bool Checker::inspect(Node& node) {
    Function const& function = *node.first;
    result_.reachable.insert(&function);
    auto const boundary = [&](char const* kind) {
        Note const* const note = function.note(kind);
        if (note != nullptr) result_.boundaries.insert({kind, &function, note->text});
        return note;
    };
    if (Note const* const note = boundary("thread-rung")) {
        if (!guards_thread_rung(function))
            find(node, "boundary", "claims the Thread rung, but calls before it has read or set the interrupt flag", note->address);
        return false;
    }
    if (Note const* const note = boundary("ends-machine")) {
        if (!ends_machine(function)) find(node, "boundary", "claims to end the machine, but can return", note->address);
        return false;
    }
    (void)boundary("interrupt-end");
    (void)boundary("nmi");
    if (function.mark == Mark::MayBlock) {
        find(node, "may-block", "may block (MAY_BLOCK)");
        return false;
    }
    if (function.mark == Mark::Allocates) {
        find(node, "allocation", "allocates memory (ALLOCATES)");
        return false;
    }
    if (function.mark == Mark::None && !is_lambda_forwarder(function)) {
        find(node, "unmarked", "is not marked ISR_SAFE");
        if (!go_on_) return false;
    }
    Code const& code = disassembly_.of(function);
    if (code.first_undecoded != 0) find(node, "undecodable", "has bytes that are no known instruction", code.first_undecoded);
    bool const may_switch = node.second == Mode::InterruptEnd;
    for (Note const* const note : function.notes) {
        if (note->kind == "may-block") find(node, "may-block", "may block", note->address);
        if (note->kind == "switches-threads") {
            if (may_switch) (void)boundary("switches-threads");
            else find(node, "switch", "switches threads inside an interrupt handler", note->address);
        }
        if (note->kind == "plain-lock")
            find(node, "lock", "takes a spin lock in the form without interrupts off", note->address);
        if (note->kind == "irq-lock" && node.second == Mode::Nmi)
            find(node, "lock", "takes a spin lock in a non-maskable interrupt", note->address);
    }
    Note const* const fpu = function.note("fpu-switch");
    for (Instruction const& instruction : code.instructions) {
        if (!instruction.uses_vector) continue;
        if (fpu != nullptr && may_switch) {
            (void)boundary("fpu-switch");
            break;
        }
        find(node, "simd", "uses FPU or SIMD registers, which the entry code does not save", instruction.address);
        break;
    }
    return true;
}

void Checker::walk(Node node) {
    Code const& code = disassembly_.of(*node.first);
    for (std::uint32_t i = 0; i < code.instructions.size(); ++i) {
        Instruction const& instruction = code.instructions[i];
        if (!instruction.transfers()) continue;
        if (instruction.direct) {
            if (node.first->contains(instruction.target) &&
                (instruction.kind != Instruction::Kind::Call || instruction.target == node.first->start))
                continue;
            Function const* const target = image_.function_at(instruction.target);
            if (target == nullptr) find(node, "unresolved", "calls an address that is in no function", instruction.address);
            else follow(node, instruction, target);
            continue;
        }
        IndirectCall const call = indirect_.resolve({&code, i});
        result_.indirect_calls[instruction.address] = call;
        if (call.kind == CallKind::Unresolved)
            find(node, "unresolved", "calls through a pointer whose targets cannot be told", instruction.address);
        for (Function const* const target : call.targets) follow(node, instruction, target);
    }
    // Assembly runs on into the next label, unless the last instruction before the padding leads elsewhere.
    if (!node.first->is_label) return;
    auto const last = std::ranges::find_if(code.instructions.rbegin(), code.instructions.rend(),
                                           [](Instruction const& instruction) { return !instruction.is_padding; });
    if (last == code.instructions.rend() || !last->ends_flow())
        if (Function const* const next = image_.function_starting_at(node.first->end))
            follow(node, code.instructions.back(), next);
}

void Checker::follow(Node node, Instruction const& instruction, Function const* target) {
    ++result_.edges;
    enter({target, node.second}, {node, instruction.address});
}

// The function that a lambda without captures converts to: a jump to the lambda's own operator, or a call of it; nothing
// for a lambda that does nothing.
bool Checker::is_lambda_forwarder(Function const& function) const {
    constexpr std::string_view kForwarder = "::__invoke";
    std::string_view name = function.name;
    if (!name.ends_with(kForwarder)) return false;
    name.remove_suffix(kForwarder.size());
    Register const stack_pointer = disassembly_.machine().conventions().stack_pointer;
    unsigned transfers = 0;
    for (Instruction const& instruction : disassembly_.of(function).instructions) {
        if (instruction.writes_memory && instruction.to.base != stack_pointer) return false;
        if (instruction.kind != Instruction::Kind::Call && instruction.kind != Instruction::Kind::Jump) continue;
        ++transfers;
        Function const* const target = instruction.direct ? image_.function_starting_at(instruction.target) : nullptr;
        if (target == nullptr || target->name != std::string{name} + "::operator()") return false;
    }
    return transfers <= 1;
}

// On every way from the start the interrupt flag is read or set before anything is called.
bool Checker::guards_thread_rung(Function const& function) const {
    Code const& code = disassembly_.of(function);
    std::vector<std::uint32_t> work{0};
    std::set<std::uint32_t> seen;
    while (!work.empty()) {
        std::uint32_t const index = work.back();
        work.pop_back();
        if (index >= code.instructions.size() || !seen.insert(index).second) continue;
        Instruction const& instruction = code.instructions[index];
        if (instruction.enables_interrupts || instruction.reads_interrupt_flag) continue;
        bool const leaves = instruction.kind == Instruction::Kind::Call ||
                            (instruction.kind == Instruction::Kind::Jump &&
                             (!instruction.direct || !function.contains(instruction.target)));
        if (leaves) return false;
        work.insert(work.end(), code.successors[index].begin(), code.successors[index].end());
    }
    return true;
}

// No return, and no jump to what might.
bool Checker::ends_machine(Function const& function) const {
    return std::ranges::none_of(disassembly_.of(function).instructions, [&](Instruction const& instruction) {
        bool const jumps = instruction.kind == Instruction::Kind::Jump || instruction.kind == Instruction::Kind::Branch;
        return instruction.kind == Instruction::Kind::Return ||
               (jumps && (!instruction.direct || !function.contains(instruction.target)));
    });
}

}  // namespace isrcheck
