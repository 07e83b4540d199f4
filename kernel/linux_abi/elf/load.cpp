// SPDX-License-Identifier: BSD-3-Clause
// Order of the work: the file is opened and its headers are read (through scripts to the ELF file behind them), then
// stack, program, interpreter and vDSO are mapped, then the first stack's bytes are written.
//
//     kProgramBase         position-independent program, then the heap of brk()
//     map_top, downward    vDSO, interpreter, and what the program maps later
//     kStackTop, downward  main stack, which grows up to its limit
#include "linux_abi/elf/load.hpp"

#include <algorithm>

#include "arch/memory_layout.hpp"
#include "base/bits.hpp"
#include "drivers/rng/entropy.hpp"
#include "linux_abi/elf/image.hpp"
#include "linux_abi/elf/initial_stack.hpp"
#include "linux_abi/elf/map_image.hpp"
#include "linux_abi/vdso/vdso.hpp"
#include "linux_abi/machine/program_start.hpp"
#include "vfs/file.hpp"
#include "vfs/namespace.hpp"
#include "vm/address_space.hpp"

namespace tutti::linux_abi::elf {
namespace {

constexpr unsigned kMaxScripts = 4;                   // scripts whose interpreter is a script; execve(2): then ELOOP
constexpr u64 kFirstStackSize = u64{128} << 10;       // mapped below the stack pointer at once, the rest as it grows
constexpr u64 kLeastStackRoom = u64{128} << 20;       // below the top of the stack nothing else is placed
constexpr u64 kStackGap = u64{1} << 20;               // and a gap that no growth may enter (vm)
constexpr u64 kMostArgumentBytes = u64{6} << 20;      // execve(2): three quarters of the default stack
constexpr u64 kLeastArgumentBytes = u64{128} << 10;
constexpr u64 kClockTicks = 100;                      // sysconf(_SC_CLK_TCK): unit of times(2)

class FileSource final : public ImageSource {
  public:
    explicit FileSource(vfs::File& file) : file_{file}, size_{file.attributes().size} {}
    u64 size() override { return size_; }
    Result<> read(u64 offset, std::span<u8> out) override {
        while (!out.empty()) {
            vm::IoBuffer buffer = vm::IoBuffer::kernel(out);
            u64 const count = TRY(file_.read_at(offset, buffer));
            if (count == 0) return fail(Error::IoError);  // it became shorter meanwhile
            offset += count;
            out = out.subspan(count);
        }
        return {};
    }

  private:
    vfs::File& file_;
    u64 const size_;
};

struct Mapped {
    Image image;
    u64 bias = 0;  // added to the image's addresses
};

class Loader {
  public:
    Loader(vm::AddressSpace& space, vfs::Namespace& files, LoadRequest const& request, LoadMessage& message)
        : space_{space}, files_{files}, request_{request}, message_{message} {}

    Result<LoadedProgram> run() {
        TRY(arguments_.try_append(request_.arguments));
        Ref<vfs::File> const file = TRY(open_behind_scripts());
        LoadedProgram program;
        program.executable = TRY(String::create(file->path()));
        stack_limit_ = std::clamp(align_down(request_.stack_limit, kPageSize), kFirstStackSize, arch::kUserEnd / 2);
        space_.set_map_top(VirtAddr{kStackTop - std::max(stack_limit_, kLeastStackRoom) - kStackGap});
        space_.set_stack_limit(stack_limit_);

        Mapped const main = TRY(map_file(*file, path_.view(), Role::Program));
        describe(program, main);
        space_.set_break_start(program.break_start);
        u64 interpreter_base = 0;
        if (!main.image.interpreter.empty()) {
            Mapped const interpreter = TRY(map_interpreter(main.image.interpreter.view()));
            interpreter_base = interpreter.bias;
            program.entry = VirtAddr{interpreter.bias + interpreter.image.entry};
        }
        // Without it programs only make more system calls.
        if (Result<VirtAddr> const base = vdso::map(space_)) program.vdso_base = *base;
        TRY(make_stack(program, main, interpreter_base));
        return program;
    }

  private:
    enum class Role : u8 { Program, Interpreter };

    template <class... Args>
    std::unexpected<Error> complain(Error error, FormatString<Args...> format, Args const&... args) {
        char buffer[256];
        message_.assign(format_to(buffer, format, args...));
        return fail(error);
    }

