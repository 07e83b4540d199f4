// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/elf/image.hpp"

#include <algorithm>
#include <array>

#include "base/bits.hpp"

namespace tutti::linux_abi::elf {
namespace {

// The file header, gABI figure 4-3, by offset: it is read field by field, as the bytes may not be aligned.
struct FileHeader {
    static constexpr size_t kSize = 64;

    u8 const* bytes;
    [[nodiscard]] u8 file_class() const { return bytes[4]; }
    [[nodiscard]] u8 data_encoding() const { return bytes[5]; }
    [[nodiscard]] u8 identification_version() const { return bytes[6]; }
    [[nodiscard]] u16 type() const { return load_le<u16>(bytes + 16); }
    [[nodiscard]] u16 machine() const { return load_le<u16>(bytes + 18); }
    [[nodiscard]] u32 version() const { return load_le<u32>(bytes + 20); }
    [[nodiscard]] u64 entry() const { return load_le<u64>(bytes + 24); }
    [[nodiscard]] u64 program_header_offset() const { return load_le<u64>(bytes + 32); }
    [[nodiscard]] u16 program_header_size() const { return load_le<u16>(bytes + 54); }
    [[nodiscard]] u16 program_header_count() const { return load_le<u16>(bytes + 56); }
};

// A program header, gABI figure 5-1.
struct ProgramHeader {
    u8 const* bytes;
    [[nodiscard]] u32 type() const { return load_le<u32>(bytes); }
    [[nodiscard]] u32 flags() const { return load_le<u32>(bytes + 4); }
    [[nodiscard]] u64 offset() const { return load_le<u64>(bytes + 8); }
    [[nodiscard]] u64 address() const { return load_le<u64>(bytes + 16); }
    [[nodiscard]] u64 file_size() const { return load_le<u64>(bytes + 32); }
    [[nodiscard]] u64 memory_size() const { return load_le<u64>(bytes + 40); }
    [[nodiscard]] u64 alignment() const { return load_le<u64>(bytes + 48); }
};

constexpr u8 kClass64 = 2;
constexpr u8 kLittleEndian = 1;
constexpr u16 kTypeRelocatable = 1;
constexpr u16 kTypeExecutable = 2;
constexpr u16 kTypeShared = 3;
constexpr u16 kTypeCore = 4;
constexpr u32 kLoad = 1;
constexpr u32 kInterpreter = 3;
constexpr u32 kGnuStack = 0x6474e551;
constexpr u32 kFlagExecute = 1;
constexpr u32 kFlagWrite = 2;
constexpr u32 kFlagRead = 4;

constexpr size_t kMaxHeaderTable = 65536;             // as Linux: more is absurd
constexpr size_t kMaxInterpreterPath = 4096;          // PATH_MAX, NUL included
constexpr u64 kMaxAlignment = u64{1} << 30;           // huge pages of 1 GiB: the largest anybody means
constexpr u64 kMaxSpan = u64{1} << 46;                // of a position-independent image: must leave room for others

std::string_view machine_name(u16 machine) {
    switch (machine) {
        case 3: return "32-bit x86";
        case 8: return "MIPS";
        case 20: return "32-bit PowerPC";
        case 21: return "64-bit PowerPC";
        case 22: return "S/390";
        case 40: return "32-bit Arm";
        case 62: return "x86_64";
        case 183: return "AArch64";
        case 243: return "RISC-V";
        case 258: return "LoongArch";
        default: return "an unknown machine";
    }
}

// One parse: the steps share the source, the rules and the place for a complaint.
class Parser {
  public:
    Parser(ImageSource& source, ImageRules const& rules, ImageComplaint& complaint)
        : source_{source}, rules_{rules}, complaint_{complaint} {}

    Result<Image> run() {
        file_size_ = source_.size();
        std::array<u8, FileHeader::kSize> header_bytes{};
        if (file_size_ == 0) return complain(Error::NotExecutable, "is an empty file");
        TRY(source_.read(0, std::span{header_bytes}.first(std::min<u64>(file_size_, header_bytes.size()))));
        FileHeader const header{header_bytes.data()};
        TRY(check_file_header(header));
        TRY(read_table(header));
        Image image;
        image.position_independent = header.type() == kTypeShared;
        image.entry = header.entry();
        image.program_header_count = header.program_header_count();
        for (u16 i = 0; i < image.program_header_count; ++i) {
            ProgramHeader const entry{table_.data() + size_t{i} * kProgramHeaderSize};
            if (entry.type() == kLoad) TRY(add_segment(image, entry));
            if (entry.type() == kInterpreter && image.interpreter.empty()) TRY(read_interpreter(image, entry));
            if (entry.type() == kGnuStack) image.executable_stack = (entry.flags() & kFlagExecute) != 0;
        }
        TRY(check_layout(image));
        image.program_headers = address_of_offset(image, header.program_header_offset(), table_.size());
        return image;
    }

