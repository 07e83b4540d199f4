// SPDX-License-Identifier: BSD-3-Clause
// /proc and /sys over a process that is made up: formats, snapshots, links, listings.
#include <algorithm>

#include "harness/test.hpp"
#include "smp/percpu/percpu.hpp"
#include "vfs/file.hpp"
#include "vfs/pipe/pipe_file.hpp"
#include "vfs/procfs/cpu_list.hpp"
#include "vfs/procfs/load_average.hpp"
#include "vfs/procfs/process_text.hpp"
#include "vfs/procfs/procfs.hpp"
#include "vfs/ramfs/ram_node.hpp"
#include "vfs/sysfs/sysfs.hpp"

namespace tutti::vfs {
namespace {

constexpr i32 kProcess = 42, kSecondThread = 43;

class FakeSource final : public ProcessSource {
  public:
    FakeSource() {
        auto made = vm::AddressSpace::create();
        CHECK(made.has_value());
        space = *made;
        auto pair = make_pipe(OpenFlags{});
        CHECK(pair.has_value());
        pipe = pair->reader;
        writer = pair->writer;
    }
    Result<i32> current_process() override { return kProcess; }
    Result<i32> current_thread() override { return kSecondThread; }
    i32 next_process(i32 from) override { return from <= kProcess ? kProcess : -1; }
    i32 next_thread(i32, i32 from) override { return from <= kProcess ? kProcess : from <= kSecondThread ? kSecondThread : -1; }
    i32 next_descriptor(i32, i32 from) override { return from <= 3 ? 3 : -1; }
    Result<ThreadState> thread(i32 process, i32 thread) override {
        if (process != kProcess || (thread != kProcess && thread != kSecondThread)) return fail(Error::NoSuchProcess);
        ThreadState state;
        state.thread = Ref<sched::Thread>{sched::current()};
        state.parent = 1;
        state.thread_count = 2;
        state.signals.blocked = 0x8000'0000'0000'0001;
        return state;
    }
    Result<ProcessState> process(i32 process) override {
        if (process != kProcess) return fail(Error::NoSuchProcess);
        ProcessState state;
        state.space = space;
        state.file_mode_mask = 022;
        state.oom_score_adjustment = adjustment;
        for (ResourceLimit& limit : state.limits) limit = {~u64{0}, ~u64{0}};
        state.limits[7] = {1024, 4096};
        state.arguments_start = VirtAddr{0x1000};
        return state;
    }
    Result<Ref<File>> file(i32, i32 descriptor) override {
        if (descriptor != 3) return fail(Error::BadFileDescriptor);
        return pipe;
    }
    u32 open_bits(i32, i32) override { return 02100000; }
    Result<> read_memory(i32, VirtAddr start, VirtAddr, String& bytes) override {
        return start.value() == 0x1000 ? bytes.append(std::string_view{"a\0b", 4}) : Result<>{};
    }
    Result<Ref<Inode>> working_directory(i32) override { return fail(Error::NotFound); }
    Result<> executable(i32, String& path) override { return path.append("/bin/fake"); }
    Result<> set_thread_name(i32, i32, std::string_view name) override {
        written.assign(name);
        return {};
    }
    Result<> set_oom_score_adjustment(i32, i32 value) override {
        adjustment = value;
        return {};
    }
    SystemIdentity identity() override { 
        using Text = FixedString<64>;
        return {Text{"Linux"}, Text{"6.1.0"}, Text{"#1"}, host, Text{"(none)"}};
    }
    Result<> set_host_name(std::string_view name) override {
        host.assign(name);
        return {};
    }
    Result<> set_domain_name(std::string_view) override { return fail(Error::InvalidArgument); }
    i32 most_threads() override { return 32768; }
    i32 last_thread() override { return kSecondThread; }
    u64 most_descriptors() override { return 1048576; }

    Ref<vm::AddressSpace> space;
    Ref<File> pipe, writer;
    FixedString<64> written, host{"first"};
    i32 adjustment = 0;
};

// /proc and /sys in a namespace of their own. The trees live for ever: made once for all cases.
struct Machine {
    FakeSource source;
    Namespace names;

