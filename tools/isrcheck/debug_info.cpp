// SPDX-License-Identifier: BSD-3-Clause
#include "debug_info.hpp"

#include <dwarf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace isrcheck {
namespace {

bool type_of(Dwarf_Die* die, Dwarf_Die& out) {
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, DW_AT_type, &attribute) != nullptr && dwarf_formref_die(&attribute, &out) != nullptr &&
           dwarf_peel_type(&out, &out) == 0;
}

bool pointee(Dwarf_Die pointer, PointedType& out) {
    int const tag = dwarf_tag(&pointer);
    if (tag != DW_TAG_pointer_type && tag != DW_TAG_reference_type && tag != DW_TAG_rvalue_reference_type) return false;
    out.offset = 0;
    return type_of(&pointer, out.type);
}

bool is_class(Dwarf_Die* die) {
    int const tag = dwarf_tag(die);
    return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

std::int64_t size_of(Dwarf_Die* die) {
    Dwarf_Word size = 0;
    return dwarf_aggregate_size(die, &size) == 0 ? static_cast<std::int64_t>(size) : 0;
}

std::int64_t member_offset(Dwarf_Die* member) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_attr_integrate(member, DW_AT_data_member_location, &attribute) == nullptr) return 0;
    return dwarf_formudata(&attribute, &value) == 0 ? static_cast<std::int64_t>(value) : -1;
}

// Calls `visit(member type, offset)` for members and bases that are laid out at fixed places.
template <class Visit>
void for_each_part(Dwarf_Die* die, Visit&& visit) {
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0) return;
    do {
        int const tag = dwarf_tag(&child);
        if (tag != DW_TAG_member && tag != DW_TAG_inheritance) continue;
        Dwarf_Attribute external;
        if (dwarf_attr(&child, DW_AT_external, &external) != nullptr) continue;  // static
        Dwarf_Die type;
        std::int64_t const offset = member_offset(&child);
        if (offset >= 0 && type_of(&child, type)) visit(child, type, offset);
    } while (dwarf_siblingof(&child, &child) == 0);
}

bool find_pointer(Dwarf_Die type, std::int64_t at, Dwarf_Die& out, int depth = 0) {
    if (depth > 16 || at < 0) return false;
    int const tag = dwarf_tag(&type);
    if (tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type) {
        out = type;
        return at == 0;
    }
    if (tag == DW_TAG_array_type) {
        Dwarf_Die element;
        if (!type_of(&type, element)) return false;
        std::int64_t const size = size_of(&element);
        return size != 0 && find_pointer(element, at % size, out, depth + 1);
    }
    if (!is_class(&type)) return false;
    bool found = false;
    for_each_part(&type, [&](Dwarf_Die&, Dwarf_Die part, std::int64_t offset) {
        if (found || at < offset || at >= offset + std::max<std::int64_t>(size_of(&part), 1)) return;
        found = find_pointer(part, at - offset, out, depth + 1);
    });
    return found;
}

bool is_table_pointer(Dwarf_Die* member) {
    char const* const name = dwarf_diename(member);
    return name != nullptr && std::string_view{name}.starts_with("_vptr");
}

// The outermost class with virtual functions that starts `at` bytes into `type`.
bool find_polymorphic(Dwarf_Die type, std::int64_t at, Dwarf_Die& out, int depth = 0);

bool is_polymorphic(Dwarf_Die type, int depth) {
    bool found = false;
    for_each_part(&type, [&](Dwarf_Die& member, Dwarf_Die part, std::int64_t offset) {
        if (offset != 0 || found) return;
        if (is_table_pointer(&member)) found = true;
        else if (dwarf_tag(&member) == DW_TAG_inheritance && depth < 16) found = is_polymorphic(part, depth + 1);
    });
    return found;
}

bool find_polymorphic(Dwarf_Die type, std::int64_t at, Dwarf_Die& out, int depth) {
    if (depth > 16 || at < 0) return false;
    if (dwarf_tag(&type) == DW_TAG_array_type) {
        Dwarf_Die element;
        if (!type_of(&type, element)) return false;
        std::int64_t const size = size_of(&element);
        return size != 0 && find_polymorphic(element, at % size, out, depth + 1);
    }
    if (!is_class(&type)) return false;
    if (at == 0 && is_polymorphic(type, 0)) {
        out = type;
        return true;
    }
    bool found = false;
    for_each_part(&type, [&](Dwarf_Die&, Dwarf_Die part, std::int64_t offset) {
        if (found || at < offset || at >= offset + std::max<std::int64_t>(size_of(&part), 1)) return;
        found = find_polymorphic(part, at - offset, out, depth + 1);
    });
    return found;
}

std::string short_file(char const* path) {
    std::string name = path == nullptr ? "?" : path;
    for (std::string_view const part : {"/kernel/", "/tools/", "/tests/"})
        if (std::size_t const at = name.rfind(part); at != std::string::npos) return name.substr(at + 1);
    return name;
}

