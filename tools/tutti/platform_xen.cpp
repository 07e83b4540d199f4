// SPDX-License-Identifier: BSD-3-Clause
// Real Xen inside QEMU's emulation: on x86_64 with the guest as the first domain (PVH; QEMU emulates AMD's SVM), on Arm64
// as a domain that Xen starts by itself (dom0less; EL2). The guest's console is among Xen's words on the serial port.
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fcntl.h>
#include <fstream>
#include <initializer_list>
#include <iterator>

#include "child_process.hpp"
#include "cli_error.hpp"
#include "platform.hpp"
#include "size.hpp"
#include "xen_device_tree.hpp"

namespace tutti::cli {
namespace {

constexpr std::uint64_t kXenMemory = 256 * kMiB;  // for Xen and what the domain's size is rounded up to
constexpr std::uint64_t kArmRam = kGiB;           // where it starts
constexpr std::uint64_t kFirstModule = kArmRam + 256 * kMiB;  // behind Xen and the tree, which QEMU places
constexpr std::uint64_t kModuleAlignment = 2 * kMiB;

std::string own_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::uint64_t size_of(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) throw CliError("Cannot tell the size of a file for the machine.");
    return static_cast<std::uint64_t>(info.st_size);
}

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

UniqueFd open_file(std::string const& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) throw CliError("Cannot open " + path + ".");
    return fd;
}

// Beside the kernel images of the build.
std::string hypervisor(MachineConfig const& config) {
    std::filesystem::path const folder = std::filesystem::path(config.kernel).parent_path();
    std::string const path = (folder / "xen" / ("xen-" + std::string(info(config.architecture).name))).string();
    if (::access(path.c_str(), R_OK) != 0) {
        throw CliError("No Xen at " + path + ". The build fetches it: cmake --preset default, with Debian's mirror in reach.");
    }
    return path;
}

// Commas part the modules of QEMU's -initrd.
std::string with_double_commas(std::string const& text) {
    std::string result;
    for (char const c : text) result.append(c == ',' ? 2 : 1, c);
    return result;
}

