// SPDX-License-Identifier: BSD-3-Clause
#include "program.hpp"

#include <elf.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli_error.hpp"
#include "elf_file.hpp"

namespace tutti::cli {
namespace {

bool is_executable_file(Resolved const& file) {
    return S_ISREG(file.status.st_mode) && (file.status.st_mode & 0111) != 0;
}

// The guest path of `name`, as it will be called in the guest (links kept); throws when nowhere.
std::string locate(SourceTree const& tree, std::string const& name, std::string const& search_path) {
    if (name.find('/') != std::string::npos) {
        std::string const path = tree.is_host() ? std::filesystem::absolute(name).string() : name;
        auto const found = tree.resolve(path);
        if (!found) {
            throw CliError(name + " does not exist" + (tree.is_host() ? "." : " in --root " + tree.root() + "."), kNotFound);
        }
        if (!is_executable_file(*found)) {
            throw CliError(name + " is not an executable file. If it is a program: chmod +x it.", kNotExecutable);
        }
        return normalise_guest_path(path);
    }
    std::stringstream directories(search_path);
    for (std::string directory; std::getline(directories, directory, ':');) {
        if (!directory.starts_with('/')) continue;
        std::string const path = normalise_guest_path(directory + "/" + name);
        auto const found = tree.resolve(path);
        if (found && is_executable_file(*found)) return path;
    }
    throw CliError("No program '" + name + "' in " +
                       (tree.is_host() ? "the host's PATH. Install its Debian package, or give its path."
                                       : "--root " + tree.root() + " (looked in " + search_path + ")."),
                   kNotFound);
}

// The line after "#!", or empty.
std::string script_line(std::string const& host_path) {
    std::ifstream file(host_path, std::ios::binary);
    char magic[2] = {};
    file.read(magic, 2);
    if (file.gcount() != 2 || magic[0] != '#' || magic[1] != '!') return {};
    constexpr std::size_t kLongest = 4096;
    std::string line;
    std::getline(file, line);
    line.resize(std::min(line.size(), kLongest));
    std::size_t const first = line.find_first_not_of(" \t");
    if (first == std::string::npos) return {};
    return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Program find_program(SourceTree const& tree, std::vector<std::string> const& command, std::string const& search_path) {
    Program program{.executable = locate(tree, command.at(0), search_path), .arguments = command, .files = {}};
    constexpr int kMaxInterpreters = 5;
    for (int depth = 0; depth <= kMaxInterpreters; ++depth) {
        auto const file = tree.resolve(program.executable);
        if (!file) throw CliError(program.executable + " does not exist.", kNotFound);
        program.files.push_back(*file);
        if (auto const info = read_elf(file->host_path)) {
            auto const architecture = info->architecture();
            if (!architecture) {
                std::string const what = info->type != ET_EXEC && info->type != ET_DYN && architecture_of_elf(info->machine)
                                             ? "not a program (an object or core file)"
                                             : "a program for " + machine_name(info->machine);
                throw CliError(program.executable + " is " + what + "; guests run Linux programs for x86-64 and AArch64.",
                               kNotExecutable);
            }
            program.architecture = *architecture;
            return program;
        }
        std::string const line = script_line(file->host_path);
        if (line.empty()) {
            throw CliError(program.executable + " is neither an ELF program nor a script with a #! line.", kNotExecutable);
        }
        std::size_t const space = line.find_first_of(" \t");
        std::string interpreter = line.substr(0, space);
        std::string argument =
            space == std::string::npos ? "" : line.substr(std::min(line.find_first_not_of(" \t", space), line.size()));
        std::string const script = program.executable;
        std::string name = interpreter;
        if (interpreter.ends_with("/env") && !argument.empty() && !argument.starts_with('-') &&
            argument.find_first_of(" \t=") == std::string::npos) {
            name = argument;
            interpreter = locate(tree, argument, search_path);
            argument.clear();
        }
        std::vector<std::string> arguments{name};
        if (!argument.empty()) arguments.push_back(argument);
        arguments.push_back(script);
        arguments.insert(arguments.end(), program.arguments.begin() + 1, program.arguments.end());
        program.arguments = std::move(arguments);
        program.executable = interpreter;
        if (!tree.resolve(interpreter)) {
            throw CliError(script + " asks for the interpreter " + interpreter + ", which does not exist.", kNotFound);
        }
    }
    throw CliError(command[0] + ": too many interpreters call each other.", kNotExecutable);
}

}  // namespace tutti::cli