// The register that a variable or parameter is in, when it is in one.
std::optional<unsigned> register_at(Dwarf_Die* variable, Address address) {
    Dwarf_Attribute location;
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    if (dwarf_attr(variable, DW_AT_location, &location) == nullptr ||
        dwarf_getlocation_addr(&location, address, &operations, &count, 1) != 1 || count != 1)
        return std::nullopt;
    unsigned const atom = operations[0].atom;
    return atom >= DW_OP_reg0 && atom <= DW_OP_reg31 ? std::optional{atom - DW_OP_reg0} : std::nullopt;
}

bool has_code(int tag) {
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block;
}

// The scopes around an address, innermost first. (dwarf_getscopes does not look into namespaces.)
bool find_scopes(Dwarf_Die* die, Address address, std::vector<Dwarf_Die>& out) {
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0) return false;
    do {
        int const tag = dwarf_tag(&child);
        if (tag == DW_TAG_namespace && find_scopes(&child, address, out)) return true;
        if (!has_code(tag) || dwarf_haspc(&child, address) <= 0) continue;
        (void)find_scopes(&child, address, out);
        out.push_back(child);
        return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

}  // namespace

DebugInfo::DebugInfo(std::string const& path) {
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    dwarf_ = fd_ < 0 ? nullptr : dwarf_begin(fd_, DWARF_C_READ);
    if (dwarf_ == nullptr) throw BadImage(path + " has no debug information");
    index_units();
}

DebugInfo::~DebugInfo() {
    dwarf_end(dwarf_);
    ::close(fd_);
}

void DebugInfo::index_units() {
    Dwarf_CU* unit = nullptr;
    Dwarf_Die die;
    while (dwarf_get_units(dwarf_, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
        Dwarf_Addr base = 0;
        Dwarf_Addr start = 0;
        Dwarf_Addr end = 0;
        for (ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &start, &end)) > 0;)
            if (start > 0xffff) units_[start] = {end, dwarf_dieoffset(&die)};
        index_classes(&die, "");
    }
    for (auto const& [derived, base] : bases_) derived_.emplace(class_names_[base], class_names_[derived]);
}

void DebugInfo::index_classes(Dwarf_Die* die, std::string const& prefix) {
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0) return;
    do {
        int const tag = dwarf_tag(&child);
        char const* const own = dwarf_diename(&child);
        if (tag == DW_TAG_namespace) {
            index_classes(&child, prefix + (own != nullptr ? own : "(anonymous namespace)") + "::");
        } else if (is_class(&child)) {
            std::string const name = prefix + (own != nullptr ? own : "(unnamed)");
            class_names_[dwarf_dieoffset(&child)] = name;
            if (dwarf_hasattr(&child, DW_AT_declaration) == 0) definitions_.emplace(name, dwarf_dieoffset(&child));
            for_each_part(&child, [&](Dwarf_Die& member, Dwarf_Die base, std::int64_t) {
                if (dwarf_tag(&member) == DW_TAG_inheritance)
                    bases_.emplace_back(dwarf_dieoffset(&child), dwarf_dieoffset(&base));
            });
            index_classes(&child, name + "::");
        } else if (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block) {
            index_classes(&child, prefix);  // local classes
        } else if (tag == DW_TAG_variable) {
            Dwarf_Attribute location;
            Dwarf_Op* operations = nullptr;
            std::size_t count = 0;
            if (dwarf_attr(&child, DW_AT_location, &location) != nullptr &&
                dwarf_getlocation(&location, &operations, &count) == 0 && count == 1) {
                Dwarf_Attribute constant;
                Dwarf_Addr address = operations[0].number;
                bool const indirect = operations[0].atom == DW_OP_addrx &&
                                      dwarf_getlocation_attr(&location, &operations[0], &constant) == 0 &&
                                      dwarf_formaddr(&constant, &address) == 0;
                if (indirect || operations[0].atom == DW_OP_addr) globals_[address] = dwarf_dieoffset(&child);
            }
        }
    } while (dwarf_siblingof(&child, &child) == 0);
}

bool DebugInfo::unit_of(Address address, Dwarf_Die& unit) const {
    auto after = units_.upper_bound(address);
    if (after == units_.begin()) return false;
    auto const& [end, offset] = std::prev(after)->second;
    return address < end && dwarf_offdie(dwarf_, offset, &unit) != nullptr;
}

std::vector<Dwarf_Die> DebugInfo::scopes_at(Address address) const {
    std::vector<Dwarf_Die> out;
    Dwarf_Die unit;
    if (unit_of(address, unit)) (void)find_scopes(&unit, address, out);
    return out;
}

std::string DebugInfo::line_of(Address address) {
    Dwarf_Die unit;
    if (!unit_of(address, unit)) return {};
    Dwarf_Line* const line = dwarf_getsrc_die(&unit, address);
    int number = 0;
    if (line == nullptr || dwarf_lineno(line, &number) != 0) return {};
    return short_file(dwarf_linesrc(line, nullptr, nullptr)) + ":" + std::to_string(number);
}