std::string contents(std::string const& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

struct TemporaryFolder {
    std::string path = (std::filesystem::temp_directory_path() / "tutti-XXXXXX").string();

    TemporaryFolder() {
        if (::mkdtemp(path.data()) == nullptr) throw CliError("Cannot make a directory in " + path + ".");
    }
    TemporaryFolder(TemporaryFolder const&) = delete;
    TemporaryFolder& operator=(TemporaryFolder const&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

// The tree of the machine that `arguments` make, as QEMU tells it.
std::string machine_tree(std::vector<std::string> arguments, std::string const& advice) {
    TemporaryFolder const folder;
    std::string const path = folder.path + "/machine.dtb";  // QEMU renames a file into its place
    UniqueFd const words(::memfd_create("errors", MFD_CLOEXEC));
    if (!words.valid()) throw CliError("No memory for QEMU's messages.");
    arguments.insert(arguments.end(), {"-machine", "dumpdtb=" + path});
    ChildProcess qemu({.arguments = arguments, .inherited = {}, .output = words.get(), .error = words.get()}, advice);
    int const status = *qemu.wait(true);
    std::string const tree = contents(path);
    if (status != 0 || tree.empty()) {
        throw CliError("QEMU gives no device tree of this machine. It says:\n" + contents("/proc/self/fd/" + std::to_string(words.get())));
    }
    return tree;
}

UniqueFd in_memory(std::string const& bytes) {
    UniqueFd fd(::memfd_create("device-tree", MFD_CLOEXEC));
    if (!fd.valid() || ::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        throw CliError("No memory for the device tree.");
    }
    return fd;
}

class Xen final : public Platform {
  public:
    [[nodiscard]] std::string_view name() const override { return "xen"; }
    [[nodiscard]] std::vector<std::string_view> machines(Architecture) const override { return {"xen"}; }
    [[nodiscard]] std::string kernel_file(Architecture architecture, KernelFlavour flavour) const override {
        return qemu_platform().kernel_file(architecture, flavour);  // one image for every hypervisor
    }
    [[nodiscard]] std::string describe(MachineConfig const&) const override { return "Xen 4.17 in QEMU, TCG"; }
    [[nodiscard]] Launch launch(MachineConfig const& config) const override;
    // Without a first domain nobody switches Xen off.
    [[nodiscard]] GuestTraits traits(Architecture) const override {
        return {.link_on_console = true, .outlives_guest = true, .may_not_start = true};
    }
    // The machine's devices are the first domain's; semihosting is for every domain.
    [[nodiscard]] int exit_status(Architecture architecture, unsigned char code) const override {
        return qemu_platform().exit_status(architecture, code);
    }
};

void add(std::vector<std::string>& arguments, std::initializer_list<std::string> words) {
    arguments.insert(arguments.end(), words.begin(), words.end());
}

Launch launch_x86_64(MachineConfig const& config, std::vector<std::string> arguments, std::string const& advice) {
    std::vector<UniqueFd> files;
    files.push_back(open_file(config.kernel));
    std::string modules = own_path(files.back().get()) + " " + with_double_commas(config.kernel_arguments);
    if (config.initrd_fd >= 0) modules += "," + own_path(config.initrd_fd);
    // An invariant TSC, as every processor of these days has, keeps Xen from emulating the guest's; QEMU offers none of its
    // own accord, since a guest that moved to another host would see it change.
    std::string const cpu = config.cpu_model.empty() ? "qemu64,+svm,+npt,+invtsc,x-force-features=on" : config.cpu_model;
    add(arguments, {"-machine", "q35", "-cpu", cpu, "-m", "size=" + format_size(config.memory + kXenMemory)});
    add(arguments, {"-kernel", hypervisor(config), "-initrd", modules, "-append",
                    "dom0=pvh dom0-iommu=none dom0_mem=" + std::to_string(config.memory / kKiB) + "K dom0_max_vcpus=" +
                        std::to_string(config.cpus) + " console=com1 com1=115200,8n1 bootscrub=0"});
    add(arguments, {"-device", "isa-debug-exit,iobase=0xf4,iosize=4"});
    return {.arguments = std::move(arguments), .files = std::move(files), .install_advice = advice};
}

Launch launch_aarch64(MachineConfig const& config, std::vector<std::string> arguments, std::string const& advice) {
    std::vector<UniqueFd> files;
    files.push_back(open_file(config.kernel));
    int const kernel_fd = files.back().get();
    XenDomain domain{.cpus = config.cpus,
                     .memory = config.memory,
                     .kernel = {kFirstModule, size_of(kernel_fd)},
                     .ramdisk = {},
                     .kernel_arguments = config.kernel_arguments,
                     .xen_arguments = "console=dtuart dtuart=/pl011@9000000 guest_loglvl=all bootscrub=0"};
    std::uint64_t end = kFirstModule + round_up(domain.kernel.size, kModuleAlignment);
    if (config.initrd_fd >= 0) {
        domain.ramdisk = {end, size_of(config.initrd_fd)};
        end += round_up(domain.ramdisk.size, kModuleAlignment);
    }
    std::string const cpu = config.cpu_model.empty() ? "cortex-a57" : config.cpu_model;
    add(arguments, {"-machine", "virt,virtualization=on,gic-version=3", "-cpu", cpu, "-m",
                    "size=" + format_size(round_up(end - kArmRam + config.memory + kXenMemory, kXenMemory))});
    files.push_back(in_memory(xen_device_tree(machine_tree(arguments, advice), domain)));
    add(arguments, {"-kernel", hypervisor(config), "-dtb", own_path(files.back().get())});
    auto const load = [&](int fd, XenModule const& module) {
        add(arguments, {"-device", "loader,file=" + own_path(fd) + ",addr=" + std::to_string(module.address) + ",force-raw=on"});
    };
    load(kernel_fd, domain.kernel);
    if (domain.ramdisk.size != 0) load(config.initrd_fd, domain.ramdisk);
    add(arguments, {"-semihosting-config", "enable=on,target=gdb"});  // of it the guest has only the exit
    return {.arguments = std::move(arguments), .files = std::move(files), .install_advice = advice};
}

Launch Xen::launch(MachineConfig const& config) const {
    if (config.accelerator == "kvm") throw CliError("--accel kvm: Xen runs in QEMU's emulation here. Leave --accel out.");
    if (config.count_instructions) throw CliError("Counting instructions does not work with Xen.");
    if (config.cpus == 0) throw CliError("--cpus 0: a machine has at least one CPU.");
    bool const arm = config.architecture == Architecture::Aarch64;
    std::vector<std::string> arguments{"qemu-system-" + std::string(info(config.architecture).name), "-name", "tutti",
                                       "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"};
    add(arguments, {"-accel", "tcg,thread=multi", "-smp", std::to_string(config.cpus)});
    std::string const advice = std::string("Install it with: apt-get install ") + (arm ? "qemu-system-arm" : "qemu-system-x86");
    Launch launch = arm ? launch_aarch64(config, std::move(arguments), advice) : launch_x86_64(config, std::move(arguments), advice);
    add(launch.arguments, {"-chardev", "stdio,id=log,signal=off,mux=off", "-serial", "chardev:log"});
    if (config.monitor_fd >= 0) {
        add(launch.arguments, {"-chardev", "socket,id=monitor,fd=" + std::to_string(config.monitor_fd), "-mon",
                               "chardev=monitor,mode=readline"});
    }
    return launch;
}

}  // namespace

Platform const& xen_platform() {
    static Xen const platform;
    return platform;
}

}  // namespace tutti::cli
