// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The machine that a guest asks for, whatever the platform.

#include <cstdint>
#include <string>

#include "architecture.hpp"

namespace tutti::cli {

struct MachineConfig {
    Architecture architecture = Architecture::X86_64;
    std::string machine;              // a word of Platform::machines()
    std::string accelerator = "auto"; // kvm, tcg, or auto: KVM where this host can
    std::string cpu_model;            // QEMU's word; empty: all that the accelerator has
    unsigned cpus = 1;
    std::uint64_t memory = 0;         // bytes
    std::string kernel;               // host path of the image
    std::string kernel_arguments;     // its command line
    int initrd_fd = -1;               // -1: none
    int link_fd = -1;                 // the guest's end of the host link; -1: none
    int monitor_fd = -1;              // QEMU's monitor, for people's commands (`nmi`); -1: none
    bool count_instructions = false;  // guest time is 1 ns for each instruction (TCG, 1 CPU): runs repeat exactly
    std::string debug_socket;         // gdb stub on this Unix socket, CPUs stopped; empty: none
};

// Default memory for an initial file system of `initrd_size` bytes: 512 MiB, more when it would not fit well.
std::uint64_t default_memory(std::uint64_t initrd_size);

}  // namespace tutti::cli
