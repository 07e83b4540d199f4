// SPDX-License-Identifier: BSD-3-Clause
#include "platform.hpp"

#include <algorithm>

#include "cli_error.hpp"

namespace tutti::cli {
namespace {

std::string list_words(std::vector<std::string_view> const& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i != 0) text += i + 1 == words.size() ? " or " : ", ";
        text += words[i];
    }
    return text;
}

}  // namespace

Platform const& find_platform(std::string const& word) {
    if (word == "qemu") return qemu_platform();
    if (word == "linuxu") return linuxu_platform();
    if (word == "xen") return xen_platform();
    throw CliError("--platform " + word + ": choose qemu, linuxu or xen.");
}

std::string choose_machine(Platform const& platform, Architecture architecture, std::string const& word) {
    auto const machines = platform.machines(architecture);
    std::string const guest = std::string(platform.name()) + " with --arch " + std::string(info(architecture).name);
    if (machines.empty()) throw CliError("--platform " + guest + ": " + std::string(platform.no_machines(architecture)), kNotExecutable);
    if (word.empty()) return std::string(machines.front());
    if (std::ranges::find(machines, word) != machines.end()) return word;
    for (Architecture const other : kArchitectures) {
        auto const others = platform.machines(other);
        if (std::ranges::find(others, word) == others.end()) continue;
        throw CliError("--machine " + word + " has CPUs of --arch " + std::string(info(other).name) + ", but the guest's is " +
                       std::string(info(architecture).name) + ". Choose " + list_words(machines) + ", or leave --machine out.");
    }
    throw CliError("--machine " + word + ": on --platform " + guest + ", choose " + list_words(machines) + ".");
}

}  // namespace tutti::cli
