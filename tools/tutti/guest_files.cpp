// SPDX-License-Identifier: BSD-3-Clause
#include "guest_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "cli_error.hpp"
#include "companions.hpp"

namespace tutti::cli {
namespace {

constexpr char kPasswd[] =
    "root:x:0:0:root:/root:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
constexpr char kGroup[] =
    "root:x:0:\n"
    "tty:x:5:\n"
    "nogroup:x:65534:\n";
constexpr char kHosts[] =
    "127.0.0.1 localhost tutti\n"
    "::1 localhost ip6-localhost\n";
constexpr char kNsswitch[] =
    "passwd: files\n"
    "group: files\n"
    "shadow: files\n"
    "hosts: files dns\n"
    "networks: files\n"
    "protocols: files\n"
    "services: files\n";

bool is_root_link(SourceTree const& tree, std::string const& path) {
    struct stat status {};
    return ::lstat(tree.host_path(path).c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

GuestFiles::GuestFiles(SourceTree const& tree, Architecture architecture, std::string const& library_path)
    : tree_(tree), architecture_(architecture), closure_(tree, architecture, files_, library_path) {
    add_skeleton();
}

void GuestFiles::add_skeleton() {
    // First the links of a merged /usr, so that everything beneath them lands where they lead.
    for (char const* link : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
        if (!is_root_link(tree_, link)) continue;
        if (auto const target = tree_.resolve(link)) {
            for (auto const& [path, to] : target->links) files_.add_symlink(path, to);
            files_.add_directory(target->guest_path);
        }
    }
    for (char const* directory : {"/dev", "/etc", "/proc", "/run", "/sys", "/usr", "/var"}) files_.add_directory(directory);
    files_.add_directory("/root", 0700);
    files_.add_directory("/tmp", 01777);
    files_.add_directory("/var/tmp", 01777);
    files_.add_text("/etc/passwd", kPasswd);
    files_.add_text("/etc/group", kGroup);
    files_.add_text("/etc/hosts", kHosts);
    files_.add_text("/etc/nsswitch.conf", kNsswitch);
    files_.add_text("/etc/hostname", "tutti\n");
    if (auto const zone = tree_.resolve("/etc/localtime"); zone && S_ISREG(zone->status.st_mode)) {
        SourceTree::add(files_, *zone);
    }
}

void GuestFiles::add_program(Program const& program) {
    for (Resolved const& file : program.files) {
        SourceTree::add(files_, file);
        closure_.add(file.guest_path, file.host_path, true);
        Companions const companions = companions_of_program(tree_, architecture_, file.guest_path);
        for (std::string const& path : companions.paths) add_tree_path(path, companions.excluded_names);
    }
}

void GuestFiles::add_tree_path(std::string const& guest_path, std::vector<std::string> const& excluded_names) {
    auto const found = tree_.resolve(guest_path);
    if (!found) return;
    SourceTree::add(files_, *found);
    add_host_path(found->host_path, found->guest_path, excluded_names, tree_);
}

void GuestFiles::add_copy(std::string const& host_path, std::string const& guest_path) {
    std::error_code error;
    std::filesystem::path const source = std::filesystem::absolute(host_path).lexically_normal();
    std::filesystem::file_status const status = std::filesystem::status(source, error);
    if (error || !std::filesystem::exists(status)) throw CliError("--copy: " + host_path + " does not exist.");
    std::string target = guest_path;
    if (target.ends_with('/')) {
        target += (source.has_filename() ? source : source.parent_path()).filename().string();
    }
    // What --copy names is followed when it is a link; links inside a copied directory stay links.
    std::string const real = std::filesystem::canonical(source, error).string();
    if (error) throw CliError("--copy: cannot read " + host_path + ": " + error.message() + ".");
    add_host_path(real, normalise_guest_path(target), {}, tree_);
}

void GuestFiles::add_host_path(std::string const& host_path, std::string const& guest_path,
                               std::vector<std::string> const& excluded_names, SourceTree const& source) {
    struct stat status {};
    if (::lstat(host_path.c_str(), &status) != 0) {
        throw CliError("Cannot read " + host_path + ": " + std::strerror(errno) + ".");
    }
    GuestEntry entry{.mode = status.st_mode, .mtime = status.st_mtim.tv_sec};
    if (S_ISREG(status.st_mode)) {
        entry.size = static_cast<std::uint64_t>(status.st_size);
        entry.host_path = host_path;
        files_.add(guest_path, std::move(entry));
        add_libraries_of(guest_path, host_path);
    } else if (S_ISLNK(status.st_mode)) {
        entry.content = std::filesystem::read_symlink(host_path).string();
        files_.add(guest_path, std::move(entry));
        // A companion may link out of its directory (Debian's python: /etc/python3.11/sitecustomize.py).
        if (auto const target = source.resolve(guest_path); target && S_ISREG(target->status.st_mode)) {
            if (!files_.contains(target->guest_path)) SourceTree::add(files_, *target);
        }
    } else if (S_ISDIR(status.st_mode)) {
        files_.add(guest_path, std::move(entry));
        std::error_code error;
        std::filesystem::directory_iterator children(host_path, error);
        if (error) throw CliError("Cannot read the directory " + host_path + ": " + error.message() + ".");
        for (std::filesystem::directory_entry const& child : children) {
            std::string const name = child.path().filename().string();
            if (std::ranges::find(excluded_names, name) != excluded_names.end()) continue;
            add_host_path(child.path().string(), (guest_path == "/" ? "" : guest_path) + "/" + name, excluded_names, source);
        }
    } else {
        notes_.push_back(host_path + " is not a file, directory or link, and was left out.");
    }
}

void GuestFiles::add_libraries_of(std::string const& guest_path, std::string const& host_path) {
    for (std::string const& name : closure_.add(guest_path, host_path, false)) {
        notes_.push_back(guest_path + " needs " + name + ", which was not found; loading it will fail in the guest.");
    }
}

void GuestFiles::add_working_directory(std::string const& guest_path) { files_.add_directory(guest_path); }

void GuestFiles::finish() {
    for (std::string const& name : companion_libraries(files_)) closure_.add_library(name);
}

}  // namespace tutti::cli
