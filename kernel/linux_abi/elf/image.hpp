// SPDX-License-Identifier: BSD-3-Clause
// Reads the headers of an ELF program and decides whether it can be loaded. Portable and without side effects: it
// sees bytes through ImageSource and answers with checked numbers, so that load.cpp may trust them.
//
// Format: System V ABI, chapters 4 and 5 (gABI 4.1); what Linux also requires or tolerates follows fs/binfmt_elf's
// documented behaviour (elf(5)).
#pragma once

#include <optional>
#include <span>

#include "base/result.hpp"
#include "base/string.hpp"
#include "base/vector.hpp"

namespace tutti::linux_abi::elf {

// Why a program cannot be loaded, for a person; a clause that follows its path: "is for AArch64, ...".
using ImageComplaint = FixedString<160>;

// Where an image's bytes come from.
class ImageSource {
  public:
    [[nodiscard]] virtual u64 size() = 0;
    // Fills `out` from `offset`. The caller has checked the range against size(). Errors: IoError, Interrupted ...
    [[nodiscard]] virtual Result<> read(u64 offset, std::span<u8> out) = 0;

  protected:
    ~ImageSource() = default;
};

// What this machine can run.
struct ImageRules {
    u16 machine = 62;                           // e_machine
    u64 lowest_address = 65536;                 // of a fixed program: keeps null pointers invalid
    u64 address_limit = 0x7fff'ffff'f000;       // first address beyond user space
};

// One PT_LOAD: file bytes [offset, offset + file_size) at `address`, then zeroes up to memory_size. All ends are
// representable, inside the file and below the address limit; `offset` and `address` agree modulo the page size.
struct Segment {
    u64 address = 0;
    u64 offset = 0;
    u64 file_size = 0;
    u64 memory_size = 0;
    bool readable = false;
    bool writable = false;
    bool executable = false;

    [[nodiscard]] u64 end() const { return address + memory_size; }
};

struct Image {
    bool position_independent = false;  // ET_DYN: addresses are relative to a base of the loader's choice
    u64 entry = 0;
    Vector<Segment> segments;           // by address, without overlap; at least one
    u64 alignment = kPageSize;          // largest that a segment asks for, at least a page
    u64 program_headers = 0;            // address of the table in memory, 0 when no segment holds it
    u16 program_header_count = 0;
    bool executable_stack = false;      // PT_GNU_STACK asks for it (no such header: not)
    String interpreter;                 // empty: none

    // Page-aligned ends of all segments together.
    [[nodiscard]] u64 low() const;
    [[nodiscard]] u64 high() const;
};

inline constexpr u16 kProgramHeaderSize = 56;
inline constexpr size_t kIdentificationSize = 16;

// Errors: BadFormat (damaged or absurd), NotExecutable (not for this machine, or no program), NoMemory, and those of
// source.read(). `complaint` is set for the first two. Blocks as source.read() does.
[[nodiscard]] Result<Image> parse_image(ImageSource& source, ImageRules const& rules, ImageComplaint& complaint);

// True when the bytes begin a `#!` script.
[[nodiscard]] bool is_script(std::span<u8 const> head);

// The first line of a script: "#! INTERPRETER [ARGUMENT]". Views into `head`. Nothing when there is no interpreter
// or the line does not end within `head` (the first kScriptHeadSize bytes of the file, or all of a shorter one).
struct ScriptLine {
    std::string_view interpreter;
    std::string_view argument;  // the rest of the line, blanks trimmed; may be empty
};
inline constexpr size_t kScriptHeadSize = 256;
[[nodiscard]] std::optional<ScriptLine> parse_script(std::span<u8 const> head);

}  // namespace tutti::linux_abi::elf
