// SPDX-License-Identifier: BSD-3-Clause
// Where calls through pointers may go.
//
//   variable   the pointer comes from variables at fixed addresses, constants or parameters: exactly what is stored there
//   type       else every function whose address is taken and whose type is the call's. The kernel is compiled with
//              -fsanitize=kcfi: the call compares types and traps on another, so this holds when the kernel runs
//   virtual    the entry in the tables of the object's class and of all classes that derive from it; of every class when
//              the debug information does not tell the object's class
#pragma once

#include "values.hpp"

namespace isrcheck {

enum class CallKind { Variable, Type, Virtual, VirtualOfAnyClass, JumpTable, Unresolved };

struct IndirectCall {
    CallKind kind = CallKind::Unresolved;
    std::set<Function const*> targets;
};

class IndirectCalls {
  public:
    IndirectCalls(Image const& image, Disassembly const& disassembly, Values& values, DebugInfo& debug_info);

    // The call or jump at `site`, which is not direct.
    [[nodiscard]] IndirectCall resolve(Site site);

  private:
    using Group = std::vector<Function const*>;  // entries of one table; null where there is no function
    void read_tables();
    [[nodiscard]] IndirectCall by_type(Site site, std::uint32_t hash);
    [[nodiscard]] IndirectCall by_table(Site site);
    // The class of the object whose table pointer is in `reg` before `site`; empty: unknown.
    [[nodiscard]] std::string class_of_table(Site site, Register reg);
    [[nodiscard]] bool pointee(Site site, Register reg, PointedType& out, int depth);
    [[nodiscard]] bool pointee_of_definition(Site from, Register reg, PointedType& out, int depth);
    [[nodiscard]] bool definition(Site site, Register reg, Site& out) const;
    [[nodiscard]] std::vector<Site> definitions(Site site, Register reg) const;

    Image const& image_;
    Machine const& machine_;
    Values& values_;
    DebugInfo& debug_info_;
    std::map<std::string, std::vector<Group>> tables_;  // by class
    std::map<std::uint32_t, std::set<Function const*>> by_type_;
};

}  // namespace isrcheck
