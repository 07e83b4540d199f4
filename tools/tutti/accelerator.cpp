// SPDX-License-Identifier: BSD-3-Clause
#include "accelerator.hpp"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "cli_error.hpp"

namespace tutti::cli {
namespace {

bool host_can_virtualise(Architecture guest) {
    if (host_architecture() != guest || ::access("/dev/kvm", R_OK | W_OK) != 0) return false;
    if (guest != Architecture::X86_64) return true;  // an Arm host has /dev/kvm only where KVM works
    std::ifstream file("/proc/cpuinfo");
    return cpu_has_virtualisation(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace

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

Accelerator choose_accelerator(std::string const& word, Architecture guest) {
    if (word == "tcg") return Accelerator::Tcg;
    if (word == "auto") return host_can_virtualise(guest) ? Accelerator::Kvm : Accelerator::Tcg;
    if (word != "kvm") throw CliError("--accel " + word + ": choose auto, kvm or tcg.");
    if (host_architecture() != guest) {
        throw CliError("--accel kvm: this host cannot run " + std::string(info(guest).name) + " code. Leave --accel out.");
    }
    return Accelerator::Kvm;
}

}  // namespace tutti::cli
