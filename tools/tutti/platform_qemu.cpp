// SPDX-License-Identifier: BSD-3-Clause
// QEMU, with KVM or TCG: found through PATH. The kernel log is the machine's first serial port.
#include <initializer_list>

#include "accelerator.hpp"
#include "cli_error.hpp"
#include "platform.hpp"
#include "size.hpp"

namespace tutti::cli {
namespace {

// Above this, processors need x2APIC ids, and interrupts to them an IOMMU with extended ids.
constexpr unsigned kXapicCpus = 255;
constexpr unsigned kMaxQ35Cpus = 288;
constexpr unsigned kMaxGicV2Cpus = 8;
constexpr unsigned kMaxVirtCpus = 512;

struct QemuMachine {
    std::string_view word;
    Architecture architecture;
    std::string_view argument;  // of -machine
};
constexpr QemuMachine kMachines[] = {
    {"q35", Architecture::X86_64, "q35"},
    {"pc", Architecture::X86_64, "pc"},
    {"microvm", Architecture::X86_64, "microvm,acpi=on,isa-serial=on,rtc=on"},
    {"virt-gicv3", Architecture::Aarch64, "virt,gic-version=3"},
    {"virt-gicv2", Architecture::Aarch64, "virt,gic-version=2"},
};

std::string_view machine_argument(std::string const& word) {
    for (QemuMachine const& machine : kMachines) {
        if (machine.word == word) return machine.argument;
    }
    throw CliError("--machine " + word + ": QEMU is not asked for such a machine.");
}

void check_cpus(MachineConfig const& config, bool kvm) {
    auto const refuse = [&](std::string const& why) { throw CliError("--cpus " + std::to_string(config.cpus) + ": " + why); };
    if (config.cpus == 0) refuse("a machine has at least one CPU.");
    if (config.machine == "virt-gicv2" && config.cpus > kMaxGicV2Cpus) {
        refuse("a GICv2 serves at most " + std::to_string(kMaxGicV2Cpus) + " CPUs. With more, take --machine virt-gicv3.");
    }
    if (config.architecture == Architecture::Aarch64 && config.cpus > kMaxVirtCpus) {
        refuse("QEMU gives at most " + std::to_string(kMaxVirtCpus) + " CPUs here.");
    }
    if (config.architecture == Architecture::X86_64 && config.cpus > kXapicCpus &&
        (config.machine != "q35" || !kvm || config.cpus > kMaxQ35Cpus)) {
        refuse("QEMU gives at most " + std::to_string(kXapicCpus) + " CPUs here (with KVM on q35, at most " +
               std::to_string(kMaxQ35Cpus) + ").");
    }
}

class Qemu final : public Platform {
  public:
    [[nodiscard]] std::string_view name() const override { return "qemu"; }

    [[nodiscard]] std::vector<std::string_view> machines(Architecture architecture) const override {
        std::vector<std::string_view> words;
        for (QemuMachine const& machine : kMachines) {
            if (machine.architecture == architecture) words.push_back(machine.word);
        }
        return words;
    }

    [[nodiscard]] std::string kernel_file(Architecture architecture, KernelFlavour flavour) const override {
        std::string const suffix = architecture == Architecture::Aarch64 ? ".Image" : ".elf";
        return (flavour == KernelFlavour::Debug ? "tutti-kernel-debug-" : "tutti-kernel-") + std::string(info(architecture).name) + suffix;
    }

    [[nodiscard]] std::string describe(MachineConfig const& config) const override {
        bool const kvm = choose_accelerator(config.accelerator, config.architecture) == Accelerator::Kvm;
        return "QEMU " + config.machine + (kvm ? ", KVM" : ", TCG");
    }

    [[nodiscard]] Launch launch(MachineConfig const& config) const override;

    // isa-debug-exit makes (value << 1) | 1 of it; semihosting leaves it alone.
    [[nodiscard]] int exit_status(Architecture architecture, unsigned char code) const override {
        return architecture == Architecture::X86_64 ? code << 1 | 1 : code;
    }
};

Launch Qemu::launch(MachineConfig const& config) const {
    bool const kvm = choose_accelerator(config.accelerator, config.architecture) == Accelerator::Kvm;
    bool const arm = config.architecture == Architecture::Aarch64;
    bool const microvm = config.machine == "microvm";
    check_cpus(config, kvm);
    std::string machine(machine_argument(config.machine));

    std::vector<std::string> arguments{"qemu-system-" + std::string(info(config.architecture).name), "-name", "tutti", "-nodefaults",
                                       "-no-user-config", "-display", "none", "-no-reboot"};
    auto const add = [&](std::initializer_list<std::string> words) {
        arguments.insert(arguments.end(), words.begin(), words.end());
    };
    if (!arm && config.cpus > kXapicCpus) {
        machine += ",kernel-irqchip=split";
        add({"-device", "intel-iommu,intremap=on,eim=on"});
    }
    add({"-machine", machine});
    std::string const cpu = config.cpu_model.empty() ? "max" : config.cpu_model;
    if (config.count_instructions) {
        if (kvm || config.cpus != 1) throw CliError("Counting instructions works with --accel tcg and one CPU only.");
        add({"-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-cpu", cpu});
    } else {
        add({"-accel", kvm ? "kvm" : "tcg,thread=multi", "-cpu", cpu});
    }
    add({"-smp", std::to_string(config.cpus), "-m", "size=" + format_size(config.memory)});
    add({"-kernel", config.kernel});
    if (!config.kernel_arguments.empty()) add({"-append", config.kernel_arguments});
    if (config.initrd_fd >= 0) add({"-initrd", "/proc/self/fd/" + std::to_string(config.initrd_fd)});

    add({"-chardev", "stdio,id=log,signal=off,mux=off", "-serial", "chardev:log"});
    if (!arm) {
        add({"-device", "isa-debug-exit,iobase=0xf4,iosize=4"});
    } else if (config.debug_socket.empty()) {
        // target=gdb keeps the guest from the host's files: semihosting calls but for the exit go to a debugger, and there is none.
        add({"-semihosting-config", "enable=on,target=gdb"});
    }
    if (microvm) add({"-global", "virtio-mmio.force-legacy=off"});
    std::string const bus = microvm ? "-device" : "-pci-non-transitional";
    if (config.link_fd >= 0) {
        add({"-chardev", "socket,id=link,fd=" + std::to_string(config.link_fd)});
        // A port, not a console: QEMU drops what a console writes while the other end is not reading.
        add({"-device", "virtio-serial" + bus, "-device", "virtserialport,chardev=link,nr=1"});
    }
    add({"-object", "rng-builtin,id=rng", "-device", "virtio-rng" + bus + ",rng=rng"});
    if (config.monitor_fd >= 0) {
        add({"-chardev", "socket,id=monitor,fd=" + std::to_string(config.monitor_fd), "-mon", "chardev=monitor,mode=readline"});
    }
    if (!config.debug_socket.empty()) {
        add({"-S", "-chardev", "socket,id=gdb,server=on,wait=off,path=" + config.debug_socket, "-gdb", "chardev:gdb"});
    }
    return {.arguments = std::move(arguments),
            .files = {},
            .install_advice = std::string("Install it with: apt-get install ") + (arm ? "qemu-system-arm" : "qemu-system-x86")};
}

}  // namespace

Platform const& qemu_platform() {
    static Qemu const platform;
    return platform;
}

}  // namespace tutti::cli