std::vector<InlinedCall> DebugInfo::inlined_at(Address address) {
    std::vector<InlinedCall> out;
    Dwarf_Die unit;
    if (!unit_of(address, unit)) return out;
    Dwarf_Files* files = nullptr;
    std::size_t file_count = 0;
    (void)dwarf_getsrcfiles(&unit, &files, &file_count);
    for (Dwarf_Die& scope : scopes_at(address)) {
        if (dwarf_tag(&scope) != DW_TAG_inlined_subroutine) continue;
        Dwarf_Attribute attribute;
        char const* const symbol = dwarf_attr_integrate(&scope, DW_AT_linkage_name, &attribute) != nullptr
                                       ? dwarf_formstring(&attribute) : dwarf_diename(&scope);
        Dwarf_Word file = 0;
        Dwarf_Word line = 0;
        if (dwarf_attr(&scope, DW_AT_call_file, &attribute) != nullptr) (void)dwarf_formudata(&attribute, &file);
        if (dwarf_attr(&scope, DW_AT_call_line, &attribute) != nullptr) (void)dwarf_formudata(&attribute, &line);
        char const* const path = files != nullptr && file < file_count ? dwarf_filesrc(files, file, nullptr, nullptr) : nullptr;
        out.push_back({symbol != nullptr ? readable_name(symbol) : "?", short_file(path) + ":" + std::to_string(line)});
    }
    std::ranges::reverse(out);
    return out;
}

void DebugInfo::complete(PointedType& pointed) const {
    if (dwarf_hasattr(&pointed.type, DW_AT_declaration) == 0) return;
    auto const name = class_names_.find(dwarf_dieoffset(&pointed.type));
    auto const definition = name == class_names_.end() ? definitions_.end() : definitions_.find(name->second);
    if (definition != definitions_.end()) (void)dwarf_offdie(dwarf_, definition->second, &pointed.type);
}

std::optional<unsigned> DebugInfo::register_of_parameter(Address function_start, std::string const& name) {
    for (Dwarf_Die& scope : scopes_at(function_start)) {
        Dwarf_Die child;
        if (dwarf_tag(&scope) != DW_TAG_subprogram || dwarf_child(&scope, &child) != 0) continue;
        do {
            char const* const own = dwarf_tag(&child) == DW_TAG_formal_parameter ? dwarf_diename(&child) : nullptr;
            auto const reg = own != nullptr && own == name ? register_at(&child, function_start) : std::nullopt;
            if (reg) return reg;
        } while (dwarf_siblingof(&child, &child) == 0);
    }
    return std::nullopt;
}

bool DebugInfo::pointee_of_register(Address address, unsigned reg, PointedType& out) {
    for (Dwarf_Die& scope : scopes_at(address)) {
        Dwarf_Die child;
        if (dwarf_child(&scope, &child) != 0) continue;
        do {
            int const tag = dwarf_tag(&child);
            if (tag != DW_TAG_formal_parameter && tag != DW_TAG_variable) continue;
            Dwarf_Die type;
            if (register_at(&child, address) != reg) continue;
            if (!type_of(&child, type) || !pointee(type, out) || !is_class(&out.type)) continue;
            complete(out);
            return true;
        } while (dwarf_siblingof(&child, &child) == 0);
    }
    return false;
}

bool DebugInfo::pointee_of_result(Address function_start, PointedType& out) {
    for (Dwarf_Die& scope : scopes_at(function_start)) {
        Dwarf_Die type;
        if (dwarf_tag(&scope) == DW_TAG_subprogram)
            return type_of(&scope, type) && pointee(type, out) && (complete(out), true);
    }
    return false;
}

bool DebugInfo::pointee_of_field(PointedType object, std::int64_t offset, PointedType& out) {
    Dwarf_Die pointer;
    return find_pointer(object.type, object.offset + offset, pointer) && pointee(pointer, out) && (complete(out), true);
}

bool DebugInfo::pointee_of_global(Address address, PointedType& out) {
    auto after = globals_.upper_bound(address);
    if (after == globals_.begin()) return false;
    auto const& [start, offset] = *std::prev(after);
    Dwarf_Die variable;
    Dwarf_Die type;
    Dwarf_Die pointer;
    return dwarf_offdie(dwarf_, offset, &variable) != nullptr && type_of(&variable, type) &&
           find_pointer(type, static_cast<std::int64_t>(address - start), pointer) && pointee(pointer, out) &&
           (complete(out), true);
}

std::string DebugInfo::class_at(PointedType object) {
    Dwarf_Die found;
    // A class without any description, an interface without functions of its own, is taken at its name.
    if (object.offset == 0 && is_class(&object.type) && dwarf_hasattr(&object.type, DW_AT_declaration) != 0) found = object.type;
    else if (!find_polymorphic(object.type, object.offset, found)) return {};
    auto const name = class_names_.find(dwarf_dieoffset(&found));
    return name == class_names_.end() ? std::string{} : name->second;
}

std::set<std::string> DebugInfo::with_derived(std::string const& name) const {
    std::set<std::string> out{name};
    std::vector<std::string> work{name};
    while (!work.empty()) {
        std::string const base = work.back();
        work.pop_back();
        auto const [first, last] = derived_.equal_range(base);
        for (auto entry = first; entry != last; ++entry)
            if (out.insert(entry->second).second) work.push_back(entry->second);
    }
    return out;
}

}  // namespace isrcheck
