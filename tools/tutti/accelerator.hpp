// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Who executes the guest's instructions: the host's CPUs, or QEMU's translator.

#include <string>

#include "architecture.hpp"

namespace tutti::cli {

enum class Accelerator { Kvm, Tcg };

// A word of --accel; throws CliError. "auto" is KVM when this host's CPUs are of the guest's architecture and can
// virtualise, and /dev/kvm may be opened, else TCG.
Accelerator choose_accelerator(std::string const& word, Architecture guest);
// True when a flags line of `cpuinfo` (the text of /proc/cpuinfo) has vmx or svm.
bool cpu_has_virtualisation(std::string const& cpuinfo);

}  // namespace tutti::cli
