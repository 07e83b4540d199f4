// SPDX-License-Identifier: BSD-3-Clause
#include "image.hpp"

#include <cxxabi.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace isrcheck {
namespace {

constexpr std::string_view kTypePrefix = "__cfi_";  // what lies before a function on x86_64: its type

// The last function or object that starts at or before `address`.
template <class T>
T const* last_before(std::vector<T> const& sorted, Address address) {
    auto const after = std::ranges::upper_bound(sorted, address, {}, &T::start);
    if (after == sorted.begin()) return nullptr;
    T const& found = *std::prev(after);
    return address < found.end ? &found : nullptr;
}

bool is_linker_mark(std::string_view name) {
    return name.starts_with("__") && (name.ends_with("_start") || name.ends_with("_end"));
}

}  // namespace

Note const* Function::note(std::string_view kind) const {
    for (Note const* candidate : notes)
        if (candidate->kind == kind) return candidate;
    return nullptr;
}

std::string readable_name(std::string const& symbol) {
    int status = 0;
    std::unique_ptr<char, decltype(&std::free)> const text{
        abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free};
    if (status != 0 || text == nullptr) return symbol;
    std::string name = text.get();
    // Without the parameter list: the last bracket that closes at the end, or before " const".
    std::size_t const close = name.rfind(')');
    if (close == std::string::npos) return name;
    int depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
        if (name[i] == ')') ++depth;
        if (name[i] == '(' && --depth == 0) {
            name.resize(i);
            break;
        }
    }
    // Without the return type that template functions carry.
    depth = 0;
    for (std::size_t i = name.size(); i-- > 0;) {
        if (name[i] == '>' || name[i] == ')') ++depth;
        if (name[i] == '<' || name[i] == '(') --depth;
        if (depth == 0 && name[i] == ' ' && name.compare(0, i, "operator") != 0 && !name.substr(0, i).ends_with("operator") &&
            !name.substr(0, i).ends_with(",") && name.compare(i + 1, 5, "const") != 0)
            return name.substr(i + 1);
    }
    return name;
}

Image::Image(std::string const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw BadImage("cannot open " + path);
    elf_version(EV_CURRENT);
    Elf* const elf = elf_begin(fd, ELF_C_READ, nullptr);
    GElf_Ehdr header;
    if (elf == nullptr || gelf_getehdr(elf, &header) == nullptr) throw BadImage(path + " is not an ELF file");
    machine_ = header.e_machine;
    std::size_t names = 0;
    elf_getshdrstrndx(elf, &names);
    std::string notes;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr info;
        gelf_getshdr(section, &info);
        Elf_Data const* const data = elf_getdata(section, nullptr);
        if (data == nullptr || data->d_buf == nullptr) continue;
        std::string contents{static_cast<char const*>(data->d_buf), data->d_size};
        char const* const name = elf_strptr(elf, names, info.sh_name);
        if (name != nullptr && std::strcmp(name, ".isrcheck") == 0) notes = std::move(contents);
        else if ((info.sh_flags & SHF_ALLOC) != 0)
            sections_.push_back({info.sh_addr, std::move(contents), (info.sh_flags & SHF_EXECINSTR) != 0});
    }
    read_symbols(elf);
    elf_end(elf);
    ::close(fd);
    if (functions_.empty()) throw BadImage(path + " has no symbols: the tool reads the image before it is stripped");
    read_notes(notes);
}

