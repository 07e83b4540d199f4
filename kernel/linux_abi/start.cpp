// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/start.hpp"

#include "arch/traps.hpp"
#include "base/log.hpp"
#include "drivers/link/host_link.hpp"
#include "hal/clock.hpp"
#include "hal/hooks.hpp"
#include "hal/manifest.hpp"
#include "hal/power.hpp"
#include "linux_abi/elf/load.hpp"
#include "linux_abi/futex/table.hpp"
#include "linux_abi/manifest.hpp"
#include "linux_abi/process/finish.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/spawn.hpp"
#include "linux_abi/results.hpp"
#include "linux_abi/signal/fault.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/syscall/dispatch.hpp"
#include "linux_abi/vdso/vdso.hpp"
#include "sched/scheduler.hpp"
#include "sched/wait/event.hpp"
#include "vfs/console/console_file.hpp"
#include "vfs/namespace.hpp"

namespace tutti::linux_abi {

namespace {

namespace link = drivers::host_link;

constexpr i32 kFirstPid = 2;  // its parent says it is 1

// Exit statuses of a shell (POSIX.1-2017, 2.8.2), and the command's own for failures of the machine.
constexpr u32 kExitNotFound = 127;
constexpr u32 kExitNotExecutable = 126;
constexpr u32 kExitMachine = 125;

constinit std::atomic<Process*> the_process{nullptr};  // release when it is complete, acquire in the host's events
constinit sched::Event program_ended;
constinit ExitStatus program_status;  // written before program_ended is set

struct Start {
    Nanoseconds time;
    Vector<sched::CpuTimes> cpus;
};

void on_host_signal(u32 number) {
    Process* const process = the_process.load(std::memory_order_acquire);
    if (process != nullptr && is_valid_signal(number))
        (void)send_to_process(*process, kernel_info(static_cast<i32>(number)));
}

void on_window_change() {
    if (vfs::console_is_terminal()) on_host_signal(kSIGWINCH);
}

[[noreturn]] void stop(u32 code, std::string_view note) {
    if (!note.empty()) link::send_note(note);
    link::send_exit(code, 0);
    hal::power_off();
}

u32 exit_code_of(Error error) {
    switch (error) {
        case Error::NotFound: return kExitNotFound;
        case Error::NoMemory: return kExitMachine;
        default: return kExitNotExecutable;
    }
}

Result<String> take_manifest(vfs::Namespace& names) {
    char path[64];
    std::string_view const name = format_to(path, "/{}", hal::kManifestPath);
    Ref<vfs::File> const file =
        TRY(names.open(names.root(), name, {.flags = vfs::OpenFlags{vfs::OpenFlags::Read}}));
    String text;
    TRY(text.resize(file->attributes().size));
    vm::IoBuffer to = vm::IoBuffer::kernel(std::span{reinterpret_cast<u8*>(text.span().data()), text.size()});
    if (TRY(file->read_at(0, to)) != text.size()) return fail(Error::IoError);
    // The program's tree holds what its user packed and nothing else.
    (void)names.unlink(names.root(), name, vfs::UnlinkKind::File);
    (void)names.unlink(names.root(), name.substr(0, name.rfind('/')), vfs::UnlinkKind::Directory);
    return text;
}

Result<> open_streams(Process& process, Manifest const& manifest) {
    vfs::configure_console(manifest.is_terminal, manifest.has_input);
    using enum vfs::ConsoleStream;
    using vfs::OpenFlags;
    bool const tty = manifest.is_terminal;
    u32 const read = tty ? OpenFlags::Read | OpenFlags::Write : OpenFlags::Read;
    u32 const write = tty ? OpenFlags::Read | OpenFlags::Write : OpenFlags::Write;
    TRY(process.files().add(TRY(vfs::open_console(Input, OpenFlags{read})), FdFlag::None));
    TRY(process.files().add(TRY(vfs::open_console(Output, OpenFlags{write})), FdFlag::None));
    TRY(process.files().add(TRY(vfs::open_console(Error, OpenFlags{write})), FdFlag::None));
    if (manifest.has_input) TRY(link::open_input());
    return {};
}

Result<> set_image(ProcessImage& image, elf::LoadedProgram const& program) {
    image.executable = TRY(String::create(program.executable.view()));
    image.started = hal::now();
    image.code_start = program.code_start, image.code_end = program.code_end;
    image.data_start = program.data_start, image.data_end = program.data_end;
    image.break_start = program.break_start, image.stack_start = program.stack_start;
    image.arguments_start = program.arguments_start, image.arguments_end = program.arguments_end;
    image.environment_start = program.environment_start, image.environment_end = program.environment_end;
    image.auxiliary_start = program.auxiliary_start, image.auxiliary_size = program.auxiliary_size;
    image.signal_return = vdso::signal_return(program.vdso_base);
    return {};
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The process with everything but its first thread. Stops the machine with a message when the program cannot run.
Ref<Process> make_process(Manifest const& manifest, elf::LoadedProgram& program) {
    char note[400];
    vfs::Namespace& names = vfs::root_namespace();
    auto space = vm::AddressSpace::create();
    auto created = space ? Process::create(kFirstPid, std::move(*space)) : fail(Error::NoMemory);
    if (!created) stop(kExitMachine, "no memory for a process; give the machine more (--memory)");
    Process& process = **created;
    if (Result<> const streams = open_streams(process, manifest); !streams)
        stop(kExitMachine, format_to(note, "cannot open the standard streams: {}", streams.error()));

    Result<Ref<vfs::Inode>> const directory = names.resolve(names.root(), manifest.working_directory);
    if (!directory || !(*directory)->is_directory())
        stop(kExitMachine, format_to(note, "{}: no such directory in the guest", manifest.working_directory));
    process.file_context().set_working_directory(*directory);

    elf::LoadMessage message;
    auto loaded = elf::load_program(process.address_space(), names,
                                          {.path = manifest.executable,
                                           .arguments = manifest.arguments.span(),
                                           .environment = manifest.environment.span()},
                                          message);
    if (!loaded) stop(exit_code_of(loaded.error()), message.view());
    program = std::move(*loaded);
    if (!set_image(process.image(), program)) stop(kExitMachine, "no memory for the program's name");
    return *created;
}

Start note_start() {
    Start start{.time = hal::now(), .cpus = {}};
    if (start.cpus.try_resize(smp::cpu_count()))
        smp::for_each_cpu([&](CpuId cpu) { start.cpus[cpu.value()] = sched::cpu_times(cpu); });
    return start;
}

// CPU times since the program's start.
Result<> send_summary(Start const& start) {
    String json;
    TRY(json.append_format("{{\"boot_ns\":{},\"wall_ns\":{},\"cpus\":[", start.time.count(),
                           (hal::now() - start.time).count()));
    for (u32 i = 0; i < start.cpus.size(); ++i) {
        sched::CpuTimes const now = sched::cpu_times(CpuId{i});
        TRY(json.append_format("{}{{\"busy_ns\":{},\"idle_ns\":{}}}", i == 0 ? "" : ",",
                               (now.busy - start.cpus[i].busy).count(), (now.idle - start.cpus[i].idle).count()));
    }
    TRY(json.append("]}"));
    return link::send_summary(json.view());
}

}  // namespace

Result<> initialize() {
    TRY(initialize_futexes());
    if (Result<> const made = vdso::initialize(); !made) log_warn("programs run without a vDSO: {}", made.error());
    arch::set_syscall_handler(&handle_syscall);
    hal::hooks.user_exception = &handle_user_exception;
    set_exit_observer([](Process&, ExitStatus status) {
        program_status = status;
        program_ended.set();
    });
    return link::set_events({.signal = &on_host_signal, .window_changed = &on_window_change});
}

void run_program() {
    char note[300];
    Result<String> const text = take_manifest(vfs::root_namespace());
    if (!text) stop(kExitMachine, format_to(note, "no manifest in the initial archive: {}", text.error()));
    ManifestComplaint complaint;
    Result<Manifest> const manifest = parse_manifest(text->view(), complaint);
    if (!manifest)
        stop(kExitMachine, complaint.empty() ? std::string_view{"no memory for the manifest"} : complaint.view());

    elf::LoadedProgram program;
    Ref<Process> const process = make_process(*manifest, program);
    the_process.store(process.get(), std::memory_order_release);
    Start const start = note_start();
    (void)link::send_ready(start.time);
    std::string_view const name = base_name(manifest->executable);  // as it was called, not what links lead to
    if (!spawn_first_thread(*process, name, program.entry, program.stack_pointer))
        stop(kExitMachine, "no memory for the first thread; give the machine more (--memory)");

    (void)program_ended.wait();
    for (std::string_view const path : manifest->results)
        if (Result<> const sent = send_result(path); !sent)
            link::send_note(format_to(note, "{} could not be sent back: {}", path, sent.error()));
    (void)send_summary(start);
    link::send_exit(static_cast<u32>(program_status.code) & 0xff, static_cast<u32>(program_status.signal));
    hal::power_off();
}

}  // namespace tutti::linux_abi
