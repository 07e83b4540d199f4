// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// What a guest can run on. A platform is one class: which machines it has, which kernel image they boot, and the command
// that starts one. Add a platform by writing that class (platform_NAME.cpp) and naming it in platform.cpp.

#include <string>
#include <string_view>
#include <vector>

#include "architecture.hpp"
#include "machine.hpp"
#include "unique_fd.hpp"

namespace tutti::cli {

// A machine, ready to be started as a child process. What it prints is the kernel log.
struct Launch {
    std::vector<std::string> arguments;  // argv; the descriptors in MachineConfig keep their numbers in the child
    std::vector<UniqueFd> files;         // more that it opens as /proc/self/fd/N: kept until its end
    std::string install_advice;          // what to do when argv[0] is not found
};

// How a guest and this command are joined, where that is not the usual virtio console.
struct GuestTraits {
    bool link_on_console = false;  // the host link comes with the kernel log (hal/link_line.hpp): no input, no signals
    bool outlives_guest = false;   // the child goes on when the guest has switched itself off
    bool may_not_start = false;    // the guest may never begin, through no fault of its own: then it is tried again
};

enum class KernelFlavour { Release, Debug };

class Platform {
  public:
    virtual ~Platform() = default;

    // The word of --platform.
    [[nodiscard]] virtual std::string_view name() const = 0;
    // The words of --machine, the default first; none when it has no guests of this architecture.
    [[nodiscard]] virtual std::vector<std::string_view> machines(Architecture architecture) const = 0;
    // Why it has none.
    [[nodiscard]] virtual std::string_view no_machines(Architecture) const { return "there are no such guests."; }
    // File name of the kernel image, in the folder of this program.
    [[nodiscard]] virtual std::string kernel_file(Architecture architecture, KernelFlavour flavour) const = 0;
    // For --verbose: what the guest runs on, such as "QEMU q35, TCG". Throws like launch().
    [[nodiscard]] virtual std::string describe(MachineConfig const& config) const = 0;
    // Throws CliError when the machine cannot be had, saying what to do.
    [[nodiscard]] virtual Launch launch(MachineConfig const& config) const = 0;
    [[nodiscard]] virtual GuestTraits traits(Architecture) const { return {}; }
    // The exit status of the child when the kernel calls debug_exit(code) (kernel/hal/power.hpp).
    [[nodiscard]] virtual int exit_status(Architecture architecture, unsigned char code) const = 0;
};

// By the word of --platform; throws CliError for a word that is none, or a platform that is not in this build.
Platform const& find_platform(std::string const& word);
// `word` of --machine, or the default when it is empty; throws CliError when the platform has no such machine.
std::string choose_machine(Platform const& platform, Architecture architecture, std::string const& word);

Platform const& qemu_platform();
Platform const& linuxu_platform();
Platform const& xen_platform();

}  // namespace tutti::cli
