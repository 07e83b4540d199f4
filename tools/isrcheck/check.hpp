// SPDX-License-Identifier: BSD-3-Clause
// The rules: walks from every interrupt entry over all calls, and tells what must not be reached.
#pragma once

#include "indirect.hpp"

namespace isrcheck {

// What code runs as. The same function may be reached in several.
enum class Mode { Handler, InterruptEnd, Nmi };

struct Step {
    Function const* function;
    Address call = 0;  // in the step before; 0 for an entry
};

struct Finding {
    std::string kind;
    std::string text;
    std::vector<Step> chain;  // from the entry to the function with the fault
    Address at = 0;           // the instruction with the fault, or 0
};

// A function at which the walk stops or changes its rules, with the reason that its code gives.
struct Boundary {
    std::string kind;
    Function const* function;
    std::string reason;
    auto operator<=>(Boundary const&) const = default;
};

struct Result {
    std::vector<Finding> findings;
    std::set<Boundary> boundaries;
    std::set<Function const*> reachable;
    std::map<Address, IndirectCall> indirect_calls;  // by place
    std::size_t edges = 0;
    std::vector<Function const*> entries;
};

class Checker {
  public:
    Checker(Image const& image, Disassembly const& disassembly, IndirectCalls& indirect)
        : image_{image}, disassembly_{disassembly}, indirect_{indirect} {}
    // `go_on`: walks on behind functions without a mark, to list them all at once.
    [[nodiscard]] Result run(bool go_on);

  private:
    using Node = std::pair<Function const*, Mode>;
    struct From {
        Node node;
        Address call;
    };
    void enter(Node node, From from);
    [[nodiscard]] bool inspect(Node& node);
    void walk(Node node);
    void follow(Node node, Instruction const& instruction, Function const* target);
    void find(Node node, std::string kind, std::string text, Address at = 0);
    [[nodiscard]] bool is_lambda_forwarder(Function const& function) const;
    [[nodiscard]] bool guards_thread_rung(Function const& function) const;
    [[nodiscard]] bool ends_machine(Function const& function) const;

    Image const& image_;
    Disassembly const& disassembly_;
    IndirectCalls& indirect_;
    Result result_;
    std::map<Node, From> reached_;
    std::vector<Node> queue_;
    bool go_on_ = false;
};

}  // namespace isrcheck
