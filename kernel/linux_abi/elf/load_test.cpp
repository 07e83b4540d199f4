// SPDX-License-Identifier: BSD-3-Clause
// Programs made of a few bytes, in a memory filesystem: where their parts end up, and what is said of bad ones.
#include <cstring>

#include "arch/memory_layout.hpp"
#include "base/bits.hpp"
#include "harness/test.hpp"
#include "linux_abi/elf/initial_stack.hpp"
#include "linux_abi/elf/load.hpp"
#include "linux_abi/machine/program_start.hpp"
#include "smp/context/context.hpp"
#include "vfs/file.hpp"
#include "vfs/namespace.hpp"
#include "vfs/ramfs/ram_node.hpp"
#include "vm/address_space.hpp"
#include "vm/user_copy.hpp"

namespace tutti::linux_abi::elf {
namespace {

constexpr size_t kFileSize = 0x3000;
constexpr u16 kFixed = 2, kMovable = 3;
constexpr u32 kExecute = 1, kWrite = 2, kRead = 4;

// An ELF file by its bytes (gABI, figures 4-3 and 5-1).
struct ImageBuilder {
    Vector<u8> bytes;
    u16 headers = 0;

    explicit ImageBuilder(u16 type, u64 entry, u16 machine = kElfMachine) {
        CHECK(bytes.try_resize(kFileSize));
        std::memcpy(bytes.data(), "\x7f"
                                  "ELF\2\1\1", 7);
        put<u16>(16, type);
        put<u16>(18, machine);
        put<u32>(20, 1);
        put<u64>(24, entry);
        put<u64>(32, 64);
        put<u16>(54, 56);
    }
    template <class T>
    void put(size_t offset, T value) { store_le<T>(bytes.data() + offset, value); }
    void add(u32 type, u32 flags, u64 offset, u64 address, u64 file_size, u64 memory_size) {
        size_t const at = 64 + size_t{headers} * 56;
        put<u32>(at, type);
        put<u32>(at + 4, flags);
        put<u64>(at + 8, offset);
        put<u64>(at + 16, address);
        put<u64>(at + 32, file_size);
        put<u64>(at + 40, memory_size);
        put<u64>(at + 48, kPageSize);
        put<u16>(56, ++headers);
    }
    // Text, then data of 0x100 bytes in a page that the file fills with 0xee, then 0x2000 zeroes.
    void add_usual(u64 base) {
        add(1, kRead | kExecute, 0, base, 0x1000, 0x1000);
        std::memset(bytes.data() + 0x1000, 0xee, 0x1000);
        add(1, kRead | kWrite, 0x1000, base + 0x1000, 0x100, 0x2100);
    }
    void add_interpreter(std::string_view path) {
        std::memcpy(bytes.data() + 0x2000, path.data(), path.size());
        add(3, kRead, 0x2000, 0x2000, path.size() + 1, path.size() + 1);
    }
};

class Machine {
  public:
    Machine() : files_{make_root()} { renew_space(); }
    ~Machine() { vm::deactivate(); }

    void add(std::string_view path, std::span<u8 const> bytes, u32 permissions = 0755) {
        auto const file = files_.open(files_.root(), path, {.flags = vfs::OpenFlags::Write, .create = true,
                                                            .permissions = permissions});
        CHECK(file.has_value());
        vm::IoBuffer buffer = vm::IoBuffer::kernel(bytes);
        CHECK((*file)->write(buffer).value_or(0) == bytes.size());
    }
    void add(std::string_view path, std::string_view text) {
        add(path, std::span{reinterpret_cast<u8 const*>(text.data()), text.size()});
    }
    Result<LoadedProgram> run(std::string_view path) {
        std::string_view const arguments[] = {"program", "one", "two"};
        std::string_view const environment[] = {"A=b"};
        message_ = {};
        return load_program(*space_, files_, {.path = path, .arguments = arguments, .environment = environment},
                            message_);
    }
    [[nodiscard]] bool said(std::string_view text) const {
        bool const found = message_.view().find(text) != std::string_view::npos;
        if (!found) harness::note("the message is \"{}\"", message_.view());
        return found;
    }
    // An empty address space; the files stay.
    void renew_space() {
        auto space = vm::AddressSpace::create();
        CHECK(space.has_value());
        space_ = *space;
        space_->activate();
    }
    vm::AddressSpace* operator->() const { return space_.get(); }

