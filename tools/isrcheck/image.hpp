// SPDX-License-Identifier: BSD-3-Clause
// The linked kernel: its functions, their marks, and the notes that code left about itself (kernel/base/isr_marks.hpp).
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct Elf;  // libelf's

namespace isrcheck {

using Address = std::uint64_t;

enum class Mark { None, IsrSafe, MayBlock, Allocates };

struct Note {
    Address address;
    std::string kind;
    std::string text;
};

struct Function {
    Address start = 0;
    Address end = 0;
    std::string symbol;  // as in the symbol table
    std::string name;    // readable, without parameters
    Mark mark = Mark::None;
    bool is_label = false;  // assembly: runs on into the next one unless it says otherwise
    std::vector<Note const*> notes;

    [[nodiscard]] bool contains(Address address) const { return address >= start && address < end; }
    [[nodiscard]] Note const* note(std::string_view kind) const;
};

struct Range {
    Address start = 0;
    Address end = 0;
};

// A variable, table or vtable.
struct DataObject {
    Address start = 0;
    Address end = 0;
    std::string symbol;
};

// The file is not what this tool reads; the text says why.
struct BadImage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Image {
  public:
    explicit Image(std::string const& path);
    Image(Image const&) = delete;

    [[nodiscard]] unsigned machine() const { return machine_; }  // ELF's number
    [[nodiscard]] std::vector<Function> const& functions() const { return functions_; }  // by address
    [[nodiscard]] Function const* function_at(Address address) const;        // that contains it
    [[nodiscard]] Function const* function_starting_at(Address address) const;
    [[nodiscard]] DataObject const* object_at(Address address) const;
    [[nodiscard]] std::vector<DataObject> const& objects() const { return objects_; }
    [[nodiscard]] std::vector<Note> const& notes() const { return notes_; }
    [[nodiscard]] std::vector<Note> const& lost_notes() const { return lost_notes_; }  // of no function

    // The parts of a function that are instructions.
    [[nodiscard]] std::vector<Range> code_of(Function const& function) const;
    [[nodiscard]] bool is_data_among_code(Address address) const;
    [[nodiscard]] bool is_near_code(Range range) const;  // overlaps a section of instructions
    // Bytes at an address of any loaded section with contents; empty when there are none.
    [[nodiscard]] std::string_view bytes(Address start, Address end) const;
    [[nodiscard]] std::optional<std::uint64_t> word(Address address) const;
    // Calls `visit(address, value)` for every eight bytes of data, at any alignment. Data among instructions counts.
    template <class Visit>
    void for_each_data_word(Visit&& visit) const;

  private:
    struct Section {
        Address start;
        std::string contents;
        bool executable;
    };
    void read_symbols(Elf* elf);
    void map_data(std::map<Address, bool> const& data_begins);
    void read_notes(std::string_view contents);

    unsigned machine_ = 0;
    std::vector<Section> sections_;
    std::vector<Range> data_;            // all that is not instructions
    std::vector<Range> data_among_code_;
    std::vector<Function> functions_;
    std::vector<DataObject> objects_;
    std::vector<Note> notes_;
    std::vector<Note> lost_notes_;
};

[[nodiscard]] std::string readable_name(std::string const& symbol);

template <class Visit>
void Image::for_each_data_word(Visit&& visit) const {
    for (Range const& range : data_) {
        std::string_view const contents = bytes(range.start, range.end);
        for (std::size_t at = 0; at + 8 <= contents.size(); ++at) {
            std::uint64_t value = 0;
            std::memcpy(&value, contents.data() + at, 8);
            visit(range.start + at, value);
        }
    }
}

}  // namespace isrcheck
