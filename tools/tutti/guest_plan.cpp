// SPDX-License-Identifier: BSD-3-Clause
#include "guest_plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "cli_error.hpp"
#include "guest_files.hpp"
#include "program.hpp"
#include "size.hpp"
#include "source_tree.hpp"

namespace tutti::cli {
namespace {

constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string> guest_environment(std::vector<std::string> const& wanted, bool terminal) {
    std::vector<std::string> environment{std::string("PATH=") + kDefaultPath, "HOME=/root", "USER=root"};
    if (char const* term = std::getenv("TERM"); terminal && term != nullptr) {
        environment.push_back(std::string("TERM=") + term);
    }
    for (std::string const& variable : wanted) {
        std::size_t const equals = variable.find('=');
        std::string const name = variable.substr(0, equals);
        if (name.empty()) throw CliError("--env " + variable + ": write it as --env NAME=VALUE or --env NAME.");
        std::erase_if(environment, [&](std::string const& other) { return other.starts_with(name + "="); });
        if (equals != std::string::npos) {
            environment.push_back(variable);
        } else if (char const* value = std::getenv(name.c_str()); value != nullptr) {
            environment.push_back(name + "=" + value);
        }
    }
    return environment;
}

std::string value_of(std::vector<std::string> const& environment, std::string_view name) {
    for (std::string const& variable : environment) {
        if (variable.starts_with(std::string(name) + "=")) return variable.substr(name.size() + 1);
    }
    return {};
}

std::string kernel_image(RunOptions const& options, Platform const& platform, Architecture architecture) {
    std::string path = options.kernel;
    if (path.empty()) {
        path = build_directory() + "/" +
               platform.kernel_file(architecture, options.debug_kernel ? KernelFlavour::Debug : KernelFlavour::Release);
    }
    if (::access(path.c_str(), R_OK) != 0) {
        throw CliError("No kernel image at " + path + ". Build it with: make build");
    }
    return path;
}

// The program's; --arch must agree.
Architecture guest_architecture(RunOptions const& options, Program const& program) {
    if (options.architecture.empty()) return program.architecture;
    Architecture const wanted = parse_architecture(options.architecture);
    if (wanted != program.architecture) {
        std::string const name(info(wanted).name);
        throw CliError(program.executable + " is a program for " + std::string(info(program.architecture).name) +
                           ", and --arch " + name + " was given. Leave --arch out, or name a program for " + name +
                           " (with --root DIR, one in a directory tree of its own).",
                       kNotExecutable);
    }
    return wanted;
}

}  // namespace

std::string build_directory() {
    std::error_code error;
    std::filesystem::path const self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "." : self.parent_path().string();
}

GuestPlan make_guest_plan(RunOptions const& options) {
    GuestPlan plan;
    plan.manifest.terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    plan.manifest.input_from_link = options.input == "link";
    plan.manifest.environment = guest_environment(options.environment, plan.manifest.terminal);
    plan.manifest.working_directory = normalise_guest_path(options.working_directory);
    for (std::string const& text : options.outputs) {
        plan.outputs.push_back(parse_path_pair(text, "--out", "GUEST:HOST"));
        plan.outputs.back().first = normalise_guest_path(plan.outputs.back().first);
        plan.manifest.outputs.push_back(plan.outputs.back().first);
    }

    plan.platform = &find_platform(options.platform);
    SourceTree const tree(options.root);
    std::string search_path = kDefaultPath;
    if (char const* path = std::getenv("PATH"); tree.is_host() && path != nullptr) search_path = path;
    Program const program = find_program(tree, options.command, search_path);
    Architecture const architecture = guest_architecture(options, program);
    bool const link_on_console = plan.platform->traits(architecture).link_on_console;
    if (link_on_console) plan.manifest.input_from_link = plan.manifest.terminal = false;
    plan.manifest.executable = program.executable;
    plan.manifest.arguments = program.arguments;

    plan.machine = {.architecture = architecture,
                    .machine = choose_machine(*plan.platform, architecture, options.machine),
                    .accelerator = options.accelerator,
                    .cpu_model = options.cpu_model,
                    .cpus = options.cpus,
                    .kernel = kernel_image(options, *plan.platform, architecture),
                    .kernel_arguments = (link_on_console ? "link=console " : "") + options.append};

    GuestFiles guest(tree, architecture, value_of(plan.manifest.environment, "LD_LIBRARY_PATH"));
    guest.add_working_directory(plan.manifest.working_directory);
    for (std::string const& text : options.copies) {
        PathPair const pair = parse_path_pair(text, "--copy", "HOST:GUEST");
        std::string const target = text.find(':') == std::string::npos ? std::filesystem::absolute(pair.second).string() : pair.second;
        if (!target.starts_with('/')) throw CliError("--copy " + text + ": the guest's path starts with '/'.");
        guest.add_copy(pair.first, target);
    }
    guest.add_program(program);
    guest.finish();
    plan.notes = guest.notes();
    plan.initrd = std::make_unique<Initrd>(plan.manifest, guest.files());
    plan.machine.initrd_fd = plan.initrd->fd();
    plan.machine.memory = options.memory.empty() ? default_memory(plan.initrd->size()) : parse_size(options.memory);
    if (plan.machine.memory <= plan.initrd->size() + kMiB) {
        throw CliError("--memory " + options.memory + " does not hold the guest's files (" +
                       format_size((plan.initrd->size() + kMiB - 1) / kMiB * kMiB) + "). Give more, or leave --memory out.");
    }
    return plan;
}

}  // namespace tutti::cli