void Image::read_symbols(Elf* elf) {
    struct Symbol {
        Address value;
        Address size;
        std::string name;
        unsigned type;
        bool in_code;
    };
    std::vector<Symbol> symbols;
    std::map<std::string, Range> marks;
    std::vector<bool> executable(1, false);
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr info;
        gelf_getshdr(section, &info);
        executable.resize(std::max(executable.size(), elf_ndxscn(section) + 1));
        executable[elf_ndxscn(section)] = (info.sh_flags & SHF_EXECINSTR) != 0;
    }
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr info;
        gelf_getshdr(section, &info);
        if (info.sh_type != SHT_SYMTAB) continue;
        Elf_Data* const data = elf_getdata(section, nullptr);
        for (std::size_t i = 0; i < info.sh_size / info.sh_entsize; ++i) {
            GElf_Sym symbol;
            gelf_getsym(data, static_cast<int>(i), &symbol);
            char const* const name = elf_strptr(elf, info.sh_link, symbol.st_name);
            if (name == nullptr || *name == '\0' || *name == '.') continue;
            bool const in_code = symbol.st_shndx < executable.size() && executable[symbol.st_shndx];
            symbols.push_back({symbol.st_value, symbol.st_size, name,
                               static_cast<unsigned>(GELF_ST_TYPE(symbol.st_info)), in_code});
        }
    }
    std::map<Address, bool> data_begins;  // or ends, among instructions: the mapping symbols $d and $x of ELF for Arm
    std::vector<Address> starts;  // of whatever lies in code
    for (Symbol const& symbol : symbols) {
        std::string_view name = symbol.name;
        if (is_linker_mark(name)) {
            bool const is_start = name.ends_with("_start");
            name.remove_suffix(is_start ? 6 : 4);
            name.remove_prefix(2);
            Range& range = marks[std::string{name}];
            (is_start ? range.start : range.end) = symbol.value;
            continue;
        }
        if (symbol.in_code) starts.push_back(symbol.value);
        if (symbol.in_code && (name == "$d" || name == "$x" || name.starts_with("$d.") || name.starts_with("$x.")))
            data_begins[symbol.value] = name[1] == 'd';
        if (name.starts_with(kTypePrefix)) continue;
        if (symbol.in_code && symbol.type == STT_FUNC && symbol.size != 0) {
            functions_.push_back({.start = symbol.value, .end = symbol.value + symbol.size, .symbol = symbol.name});
        } else if (!symbol.in_code && symbol.type == STT_OBJECT && symbol.size != 0) {
            objects_.push_back({symbol.value, symbol.value + symbol.size, symbol.name});
        }
    }
    auto const settle = [](auto& list) {
        std::ranges::sort(list, [](auto const& a, auto const& b) {
            return a.start != b.start ? a.start < b.start : a.symbol < b.symbol;
        });
        auto const same = std::ranges::unique(list, [](auto const& a, auto const& b) { return a.start == b.start; });
        list.erase(same.begin(), same.end());
    };
    settle(functions_);
    settle(objects_);
    std::ranges::sort(starts);
    for (Section const& section : sections_)
        if (section.executable) starts.push_back(section.start + section.contents.size());
    std::ranges::sort(starts);
    std::vector<Function> labels;
    for (Symbol const& symbol : symbols) {
        bool const typed = symbol.type == STT_FUNC || symbol.type == STT_NOTYPE;
        if (!symbol.in_code || !typed || symbol.name.front() == '$' || is_linker_mark(symbol.name) ||
            symbol.name.starts_with(kTypePrefix) || function_at(symbol.value) != nullptr)
            continue;
        auto const next = std::ranges::upper_bound(starts, symbol.value);
        if (next != starts.end())
            labels.push_back({.start = symbol.value, .end = *next, .symbol = symbol.name, .is_label = true});
    }
    functions_.insert(functions_.end(), labels.begin(), labels.end());
    settle(functions_);

    auto const is_in = [&](char const* name, Address address) {
        auto const found = marks.find(name);
        return found != marks.end() && address >= found->second.start && address < found->second.end;
    };
    if (!marks.contains("isr_safe")) throw BadImage("no __isr_safe_start: the linker script does not gather marked code");
    for (Function& function : functions_) {
        function.name = readable_name(function.symbol);
        if (is_in("isr_safe", function.start)) function.mark = Mark::IsrSafe;
        if (is_in("may_block", function.start)) function.mark = Mark::MayBlock;
        if (is_in("allocates", function.start)) function.mark = Mark::Allocates;
    }
    map_data(data_begins);
}

void Image::map_data(std::map<Address, bool> const& data_begins) {
    for (Section const& section : sections_) {
        Range const whole{section.start, section.start + section.contents.size()};
        if (!section.executable) data_.push_back(whole);
        else
            for (auto at = data_begins.lower_bound(whole.start); at != data_begins.end() && at->first < whole.end; ++at) {
                auto const next = std::next(at);
                Address const end = next == data_begins.end() ? whole.end : std::min(next->first, whole.end);
                if (at->second) data_among_code_.push_back({at->first, end});
            }
    }
    std::ranges::sort(data_among_code_, {}, &Range::start);
    data_.insert(data_.end(), data_among_code_.begin(), data_among_code_.end());
}

void Image::read_notes(std::string_view contents) {
    while (contents.size() > 8) {
        Note note{};
        std::memcpy(&note.address, contents.data(), 8);
        contents.remove_prefix(8);
        for (std::string* const part : {&note.kind, &note.text}) {
            std::size_t const end = contents.find('\0');
            if (end == std::string_view::npos) throw BadImage("damaged .isrcheck section");
            *part = contents.substr(0, end);
            contents.remove_prefix(end + 1);
        }
        // Notes of code that the linker has dropped point nowhere.
        if (function_at(note.address) != nullptr) notes_.push_back(std::move(note));
        else if (note.address > 0xffff) lost_notes_.push_back(std::move(note));
    }
    for (Note const& note : notes_)
        const_cast<Function*>(function_at(note.address))->notes.push_back(&note);
}

Function const* Image::function_at(Address address) const { return last_before(functions_, address); }
Function const* Image::function_starting_at(Address address) const {
    Function const* const function = function_at(address);
    return function != nullptr && function->start == address ? function : nullptr;
}
DataObject const* Image::object_at(Address address) const { return last_before(objects_, address); }

std::vector<Range> Image::code_of(Function const& function) const {
    std::vector<Range> out;
    Address start = function.start;
    auto data = std::ranges::upper_bound(data_among_code_, start, {}, &Range::end);
    for (; data != data_among_code_.end() && data->start < function.end; ++data) {
        if (data->start > start) out.push_back({start, data->start});
        start = data->end;
    }
    if (start < function.end) out.push_back({start, function.end});
    return out;
}

bool Image::is_data_among_code(Address address) const {
    auto const data = std::ranges::upper_bound(data_among_code_, address, {}, &Range::end);
    return data != data_among_code_.end() && address >= data->start;
}

bool Image::is_near_code(Range range) const {
    return std::ranges::any_of(sections_, [&](Section const& section) {
        return section.executable && range.start < section.start + section.contents.size() && range.end > section.start;
    });
}

std::string_view Image::bytes(Address start, Address end) const {
    for (Section const& section : sections_)
        if (start >= section.start && end <= section.start + section.contents.size() && start <= end)
            return std::string_view{section.contents}.substr(start - section.start, end - start);
    return {};
}

std::optional<std::uint64_t> Image::word(Address address) const {
    std::string_view const text = bytes(address, address + 8);
    if (text.size() != 8) return std::nullopt;
    std::uint64_t value = 0;
    std::memcpy(&value, text.data(), 8);
    return value;
}

}  // namespace isrcheck