    Result<Ref<vfs::File>> open(std::string_view path) {
        Result<Ref<vfs::File>> file = files_.open(files_.root(), path, {.flags = vfs::OpenFlags::Read});
        if (!file) return file;
        vfs::Attributes const attributes = (*file)->attributes();
        if (attributes.type == vfs::FileType::Directory)
            return complain(Error::AccessDenied, "{}: is a directory", path);
        if (attributes.type != vfs::FileType::Regular)
            return complain(Error::AccessDenied, "{}: is not a regular file", path);
        if ((attributes.permissions & 0111) == 0)
            return complain(Error::AccessDenied, "{}: is not executable (chmod +x)", path);
        return file;
    }

    // The ELF file to run: for a script its interpreter's, with the arguments that the script's first line says.
    Result<Ref<vfs::File>> open_behind_scripts() {
        TRY(path_.append(request_.path));
        for (unsigned depth = 0;; ++depth) {
            Result<Ref<vfs::File>> file = open(path_.view());
            if (!file) {
                if (!message_.empty()) return file;
                if (depth == 0) return complain(file.error(), "{}: {}", path_.view(), reason(file.error()));
                return complain(file.error(), "{}: its interpreter {}: {}", request_.path, path_.view(),
                                reason(file.error()));
            }
            FileSource source{**file};
            u8 head[kScriptHeadSize];
            size_t const size = std::min<u64>(source.size(), sizeof head);
            TRY(source.read(0, std::span{head}.first(size)));
            if (!is_script(std::span{head}.first(size))) return file;
            if (depth == kMaxScripts)
                return complain(Error::TooManySymlinks, "{}: scripts that run scripts, more than {} deep",
                                request_.path, kMaxScripts);
            std::optional<ScriptLine> const line = parse_script(std::span{head}.first(size));
            if (!line)
                return complain(Error::NotExecutable, "{}: its first line (\"#!\") names no interpreter", path_.view());
            TRY(prepend(*line));
        }
    }

    // argv becomes: interpreter, the line's argument, the script's path, what followed argv[0].
    Result<> prepend(ScriptLine const& line) {
        Vector<std::string_view> arguments;
        TRY(arguments.try_push_back(TRY(keep(line.interpreter))));
        if (!line.argument.empty()) TRY(arguments.try_push_back(TRY(keep(line.argument))));
        TRY(arguments.try_push_back(TRY(keep(path_.view()))));
        if (!arguments_.empty()) TRY(arguments.try_append(arguments_.span().subspan(1)));
        arguments_ = std::move(arguments);
        path_.clear();
        return path_.append(line.interpreter);
    }

    // A copy that lives as long as the loader.
    Result<std::string_view> keep(std::string_view text) {
        TRY(strings_.try_push_back(TRY(String::create(text))));
        return strings_.back().view();
    }

    static std::string_view reason(Error error) {
        switch (error) {
            case Error::NotFound: return "no such file";
            case Error::NotDirectory: return "a part of the path is not a directory";
            case Error::TooManySymlinks: return "too many symbolic links";
            case Error::NameTooLong: return "the path is too long";
            default: return name_of(error);
        }
    }

    Result<Mapped> map_interpreter(std::string_view path) {
        Result<Ref<vfs::File>> const file = open(path);
        if (!file) {
            if (!message_.empty()) return fail(file.error());
            return complain(file.error(), "{}: needs the interpreter {}: {}", path_.view(), path, reason(file.error()));
        }
        Result<Mapped> mapped = map_file(**file, path, Role::Interpreter);
        bool const damaged = !mapped && (mapped.error() == Error::BadFormat || mapped.error() == Error::NotExecutable);
        if (damaged) return fail(Error::BadLibrary);
        return mapped;
    }

    Result<Mapped> map_file(vfs::File& file, std::string_view path, Role role) {
        FileSource source{file};
        ImageComplaint why;
        Result<Image> image = parse_image(source, {.machine = kElfMachine, .address_limit = arch::kUserEnd}, why);
        if (!image) {
            if (why.empty()) why.assign(reason(image.error()));
            return complain(image.error(), "{}: {}", path, why.view());
        }
        Mapped mapped{std::move(*image), 0};
        VirtAddr const wish{role == Role::Program ? kProgramBase : 0};
        Result<u64> const bias = map_image(space_, TRY(file.backing()), mapped.image, wish);
        if (!bias) {
            std::string_view const cause =
                bias.error() == Error::NoMemory ? "does not fit into the machine's memory or address space"
                : bias.error() == Error::Exists ? "wants addresses that are taken already"
                                                : name_of(bias.error());
            return complain(bias.error(), "{}: {}: {:#x} bytes at {:#x}", path, cause,
                            mapped.image.high() - mapped.image.low(), mapped.image.low());
        }
        mapped.bias = *bias;
        return mapped;
    }