  private:
    template <class... Args>
    std::unexpected<Error> complain(Error error, FormatString<Args...> format, Args const&... args) {
        char buffer[160];
        complaint_.assign(format_to(buffer, format, args...));
        return fail(error);
    }

    Result<> check_file_header(FileHeader const& header) {
        constexpr std::array<u8, 4> kMagic{0x7f, 'E', 'L', 'F'};
        if (!std::equal(kMagic.begin(), kMagic.end(), header.bytes))
            return complain(Error::NotExecutable, "is not an ELF program");
        if (file_size_ < FileHeader::kSize)
            return complain(Error::BadFormat, "is cut short: {} bytes cannot hold an ELF header", file_size_);
        if (header.file_class() != kClass64) {
            if (header.file_class() == 1)
                return complain(Error::NotExecutable, "is a 32-bit program; only 64-bit programs run here");
            return complain(Error::BadFormat, "has an ELF class that does not exist ({})", header.file_class());
        }
        if (header.data_encoding() != kLittleEndian)
            return complain(Error::NotExecutable, "is not little-endian; this machine is");
        if (header.machine() != rules_.machine)
            return complain(Error::NotExecutable, "is for {} (e_machine {}); this machine is {}",
                            machine_name(header.machine()), header.machine(), machine_name(rules_.machine));
        if (header.identification_version() != 1 || header.version() != 1)
            return complain(Error::BadFormat, "has ELF version {}; only version 1 exists", header.version());
        switch (header.type()) {
            case kTypeExecutable:
            case kTypeShared: return {};
            case kTypeRelocatable:
                return complain(Error::NotExecutable, "is an object file: link it first");
            case kTypeCore: return complain(Error::NotExecutable, "is a core dump, not a program");
            default: return complain(Error::NotExecutable, "has ELF type {}, which is no program", header.type());
        }
    }

    Result<> read_table(FileHeader const& header) {
        if (header.program_header_size() != kProgramHeaderSize)
            return complain(Error::BadFormat, "has program headers of {} bytes, not {}", header.program_header_size(),
                            kProgramHeaderSize);
        size_t const size = size_t{header.program_header_count()} * kProgramHeaderSize;
        if (size == 0) return complain(Error::BadFormat, "has no program headers: nothing to load");
        if (size > kMaxHeaderTable)
            return complain(Error::BadFormat, "has {} program headers: absurd", header.program_header_count());
        if (!range_within(header.program_header_offset(), size, file_size_))
            return complain(Error::BadFormat, "is cut short: its program headers lie beyond its {} bytes", file_size_);
        TRY(table_.try_resize(size));
        return source_.read(header.program_header_offset(), table_.span());
    }

    Result<> add_segment(Image& image, ProgramHeader const& entry) {
        Segment segment{entry.address(), entry.offset(), entry.file_size(), entry.memory_size(),
                        (entry.flags() & kFlagRead) != 0, (entry.flags() & kFlagWrite) != 0,
                        (entry.flags() & kFlagExecute) != 0};
        size_t const number = image.segments.size();
        if (segment.file_size > segment.memory_size)
            return complain(Error::BadFormat, "has a segment (number {}) with more bytes in the file than in memory",
                            number);
        if (segment.memory_size == 0) return {};  // nothing there: some linkers leave such
        if (!range_within(segment.offset, segment.file_size, file_size_))
            return complain(Error::BadFormat, "is cut short: segment {} needs {} bytes at offset {:#x} of {}", number,
                            segment.file_size, segment.offset, file_size_);
        if (!range_within(segment.address, segment.memory_size, rules_.address_limit))
            return complain(Error::BadFormat, "has a segment (number {}) at {:#x} that reaches beyond user memory",
                            number, segment.address);
        if ((segment.address & kPageMask) != (segment.offset & kPageMask))
            return complain(Error::BadFormat, "has a segment (number {}) whose file offset does not fit its address",
                            number);
        u64 const alignment = entry.alignment();
        if (alignment > 1) {
            if (!is_power_of_two(alignment) || alignment > kMaxAlignment)
                return complain(Error::BadFormat, "has a segment (number {}) aligned to {:#x}: absurd", number,
                                alignment);
            image.alignment = std::max(image.alignment, alignment);
        }
        return image.segments.try_push_back(segment);
    }

