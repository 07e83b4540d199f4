// SPDX-License-Identifier: BSD-3-Clause
#include "machine.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli_error.hpp"
#include "size.hpp"

namespace tutti::cli {
namespace {

// Above this, processors need x2APIC ids, and interrupts to them an IOMMU with extended ids.
constexpr unsigned kXapicCpus = 255;
constexpr unsigned kMaxQ35Cpus = 288;
constexpr unsigned kMaxGicV2Cpus = 8;
constexpr unsigned kMaxVirtCpus = 512;

}  // namespace

MachineType parse_machine(std::string const& word) {
    if (word == "q35") return MachineType::Q35;
    if (word == "pc") return MachineType::Pc;
    if (word == "microvm") return MachineType::Microvm;
    if (word == "virt-gicv2") return MachineType::VirtGicV2;
    if (word == "virt-gicv3") return MachineType::VirtGicV3;
    throw CliError("--machine " + word + ": choose q35, pc, microvm, virt-gicv2 or virt-gicv3.");
}

bool cpu_has_virtualisation(std::string const& cpuinfo) {
    std::istringstream lines(cpuinfo);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("flags")) continue;
        std::istringstream words(line);
        for (std::string word; words >> word;) {
            if (word == "vmx" || word == "svm") return true;
        }
        return false;
    }
    return false;
}

Accelerator choose_accelerator(std::string const& word) {
    if (word == "kvm") return Accelerator::Kvm;
    if (word == "tcg") return Accelerator::Tcg;
    if (word != "auto") throw CliError("--accel " + word + ": choose auto, kvm or tcg.");
    std::ifstream file("/proc/cpuinfo");
    std::string const cpuinfo(std::istreambuf_iterator<char>(file), {});
    bool const usable = cpu_has_virtualisation(cpuinfo) && ::access("/dev/kvm", R_OK | W_OK) == 0;
    return usable ? Accelerator::Kvm : Accelerator::Tcg;
}

std::uint64_t default_memory(std::uint64_t initrd_size) {
    constexpr std::uint64_t kUnit = 2 * kMiB;
    std::uint64_t const wanted = (2 * initrd_size + 256 * kMiB + kUnit - 1) / kUnit * kUnit;
    return std::max(512 * kMiB, wanted);
}

std::vector<std::string> qemu_arguments(MachineConfig const& config) {
    bool const kvm = config.accelerator == Accelerator::Kvm;
    bool const microvm = config.type == MachineType::Microvm;
    bool const arm = is_aarch64(config.type);
    bool const many = !arm && config.cpus > kXapicCpus;
    if (config.cpus == 0) throw CliError("--cpus 0: a machine has at least one CPU.");
    if (unsigned const most = config.type == MachineType::VirtGicV2 ? kMaxGicV2Cpus : kMaxVirtCpus; arm && config.cpus > most) {
        throw CliError("--cpus " + std::to_string(config.cpus) + ": this machine has at most " + std::to_string(most) + " CPUs.");
    }
    if (many && (config.type != MachineType::Q35 || !kvm || config.cpus > kMaxQ35Cpus)) {
        throw CliError("--cpus " + std::to_string(config.cpus) + ": QEMU gives at most " + std::to_string(kXapicCpus) +
                       " CPUs here (with KVM on q35, at most " + std::to_string(kMaxQ35Cpus) + ").");
    }

    std::vector<std::string> arguments{arm ? "qemu-system-aarch64" : "qemu-system-x86_64", "-name", "tutti", "-nodefaults", "-no-user-config",
                                       "-display", "none", "-no-reboot"};
    auto const add = [&](std::initializer_list<std::string> words) {
        arguments.insert(arguments.end(), words.begin(), words.end());
    };
    switch (config.type) {
        case MachineType::Q35: add({"-machine", many ? "q35,kernel-irqchip=split" : "q35"}); break;
        case MachineType::Pc: add({"-machine", "pc"}); break;
        case MachineType::Microvm: add({"-machine", "microvm,acpi=on,isa-serial=on,rtc=on"}); break;
        case MachineType::VirtGicV2: add({"-machine", "virt,gic-version=2"}); break;
        case MachineType::VirtGicV3: add({"-machine", "virt,gic-version=3"}); break;
    }
    if (many) add({"-device", "intel-iommu,intremap=on,eim=on"});
    // One machine has an ARMv8.0 CPU, so that nothing may rely on later extensions, the other all there are.
    std::string const cpu = config.type == MachineType::VirtGicV2 && !kvm ? "cortex-a57" : "max";
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
    if (arm) {
        add({"-semihosting-config", "enable=on,target=native"});
    } else {
        add({"-device", "isa-debug-exit,iobase=0xf4,iosize=4"});
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
    return arguments;
}

}  // namespace tutti::cli
