// SPDX-License-Identifier: BSD-3-Clause
#include "elf_closure.hpp"

#include <utility>

#include "cli_error.hpp"

namespace tutti::cli {
namespace {

std::string parent_of(std::string const& path) {
    std::size_t const slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

void replace_all(std::string& text, std::string const& what, std::string const& with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
}

std::string expand(std::string directory, std::string const& origin, ArchitectureInfo const& architecture) {
    for (auto const& [token, value] : {std::pair<std::string, std::string>{"ORIGIN", origin},
                                       {"LIB", "lib/" + std::string(architecture.multiarch)},
                                       {"PLATFORM", std::string(architecture.name)}}) {
        replace_all(directory, "${" + token + "}", value);
        replace_all(directory, "$" + token, value);
    }
    return directory;
}

std::vector<std::string> split_list(std::string const& list) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < list.size();) {
        std::size_t const end = std::min(list.find_first_of(":;", at), list.size());
        if (end > at) parts.push_back(list.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

}  // namespace

ElfClosure::ElfClosure(SourceTree const& tree, Architecture architecture, FileSet& files, std::string const& library_path)
    : tree_(tree),
      architecture_(architecture),
      cross_directory_(tree.is_host() && host_architecture() != architecture ? "/usr/" + std::string(info(architecture).multiarch) : ""),
      files_(files),
      library_path_(split_list(library_path)),
      cache_(LibraryCache::read(tree.host_path("/etc/ld.so.cache"), architecture)) {}

std::vector<std::string> ElfClosure::add(std::string const& guest_path, std::string const& host_path, bool strict) {
    std::vector<std::string> missing;
    auto elf = read_elf(host_path);
    if (!elf || elf->architecture() != architecture_) return missing;
    add_dependencies({.guest_path = guest_path, .info = std::move(*elf)}, missing);
    if (strict && !missing.empty()) {
        std::string list;
        for (std::string const& name : missing) list += (list.empty() ? "" : ", ") + name;
        throw CliError(guest_path + " needs " + list + ", which " +
                           (tree_.is_host() ? "is not installed on this host. Install the Debian package that has it "
                                              "(apt-file search NAME), or name it with --copy FILE:/usr/lib/NAME."
                                            : "is not in --root " + tree_.root() + ". Unpack its package there too."),
                       kNotFound);
    }
    return missing;
}

bool ElfClosure::add_library(std::string const& name) {
    if (!find(name, {})) return false;
    std::vector<std::string> missing;
    add_dependencies({.guest_path = "/", .info = {.needed = {name}}}, missing);
    return missing.empty();
}

void ElfClosure::add_dependencies(Object const& object, std::vector<std::string>& missing) {
    if (!object.info.interpreter.empty()) {
        if (auto const interpreter = usable(object.info.interpreter)) {
            SourceTree::add(files_, *interpreter);
        } else if (!files_.contains(files_.canonical_parent(object.info.interpreter))) {
            missing.push_back(object.info.interpreter);
        }
    }
    for (std::string const& name : object.info.needed) {
        auto const library = find(name, object);
        if (!library) {
            // A library that the user copies by hand into a directory that is searched is found in the guest.
            bool copied = false;
            for (std::string const& directory : info(architecture_).library_directories) {
                copied = copied || files_.contains(files_.canonical_parent(directory + "/" + name));
            }
            if (!copied) missing.push_back(name);
            continue;
        }
        SourceTree::add(files_, *library);
        if (!visited_.insert(library->guest_path).second) continue;
        auto elf = read_elf(library->host_path);
        if (!elf) continue;
        add_dependencies({.guest_path = library->guest_path, .info = std::move(*elf), .loader = &object}, missing);
    }
}

std::optional<Resolved> ElfClosure::find(std::string const& name, Object const& object) const {
    if (name.find('/') != std::string::npos) return usable(expand(name, parent_of(object.guest_path), info(architecture_)));
    if (object.info.runpath.empty()) {
        for (Object const* by = &object; by != nullptr; by = by->loader) {
            if (!by->info.runpath.empty()) continue;  // DT_RPATH is ignored where DT_RUNPATH is present
            if (auto found = find_in(by->info.rpath, name, parent_of(by->guest_path))) return found;
        }
    }
    if (auto found = find_in(library_path_, name, parent_of(object.guest_path))) return found;
    if (auto found = find_in(object.info.runpath, name, parent_of(object.guest_path))) return found;
    if (std::string const path = cache_.find(name); !path.empty()) {
        if (auto found = usable(path)) {
            bool is_default = false;
            for (std::string const& directory : info(architecture_).library_directories) is_default |= parent_of(path) == directory;
            // The guest's loader finds other directories only through the cache.
            if (!is_default) {
                if (auto const cache = tree_.resolve("/etc/ld.so.cache")) SourceTree::add(files_, *cache);
            }
            return found;
        }
    }
    return find_in(info(architecture_).library_directories, name, "/");
}

std::optional<Resolved> ElfClosure::find_in(std::vector<std::string> const& directories, std::string const& name,
                                            std::string const& origin) const {
    for (std::string const& directory : directories) {
        if (auto found = usable(expand(directory, origin, info(architecture_)) + "/" + name)) return found;
    }
    return std::nullopt;
}

// A 32-bit library of the same name, or a text file, does not count: the loader skips it as well.
std::optional<Resolved> ElfClosure::usable(std::string const& guest_path) const {
    auto const try_path = [&](std::string const& path) -> std::optional<Resolved> {
        auto found = tree_.resolve(path);
        if (!found || !S_ISREG(found->status.st_mode)) return std::nullopt;
        auto const elf = read_elf(found->host_path);
        if (!elf || elf->architecture() != architecture_) return std::nullopt;
        return found;
    };
    auto found = try_path(guest_path);
    if (found || cross_directory_.empty()) return found;
    found = try_path(cross_directory_ + guest_path);
    if (found) found->links.emplace_back(guest_path, found->guest_path);  // where the guest's loader looks
    return found;
}

}  // namespace tutti::cli