    Machine() : names{make_root()} {
        CHECK(mount_procfs(names, source).has_value());
        CHECK(mount_sysfs(names).has_value());
    }
    static Ref<Inode> make_root() {
        auto root = make_ram_filesystem(0755);
        CHECK(root.has_value());
        return *root;
    }
    Result<Ref<File>> open(std::string_view path, OpenFlags flags = OpenFlags::Read) {
        return names.open(names.root(), path, {.flags = flags});
    }
    Result<String> text(std::string_view path) {
        Ref<File> const file = TRY(open(path));
        return text(*file);
    }
    // In pieces of `piece` bytes from the current position.
    static Result<String> text(File& file, size_t piece = 512) {
        String text;
        u8 buffer[512];
        for (;;) {
            vm::IoBuffer to = vm::IoBuffer::kernel(std::span{buffer}.first(piece));
            u64 const count = TRY(file.read(to));
            if (count == 0) return text;
            TRY(text.append({reinterpret_cast<char*>(buffer), count}));
        }
    }
    Result<u64> write(std::string_view path, std::string_view value) {
        Ref<File> const file = TRY(open(path, OpenFlags::Write));
        vm::IoBuffer from = vm::IoBuffer::kernel(std::span{reinterpret_cast<u8 const*>(value.data()), value.size()});
        return file->write(from);
    }
    bool reads(std::string_view path, std::string_view wanted) {
        Result<String> const found = text(path);
        bool const same = found && found->view() == wanted;
        if (!same) harness::note("{} is \"{}\"", path, found ? found->view() : name_of(found.error()));
        return same;
    }
    bool contains(std::string_view path, std::string_view wanted) {
        Result<String> const found = text(path);
        return found && found->view().find(wanted) != std::string_view::npos;
    }
    bool lists(std::string_view path, std::string_view wanted) {
        struct Sink final : DirectorySink {
            explicit Sink(std::string_view name) : wanted{name} {}
            bool add(DirectoryEntry const& entry) override {
                found += entry.name == wanted;
                // One entry for each call: the position must be enough to go on.
                return count++ == 0;
            }
            std::string_view wanted;
            unsigned found = 0, count = 0;
        } sink{wanted};
        Result<Ref<File>> const directory = open(path);
        if (!directory) return false;
        for (unsigned step = 0; step < 1000; ++step) {
            sink.count = 0;
            if (!(*directory)->list(sink)) return false;
            if (sink.count == 0) break;
        }
        return sink.found == 2 || (sink.found == 1 && sink.count <= 1);  // refused once, then taken
    }
};
Machine& machine() {
    static constinit Machine* made = nullptr;
    if (made == nullptr) made = new (std::nothrow) Machine;
    CHECK(made != nullptr);
    return *made;
}

TEST(procfs, cpu_sets_as_masks_and_lists) {
    auto set = smp::CpuSet::create(70);
    REQUIRE(set.has_value());
    for (u32 const cpu : {0u, 1u, 2u, 5u, 33u, 69u}) set->add(CpuId{cpu});
    String mask, list;
    REQUIRE(append_cpu_mask(mask, *set).has_value() && append_cpu_list(list, *set).has_value());
    EXPECT_EQ(mask.view(), "20,00000002,00000027");
    EXPECT_EQ(list.view(), "0-2,5,33,69");
}

TEST(procfs, lines_of_maps) {
    vm::AreaInfo area{};
    area.start = VirtAddr{0x400000};
    area.end = VirtAddr{0x401000};
    area.protection = {.read = true, .write = false, .execute = true};
    area.kind = vm::AreaKind::Vdso;
    String text;
    REQUIRE(append_area(text, area).has_value());
    EXPECT_EQ(text.view(), "00400000-00401000 r-xp 00000000 00:00 0                                  [vdso]\n");
    text.clear();
    area.kind = vm::AreaKind::Ordinary;
    area.shared = true;
    area.start = VirtAddr{0x7ffff7dd5000};
    area.end = VirtAddr{0x7ffff7dd7000};
    REQUIRE(append_area(text, area).has_value());
    EXPECT_EQ(text.view(), "7ffff7dd5000-7ffff7dd7000 r-xs 00000000 00:00 0 \n");
}

TEST(procfs, files_of_a_process) {
    Machine& m = machine();
    Result<String> const stat = m.text("/proc/self/stat");
    REQUIRE(stat.has_value());
    EXPECT_EQ(std::count(stat->view().begin(), stat->view().end(), ' '), 51);
    EXPECT(stat->view().starts_with("42 (") && stat->view().ends_with(" 0\n"));
    EXPECT(m.contains("/proc/42/status", "\nPid:\t42\nPPid:\t1\n"));
    EXPECT(m.contains("/proc/42/status", "\nUmask:\t0022\n"));
    EXPECT(m.contains("/proc/42/status", "\nSigBlk:\t8000000000000001\n"));
    EXPECT(m.contains("/proc/42/task/43/status", "\nPid:\t43\n"));
    EXPECT(m.contains("/proc/thread-self/status", "\nPid:\t43\n"));
    EXPECT(m.contains("/proc/self/limits", "Max open files            1024                 4096                 files     \n"));
    EXPECT(m.contains("/proc/self/limits", "Max nice priority         unlimited            unlimited            \n"));
    EXPECT(m.reads("/proc/self/cmdline", std::string_view{"a\0b", 4}));
    EXPECT(m.reads("/proc/self/cgroup", "0::/\n"));
    EXPECT_ERROR(m.open("/proc/43"), Error::NotFound);
    EXPECT_ERROR(m.open("/proc/042"), Error::NotFound);
    EXPECT_ERROR(m.open("/proc/self/task/44"), Error::NotFound);
    EXPECT_ERROR(m.open("/proc/self/task/43/task"), Error::NotFound);
    EXPECT_ERROR(m.open("/proc/self/nothing"), Error::NotFound);
    EXPECT(m.write("/proc/self/comm", "renamed\n").has_value());
    EXPECT_EQ(m.source.written.view(), "renamed");
    EXPECT(m.write("/proc/self/oom_score_adj", "-17").has_value());
    EXPECT(m.reads("/proc/self/oom_score_adj", "-17\n"));
    EXPECT_ERROR(m.write("/proc/self/oom_score_adj", "1001"), Error::InvalidArgument);
    EXPECT_ERROR(m.open("/proc/self/stat", OpenFlags::Write), Error::AccessDenied);
}

TEST(procfs, descriptors) {
    Machine& m = machine();
    String target;
    Result<Ref<Inode>> const link = m.names.resolve(m.names.root(), "/proc/self/fd/3", LastLink::DoNotFollow);
    REQUIRE(link.has_value());
    EXPECT((*link)->read_link(target).has_value() && target.view().starts_with("pipe:["));
    Result<Ref<Inode>> const object = m.names.resolve(m.names.root(), "/proc/self/fd/3");
    EXPECT(object.has_value() && (*object)->type() == FileType::Fifo);
    EXPECT_ERROR(m.open("/proc/self/fd/4"), Error::NotFound);
    EXPECT(m.contains("/proc/self/fdinfo/3", "flags:\t02100000\n"));
    EXPECT(m.lists("/proc/self/fd", "3") && m.lists("/proc/self/task", "43") && m.lists("/proc", "42"));
    EXPECT(m.lists("/proc", "self") && m.lists("/proc/42", "status") && !m.lists("/proc/42", "43"));
    // The reader's end, opened again through the link, sees what the writer sends.
    u8 byte = 7, seen = 0;
    vm::IoBuffer from = vm::IoBuffer::kernel(std::span{&byte, 1}), to = vm::IoBuffer::kernel(std::span{&seen, 1});
    Result<Ref<File>> const again = m.open("/proc/self/fd/3");
    REQUIRE(again.has_value());
    EXPECT(m.source.writer->write(from).value_or(0) == 1 && (*again)->read(to).value_or(0) == 1 && seen == 7);
}

TEST(procfs, a_reader_sees_one_state) {
    Machine& m = machine();
    REQUIRE(m.write("/proc/sys/kernel/hostname", "before\n").has_value());
    Result<Ref<File>> const file = m.open("/proc/sys/kernel/hostname");
    REQUIRE(file.has_value());
    u8 first[3];
    vm::IoBuffer to = vm::IoBuffer::kernel(std::span<u8>{first});
    EXPECT_EQ((*file)->read(to).value_or(0), u64{3});
    REQUIRE(m.write("/proc/sys/kernel/hostname", "changed").has_value());
    Result<String> const rest = Machine::text(**file, 2);
    EXPECT(rest.has_value() && rest->view() == "ore\n");
    EXPECT((*file)->seek(0, SeekOrigin::Start).has_value());
    Result<String> const whole = Machine::text(**file, 1);
    EXPECT(whole.has_value() && whole->view() == "changed\n");
}

TEST(procfs, the_machine) {
    Machine& m = machine();
    EXPECT(m.reads("/proc/sys/kernel/pid_max", "32768\n"));
    EXPECT(m.reads("/proc/sys/kernel/ostype", "Linux\n"));
    EXPECT(m.reads("/proc/sys/kernel/sched_rt_runtime_us", "-1\n"));
    EXPECT(m.contains("/proc/version", "Linux version 6.1.0 "));
    EXPECT(m.contains("/proc/meminfo", "MemTotal:       "));
    EXPECT(m.contains("/proc/stat", "\ncpu0 "));
    EXPECT(m.contains("/proc/cpuinfo", "processor\t: 0\n"));
    EXPECT(m.contains("/proc/loadavg", "/2 43\n"));
    Result<String> const a = m.text("/proc/sys/kernel/random/uuid"), b = m.text("/proc/sys/kernel/random/uuid");
    EXPECT(a && b && a->size() == 37 && a->view() != b->view() && a->view()[14] == '4');
    char online[16];
    std::string_view const all = smp::cpu_count() == 1 ? "0\n" : format_to(online, "0-{}\n", smp::cpu_count() - 1);
    EXPECT(m.reads("/sys/devices/system/cpu/online", all));
    EXPECT(m.reads("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0\n"));
    EXPECT(m.reads("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"));
    EXPECT_ERROR(m.open("/sys/fs/cgroup"), Error::NotFound);
    String path;
    Result<Ref<Inode>> const directory = m.names.resolve(m.names.root(), "/sys/devices/system/cpu/cpu0/topology");
    EXPECT(directory && m.names.path_of(**directory, path) && path.view() == "/sys/devices/system/cpu/cpu0/topology");
}

TEST(procfs, load_decays) {
    u64 load = 0;
    for (unsigned i = 0; i < 12; ++i) load = decay_load(load, 1, 1);
    u64 const one = u64{1} << kLoadShift;
    EXPECT(load > one * 62 / 100 && load < one * 64 / 100);  // 1 - 1/e after a minute
    for (unsigned i = 0; i < 400; ++i) load = decay_load(load, 0, 1);
    EXPECT_EQ(load, u64{0});
}

}  // namespace
}  // namespace tutti::vfs