  private:
    static Ref<vfs::Inode> make_root() {
        auto root = vfs::make_ram_filesystem(0755);
        CHECK(root.has_value());
        return *root;
    }
    smp::PinGuard pin_;
    vfs::Namespace files_;
    Ref<vm::AddressSpace> space_;
    LoadMessage message_;
};

template <class T>
T load(VirtAddr at) {
    T value{};
    return vm::copy_from_user(&value, at, sizeof value) ? value : T(~T{});
}
u64 argument_count(LoadedProgram const& program) { return load<u64>(program.stack_pointer); }
bool argument_is(LoadedProgram const& program, unsigned index, std::string_view text) {
    auto const string = vm::copy_string_from_user(VirtAddr{load<u64>(program.stack_pointer + 8 + 8 * index)}, 256);
    return string && string->view() == text;
}
u64 auxiliary(LoadedProgram const& program, Auxiliary key) {
    for (u64 at = 0; at < program.auxiliary_size; at += 16)
        if (load<u64>(program.auxiliary_start + at) == static_cast<u64>(key))
            return load<u64>(program.auxiliary_start + at + 8);
    return ~u64{0};
}

TEST(elf_load, maps_a_fixed_program) {
    Machine machine;
    ImageBuilder image{kFixed, 0x400100};
    image.add_usual(0x400000);
    machine.add("/fixed", image.bytes.span());
    auto const program = machine.run("/fixed");
    REQUIRE(program.has_value());
    EXPECT_EQ(program->entry.value(), u64{0x400100});
    EXPECT_EQ(program->break_start.value(), u64{0x404000});
    EXPECT_EQ(load<u32>(VirtAddr{0x400000}), u32{0x464c457f});
    EXPECT_EQ(load<u8>(VirtAddr{0x4010ff}), u8{0xee});
    EXPECT_EQ(load<u8>(VirtAddr{0x401100}), u8{0});  // the file has 0xee there
    EXPECT_EQ(load<u8>(VirtAddr{0x401fff}), u8{0});
    EXPECT_EQ(load<u64>(VirtAddr{0x403ff8}), u64{0});
    EXPECT_ERROR(machine->area_at(VirtAddr{0x404000}), Error::BadAddress);
    u8 byte = 1;
    EXPECT(!vm::copy_to_user(VirtAddr{0x400000}, &byte, 1));
    EXPECT(vm::copy_to_user(VirtAddr{0x401000}, &byte, 1).has_value());

    EXPECT(is_aligned(program->stack_pointer.value(), 16));
    EXPECT_EQ(argument_count(*program), u64{3});
    EXPECT(argument_is(*program, 0, "program") && argument_is(*program, 2, "two"));
    EXPECT_EQ(auxiliary(*program, Auxiliary::ProgramHeaders), u64{0x400040});
    EXPECT_EQ(auxiliary(*program, Auxiliary::Entry), u64{0x400100});
    EXPECT_EQ(auxiliary(*program, Auxiliary::Base), u64{0});
    EXPECT_EQ(auxiliary(*program, Auxiliary::PageSize), kPageSize);
    EXPECT(load<u64>(VirtAddr{auxiliary(*program, Auxiliary::Random)}) != 0);
}

TEST(elf_load, two_programs_share_the_files_pages_but_not_what_they_write) {
    Machine machine;
    ImageBuilder image{kMovable, 0x100};
    image.add_usual(0);
    machine.add("/pie", image.bytes.span());
    auto const program = machine.run("/pie");
    REQUIRE(program.has_value());
    VirtAddr const data = program->entry - 0x100 + 0x1000;
    u32 const mark = 0x12345678;
    REQUIRE(vm::copy_to_user(data, &mark, sizeof mark).has_value());
    EXPECT_EQ(load<u32>(data), mark);
    machine.renew_space();
    auto const other = machine.run("/pie");
    REQUIRE(other.has_value());
    EXPECT_EQ(load<u32>(other->entry - 0x100 + 0x1000), u32{0xeeeeeeee});
}

TEST(elf_load, starts_at_the_interpreter) {
    Machine machine;
    ImageBuilder program_image{kMovable, 0x100};
    program_image.add_usual(0);
    program_image.add_interpreter("/ld.so");
    ImageBuilder interpreter{kMovable, 0x200};
    interpreter.add_usual(0);
    machine.add("/dynamic", program_image.bytes.span());
    EXPECT_ERROR(machine.run("/dynamic"), Error::NotFound);
    EXPECT(machine.said("/dynamic: needs the interpreter /ld.so: no such file"));
    {
        Machine whole;
        whole.add("/dynamic", program_image.bytes.span());
        whole.add("/ld.so", interpreter.bytes.span());
        auto const program = whole.run("/dynamic");
        REQUIRE(program.has_value());
        EXPECT_EQ(program->entry.value(), auxiliary(*program, Auxiliary::Base) + 0x200);
        EXPECT_EQ(auxiliary(*program, Auxiliary::Entry), program->code_start.value() + 0x100);
        EXPECT_EQ(program->break_start.value(), program->code_start.value() + 0x4000);
    }
    Machine broken;
    broken.add("/dynamic", program_image.bytes.span());
    broken.add("/ld.so", interpreter.bytes.span().first(70));
    EXPECT_ERROR(broken.run("/dynamic"), Error::BadLibrary);
    EXPECT(broken.said("/ld.so: is cut short"));
}

TEST(elf_load, follows_scripts) {
    Machine machine;
    ImageBuilder image{kFixed, 0x400100};
    image.add_usual(0x400000);
    machine.add("/shell", image.bytes.span());
    machine.add("/script", "#! /shell -x y \nrest");
    machine.add("/s1", "#!/script\n");
    machine.add("/loop", "#!/loop");
    machine.add("/nothing", "#!\n");
    machine.add("/lost", "#!/nowhere\n");
    auto const program = machine.run("/s1");
    REQUIRE(program.has_value());
    EXPECT(program->executable.view() == "/shell");
    EXPECT_EQ(argument_count(*program), u64{6});
    EXPECT(argument_is(*program, 0, "/shell") && argument_is(*program, 1, "-x y"));
    EXPECT(argument_is(*program, 2, "/script") && argument_is(*program, 3, "/s1"));
    EXPECT(argument_is(*program, 4, "one") && argument_is(*program, 5, "two"));
    EXPECT_ERROR(machine.run("/loop"), Error::TooManySymlinks);
    EXPECT_ERROR(machine.run("/nothing"), Error::NotExecutable);
    EXPECT_ERROR(machine.run("/lost"), Error::NotFound);
    EXPECT(machine.said("/lost: its interpreter /nowhere: no such file"));
}

TEST(elf_load, refuses_with_a_reason) {
    Machine machine;
    machine.add("/text", "echo hello");
    EXPECT_ERROR(machine.run("/text"), Error::NotExecutable);
    EXPECT(machine.said("/text: is not an ELF program"));
    EXPECT_ERROR(machine.run("/"), Error::AccessDenied);
    EXPECT_ERROR(machine.run("/absent"), Error::NotFound);
    EXPECT(machine.said("/absent: no such file"));

    ImageBuilder foreign{kFixed, 0x400100, 243};
    foreign.add_usual(0x400000);
    machine.add("/foreign", foreign.bytes.span());
    EXPECT_ERROR(machine.run("/foreign"), Error::NotExecutable);
    EXPECT(machine.said("/foreign: is for RISC-V"));
    machine.add("/plain", foreign.bytes.span(), 0644);
    EXPECT_ERROR(machine.run("/plain"), Error::AccessDenied);

    ImageBuilder huge{kFixed, 0x400100};
    huge.add(1, kRead | kWrite, 0, 0x400000, 0x1000, arch::kUserEnd / 2);
    machine.add("/huge", huge.bytes.span());
    EXPECT_ERROR(machine.run("/huge"), Error::NoMemory);
    EXPECT(machine.said("/huge: does not fit"));

    ImageBuilder overlap{kFixed, 0x400100};
    overlap.add(1, kRead, 0, 0x400000, 0x1000, 0x1000);
    overlap.add(1, kRead, 0x800, 0x400800, 0x100, 0x100);
    machine.add("/overlap", overlap.bytes.span());
    EXPECT_ERROR(machine.run("/overlap"), Error::BadFormat);
    EXPECT(machine.said("overlapping segments"));
}

TEST(elf_load, the_stack_grows_up_to_its_limit) {
    Machine machine;
    ImageBuilder image{kFixed, 0x400100};
    image.add_usual(0x400000);
    machine.add("/fixed", image.bytes.span());
    auto const program = machine.run("/fixed");
    REQUIRE(program.has_value());
    u64 const limit = u64{8} << 20;
    u32 const mark = 1;
    EXPECT(vm::copy_to_user(VirtAddr{kStackTop - limit}, &mark, sizeof mark).has_value());
    EXPECT(!vm::copy_to_user(VirtAddr{kStackTop - limit - 8}, &mark, sizeof mark));
}

}  // namespace
}  // namespace tutti::linux_abi::elf
