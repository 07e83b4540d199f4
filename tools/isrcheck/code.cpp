// SPDX-License-Identifier: BSD-3-Clause
#include "code.hpp"

#include <elf.h>

#include <algorithm>

#include "machine.hpp"

namespace isrcheck {
namespace {

std::unique_ptr<Machine> machine_of(Image const& image) {
    switch (image.machine()) {
        case EM_X86_64: return make_x86_64();
        case EM_AARCH64: return make_aarch64();
        default: throw BadImage("no image of a machine that this tool reads: x86_64, aarch64");
    }
}

}  // namespace

std::uint32_t Code::index_of(Address address) const {
    auto const found = std::ranges::lower_bound(instructions, address, {}, &Instruction::address);
    if (found == instructions.end() || found->address != address) return static_cast<std::uint32_t>(instructions.size());
    return static_cast<std::uint32_t>(found - instructions.begin());
}

void Code::join(std::size_t from, Address target) {
    std::uint32_t const to = index_of(target);
    if (to == instructions.size()) return;
    successors[from].push_back(to);
    predecessors[to].push_back(static_cast<std::uint32_t>(from));
}

Disassembly::Disassembly(Image const& image) : image_{image}, machine_{machine_of(image)} {
    codes_.resize(image.functions().size());
    for (std::size_t i = 0; i < codes_.size(); ++i) {
        Code& code = codes_[i];
        code.function = &image.functions()[i];
        for (auto const& [start, end] : image.code_of(*code.function)) machine_->decode(image.bytes(start, end), start, code);
        code.successors.resize(code.instructions.size());
        code.predecessors.resize(code.instructions.size());
    }
    for (Code& code : codes_) {
        connect(code);
        machine_->refine(code, image);
    }
}

Disassembly::~Disassembly() = default;

void Disassembly::connect(Code& code) {
    for (std::size_t i = 0; i < code.instructions.size(); ++i) {
        Instruction const& instruction = code.instructions[i];
        bool const calls = instruction.kind == Instruction::Kind::Call;
        if (instruction.transfers() && !calls && instruction.direct) code.join(i, instruction.target);
        Function const* const callee = calls && instruction.direct ? image_.function_starting_at(instruction.target) : nullptr;
        bool const comes_back = callee == nullptr || may_return(of(*callee));
        if (!instruction.ends_flow() && comes_back) code.join(i, instruction.end());
    }
}

// Code behind a call of a function that ends the machine or the thread is other code.
bool Disassembly::may_return(Code const& code) {
    return code.function->is_label || code.first_undecoded != 0 ||
           std::ranges::any_of(code.instructions, [&](Instruction const& instruction) {
               bool const jumps = instruction.kind == Instruction::Kind::Jump || instruction.kind == Instruction::Kind::Branch;
               return instruction.kind == Instruction::Kind::Return ||
                      (jumps && (!instruction.direct || !code.function->contains(instruction.target)));
           });
}

}  // namespace isrcheck
