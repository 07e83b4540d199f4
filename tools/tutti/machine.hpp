// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The virtual machine a guest runs on, and the QEMU command line that makes it.

#include <cstdint>
#include <string>
#include <vector>

namespace tutti::cli {

enum class MachineType { Q35, Pc, Microvm, VirtGicV2, VirtGicV3 };
[[nodiscard]] constexpr bool is_aarch64(MachineType type) {
    return type == MachineType::VirtGicV2 || type == MachineType::VirtGicV3;
}
enum class Accelerator { Kvm, Tcg };

// Words of --machine and --accel. Throw CliError. "auto" is KVM when this host's CPUs have hardware
// virtualisation and /dev/kvm may be opened, else TCG.
MachineType parse_machine(std::string const& word);
Accelerator choose_accelerator(std::string const& word);
// True when a flags line of `cpuinfo` (the text of /proc/cpuinfo) has vmx or svm.
bool cpu_has_virtualisation(std::string const& cpuinfo);

struct MachineConfig {
    MachineType type = MachineType::Q35;
    Accelerator accelerator = Accelerator::Tcg;
    unsigned cpus = 1;
    std::uint64_t memory = 0;       // bytes
    std::string kernel;             // host path of the image: ELF, for aarch64 the flat one
    std::string kernel_arguments;   // its command line
    int initrd_fd = -1;             // -1: none
    int link_fd = -1;               // the guest's end of the host link; -1: no virtio console
    int monitor_fd = -1;            // QEMU's monitor, for people's commands (`nmi`); -1: none
    bool count_instructions = false;  // guest time is 1 ns for each instruction (TCG, 1 CPU): runs repeat exactly
    std::string debug_socket;       // gdb stub on this Unix socket, CPUs stopped; empty: none
};

// Default memory for an initial file system of `initrd_size` bytes: 512 MiB, more when it would not fit well.
std::uint64_t default_memory(std::uint64_t initrd_size);

// argv for QEMU, which is found through PATH. The kernel log (the first serial port) goes to QEMU's standard output. How
// debug_exit(code) of the kernel shows: on x86_64 QEMU ends with status 2 * code + 1 (isa-debug-exit), on aarch64 with the
// code itself (semihosting).
// QEMU inherits initrd_fd and link_fd under these numbers. Throws CliError when the machine cannot have
// so many CPUs.
std::vector<std::string> qemu_arguments(MachineConfig const& config);

}  // namespace tutti::cli
