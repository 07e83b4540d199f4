// SPDX-License-Identifier: BSD-3-Clause
// linuxu: the kernel as a process of this host. Its CPUs are the host's, so it is the host's architecture.
#include "platform.hpp"
#include "size.hpp"

namespace tutti::cli {
namespace {

class Linuxu final : public Platform {
  public:
    [[nodiscard]] std::string_view name() const override { return "linuxu"; }

    [[nodiscard]] std::vector<std::string_view> machines(Architecture architecture) const override {
        if (architecture != Architecture::X86_64 || host_architecture() != architecture) return {};
        return {"process"};
    }

    [[nodiscard]] std::string_view no_machines(Architecture architecture) const override {
        if (architecture == Architecture::Aarch64)
            return "on Arm64 this kernel runs its unit tests as a process, but no programs yet. Use --platform qemu.";
        return "its CPUs are this host's, which has others. Use --platform qemu.";
    }

    [[nodiscard]] std::string kernel_file(Architecture, KernelFlavour flavour) const override {
        return flavour == KernelFlavour::Debug ? "tutti-kernel-debug-linuxu" : "tutti-kernel-linuxu";
    }

    [[nodiscard]] std::string describe(MachineConfig const&) const override { return "a process"; }

    [[nodiscard]] Launch launch(MachineConfig const& config) const override {
        std::vector<std::string> arguments{config.kernel, "--cpus", std::to_string(config.cpus), "--memory",
                                           format_size(config.memory)};
        auto const add_file = [&](char const* option, int file) {
            if (file >= 0) arguments.insert(arguments.end(), {option, std::to_string(file)});
        };
        add_file("--initrd-fd", config.initrd_fd);
        add_file("--link-fd", config.link_fd);
        if (!config.kernel_arguments.empty()) arguments.push_back(config.kernel_arguments);
        return {.arguments = std::move(arguments), .files = {}, .install_advice = "Build it with: make build"};
    }

    [[nodiscard]] int exit_status(Architecture, unsigned char code) const override { return code; }
};

}  // namespace

Platform const& linuxu_platform() {
    static Linuxu const platform;
    return platform;
}

}  // namespace tutti::cli