    // As proc(5) explains start_code, end_code, start_data and end_data.
    static void describe(LoadedProgram& program, Mapped const& main) {
        u64 const bias = main.bias;
        program.entry = VirtAddr{bias + main.image.entry};
        program.break_start = VirtAddr{bias + main.image.high()};
        program.code_start = VirtAddr{bias + main.image.segments[0].address};
        for (Segment const& segment : main.image.segments) {
            VirtAddr const file_end{bias + segment.address + segment.file_size};
            program.data_start = VirtAddr{bias + segment.address};
            program.data_end = std::max(program.data_end, file_end);
            if (segment.executable) program.code_end = std::max(program.code_end, file_end);
        }
    }

    Result<> make_stack(LoadedProgram& program, Mapped const& main, u64 interpreter_base) {
        AuxiliaryEntry const auxiliary[] = {
            {Auxiliary::VdsoHeader, program.vdso_base.value()},
            {Auxiliary::HardwareCapabilities, hardware_capabilities()},
            {Auxiliary::PageSize, kPageSize},
            {Auxiliary::ClockTicks, kClockTicks},
            {Auxiliary::ProgramHeaders, main.image.program_headers == 0 ? 0 : main.bias + main.image.program_headers},
            {Auxiliary::ProgramHeaderSize, kProgramHeaderSize},
            {Auxiliary::ProgramHeaderCount, main.image.program_header_count},
            {Auxiliary::Base, interpreter_base},
            {Auxiliary::Flags, 0},
            {Auxiliary::Entry, main.bias + main.image.entry},
            {Auxiliary::UserId, 0},
            {Auxiliary::EffectiveUserId, 0},
            {Auxiliary::GroupId, 0},
            {Auxiliary::EffectiveGroupId, 0},
            {Auxiliary::Secure, 0},
            {Auxiliary::HardwareCapabilities2, hardware_capabilities_2()},
            {Auxiliary::MinimumSignalStack, minimum_signal_stack()},
        };
        std::span<AuxiliaryEntry const> entries{auxiliary};
        if (program.vdso_base.is_null()) entries = entries.subspan(1);
        StackContents contents{.arguments = arguments_.span(),
                               .environment = request_.environment,
                               .executable = request_.path,
                               .platform = kPlatformName,
                               .auxiliary = entries};
        drivers::random_fill(contents.random);
        u64 const room = std::clamp(stack_limit_ / 4, kLeastArgumentBytes, kMostArgumentBytes);
        Result<InitialStack> const stack = build_initial_stack(kStackTop, room, contents);
        if (!stack) {
            if (stack.error() == Error::TooBig)
                return complain(Error::TooBig, "{}: arguments and environment are over {} bytes, or one of them is "
                                "over {}", request_.path, room, kMaxArgumentSize);
            return complain(stack.error(), "{}: no first stack: {}", request_.path, name_of(stack.error()));
        }
        u64 const size = std::min(align_up(stack->bytes.size(), kPageSize) + kFirstStackSize, stack_limit_);
        vm::MapRequest const area{.address = VirtAddr{kStackTop - size},
                                  .length = size,
                                  .protection = {.read = true, .write = true, .execute = main.image.executable_stack},
                                  .placement = vm::Placement::FixedIfFree,
                                  .grows_down = true,
                                  .kind = vm::AreaKind::Stack};
        Result<> written{};
        if (Result<VirtAddr> const mapped = space_.map(area); !mapped)
            written = fail(mapped.error());
        else
            written = space_.write(VirtAddr{stack->stack_pointer}, stack->bytes.span());
        if (!written)
            return complain(written.error(), "{}: no place for the stack: {}", request_.path, name_of(written.error()));
        program.stack_pointer = program.stack_start = VirtAddr{stack->stack_pointer};
        program.arguments_start = VirtAddr{stack->arguments_start};
        program.arguments_end = VirtAddr{stack->arguments_end};
        program.environment_start = VirtAddr{stack->environment_start};
        program.environment_end = VirtAddr{stack->environment_end};
        program.auxiliary_start = VirtAddr{stack->auxiliary_start};
        program.auxiliary_size = stack->auxiliary_size;
        return {};
    }

    vm::AddressSpace& space_;
    vfs::Namespace& files_;
    LoadRequest const& request_;
    LoadMessage& message_;
    String path_;  // of the file that is being looked at: the program's, then its interpreter's if it is a script
    Vector<std::string_view> arguments_;
    Vector<String> strings_;  // what arguments_ points to, apart from the request
    u64 stack_limit_ = 0;
};

}  // namespace

Result<LoadedProgram> load_program(vm::AddressSpace& space, vfs::Namespace& files, LoadRequest const& request,
                                   LoadMessage& message) {
    return Loader{space, files, request, message}.run();
}

}  // namespace tutti::linux_abi::elf