    Result<> read_interpreter(Image& image, ProgramHeader const& entry) {
        if (entry.file_size() < 2 || entry.file_size() > kMaxInterpreterPath ||
            !range_within(entry.offset(), entry.file_size(), file_size_))
            return complain(Error::BadFormat, "names its interpreter in {} bytes at offset {:#x}: absurd",
                            entry.file_size(), entry.offset());
        TRY(image.interpreter.resize(entry.file_size()));
        std::span<char> const text = image.interpreter.span();
        TRY(source_.read(entry.offset(), {reinterpret_cast<u8*>(text.data()), text.size()}));
        size_t const length = std::string_view{text.data(), text.size()}.find('\0');
        if (length == std::string_view::npos || length == 0)
            return complain(Error::BadFormat, "names its interpreter without an end, or with nothing");
        image.interpreter.truncate(length);
        return {};
    }

    // gABI: loadable segments ascend by address. Overlap cannot be meant.
    Result<> check_layout(Image const& image) {
        if (image.segments.empty()) return complain(Error::BadFormat, "has no segment to load");
        for (size_t i = 1; i < image.segments.size(); ++i) {
            Segment const& before = image.segments[i - 1];
            Segment const& here = image.segments[i];
            if (here.address < before.address)
                return complain(Error::BadFormat, "has segments out of order: {:#x} after {:#x}", here.address,
                                before.address);
            if (here.address < before.end())
                return complain(Error::BadFormat, "has overlapping segments: {:#x} lies inside [{:#x}, {:#x})",
                                here.address, before.address, before.end());
        }
        if (!image.position_independent && image.segments[0].address < rules_.lowest_address)
            return complain(Error::BadFormat, "wants to be loaded at {:#x}, below {:#x}", image.segments[0].address,
                            rules_.lowest_address);
        if (image.position_independent && image.high() - image.low() > kMaxSpan)
            return complain(Error::BadFormat, "spreads its segments over {:#x} bytes: absurd",
                            image.high() - image.low());
        bool const entry_inside = std::any_of(image.segments.begin(), image.segments.end(), [&](Segment const& s) {
            return image.entry >= s.address && image.entry < s.end();
        });
        // A shared library may have none (address 0): it is refused as a program, and as an interpreter.
        if (!entry_inside)
            return complain(Error::BadFormat, "starts at {:#x}, where it has no segment (a library?)", image.entry);
        return {};
    }

    // Where in memory the file's bytes [offset, offset + size) are; 0 when no segment holds them all.
    static u64 address_of_offset(Image const& image, u64 offset, u64 size) {
        for (Segment const& segment : image.segments)
            if (offset >= segment.offset && range_within(offset - segment.offset, size, segment.file_size))
                return segment.address + (offset - segment.offset);
        return 0;
    }

    ImageSource& source_;
    ImageRules const& rules_;
    ImageComplaint& complaint_;
    u64 file_size_ = 0;
    Vector<u8> table_;
};

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace

u64 Image::low() const { return align_down(segments[0].address, kPageSize); }
u64 Image::high() const { return align_up(segments[segments.size() - 1].end(), kPageSize); }

Result<Image> parse_image(ImageSource& source, ImageRules const& rules, ImageComplaint& complaint) {
    return Parser{source, rules, complaint}.run();
}

bool is_script(std::span<u8 const> head) { return head.size() >= 2 && head[0] == '#' && head[1] == '!'; }

std::optional<ScriptLine> parse_script(std::span<u8 const> head) {
    if (!is_script(head)) return std::nullopt;
    std::string_view text{reinterpret_cast<char const*>(head.data()), head.size()};
    size_t const end = text.find('\n');
    if (end == std::string_view::npos && head.size() >= kScriptHeadSize) return std::nullopt;  // line too long
    std::string_view const line = trim(text.substr(2, end == std::string_view::npos ? end : end - 2));
    if (line.empty() || line.find('\0') != std::string_view::npos) return std::nullopt;
    size_t const blank = std::min(line.find(' '), line.find('\t'));
    if (blank == std::string_view::npos) return ScriptLine{line, {}};
    return ScriptLine{line.substr(0, blank), trim(line.substr(blank))};
}

}  // namespace tutti::linux_abi::elf
