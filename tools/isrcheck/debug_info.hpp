// SPDX-License-Identifier: BSD-3-Clause
// What the debug information adds: lines, inlined functions, and the types of objects, from
// which the possible targets of a virtual call follow.
#pragma once

#include <elfutils/libdw.h>

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "image.hpp"

namespace isrcheck {

struct InlinedCall {
    std::string function;  // that was inlined
    std::string called_from;  // FILE:LINE
};

// An address inside an object: so many bytes behind the start of a `type`.
struct PointedType {
    Dwarf_Die type;
    std::int64_t offset = 0;
};

class DebugInfo {
  public:
    explicit DebugInfo(std::string const& path);
    DebugInfo(DebugInfo const&) = delete;
    ~DebugInfo();

    [[nodiscard]] std::string line_of(Address address);                    // "FILE:LINE", empty when unknown
    [[nodiscard]] std::vector<InlinedCall> inlined_at(Address address);    // outermost first

    // What the variable or parameter in register `reg`, by its DWARF number, points to at `address`.
    [[nodiscard]] bool pointee_of_register(Address address, unsigned reg, PointedType& out);
    // The register, by its DWARF number, in which a function gets its parameter `name`.
    [[nodiscard]] std::optional<unsigned> register_of_parameter(Address function_start, std::string const& name);
    [[nodiscard]] bool pointee_of_result(Address function_start, PointedType& out);
    // The pointer stored at `offset` bytes from `object`.
    [[nodiscard]] bool pointee_of_field(PointedType object, std::int64_t offset, PointedType& out);
    [[nodiscard]] bool pointee_of_global(Address address, PointedType& out);
    // The class whose table pointer lies at `object`; empty when there is none.
    [[nodiscard]] std::string class_at(PointedType object);
    // The class and all that derive from it, by qualified name.
    [[nodiscard]] std::set<std::string> with_derived(std::string const& name) const;

  private:
    // The type itself for one that is only declared where it is used: clang describes a class beside its virtual functions.
    void complete(PointedType& pointed) const;
    [[nodiscard]] bool unit_of(Address address, Dwarf_Die& unit) const;
    [[nodiscard]] std::vector<Dwarf_Die> scopes_at(Address address) const;  // innermost first
    void index_units();
    void index_classes(Dwarf_Die* die, std::string const& prefix);

    int fd_ = -1;
    Dwarf* dwarf_ = nullptr;
    std::map<Address, std::pair<Address, Dwarf_Off>> units_;  // start -> end, unit
    std::vector<std::pair<Dwarf_Off, Dwarf_Off>> bases_;      // derived, base
    std::multimap<std::string, std::string> derived_;         // base -> derived
    std::unordered_map<Dwarf_Off, std::string> class_names_;
    std::unordered_map<std::string, Dwarf_Off> definitions_;
    std::map<Address, Dwarf_Off> globals_;
};

}  // namespace isrcheck
