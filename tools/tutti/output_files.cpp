// SPDX-License-Identifier: BSD-3-Clause
#include "output_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli_error.hpp"
#include "file_set.hpp"
#include "hal/host_link.hpp"

namespace tutti::cli {
namespace {

constexpr char kPartial[] = ".tutti-partial";

}  // namespace

OutputFiles::OutputFiles(std::vector<PathPair> const& pairs) {
    for (PathPair const& pair : pairs) {
        Target target{.guest = normalise_guest_path(pair.first), .host = pair.second};
        if (target.host.ends_with('/') || std::filesystem::is_directory(target.host)) {
            target.host = (std::filesystem::path(target.host) / std::filesystem::path(target.guest).filename()).string();
        }
        targets_.push_back(std::move(target));
    }
}

OutputFiles::~OutputFiles() {
    if (open_ && S_ISREG(mode_)) ::unlink((path_ + kPartial).c_str());
}

std::string OutputFiles::host_path_for(std::string const& guest_path) {
    std::string const path = normalise_guest_path(guest_path);
    Target* best = nullptr;
    for (Target& target : targets_) {
        bool const inside = path == target.guest || target.guest == "/" || path.starts_with(target.guest + "/");
        if (inside && (best == nullptr || target.guest.size() > best->guest.size())) best = &target;
    }
    if (best == nullptr || path != guest_path) throw CliError("The guest sent a file nobody asked for: " + guest_path);
    best->received = true;
    std::string const rest = path.substr(best->guest == "/" ? 0 : best->guest.size());
    // A link received earlier must not lead later files out of the directory.
    std::filesystem::path host = best->host;
    for (std::filesystem::path const& part : std::filesystem::path(rest).relative_path().parent_path()) {
        host /= part;
        if (std::filesystem::is_symlink(host)) throw CliError("The guest sent a file beneath a link: " + guest_path);
    }
    return best->host + rest;
}

void OutputFiles::begin(std::span<const std::uint8_t> payload) {
    hal::FileBeginPayload header{};
    if (open_ || payload.size() <= sizeof header) throw CliError("The guest sent a malformed file header.");
    std::memcpy(&header, payload.data(), sizeof header);
    auto const name = payload.subspan(sizeof header);
    std::string const guest_path(name.begin(), name.end());
    if (guest_path.find('\0') != std::string::npos) throw CliError("The guest sent a malformed file name.");
    path_ = host_path_for(guest_path);
    mode_ = header.mode;
    left_ = header.size;
    open_ = true;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
    if (S_ISDIR(mode_)) {
        std::filesystem::create_directories(path_, error);
        if (error) throw CliError("Cannot make the directory " + path_ + ": " + error.message() + ".");
    } else if (S_ISREG(mode_)) {
        file_ = std::ofstream(path_ + kPartial, std::ios::binary | std::ios::trunc);
        if (!file_) throw CliError("Cannot write " + path_ + ": " + std::strerror(errno) + ".");
    } else if (S_ISLNK(mode_)) {
        link_text_.clear();
    } else {
        throw CliError(guest_path + " is neither a file, a directory nor a link, and cannot be copied out.");
    }
}

void OutputFiles::data(std::span<const std::uint8_t> bytes) {
    if (!open_ || bytes.size() > left_) throw CliError("The guest sent file data out of place.");
    left_ -= bytes.size();
    if (S_ISREG(mode_)) {
        file_.write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!file_) throw CliError("Cannot write " + path_ + ": " + std::strerror(errno) + ".");
    } else {
        link_text_.append(bytes.begin(), bytes.end());
    }
}

void OutputFiles::end() {
    if (!open_ || left_ != 0) throw CliError("The guest sent an incomplete file.");
    open_ = false;
    std::error_code error;
    if (S_ISREG(mode_)) {
        file_.close();
        if (!file_) throw CliError("Cannot write " + path_ + ": " + std::strerror(errno) + ".");
        ::chmod((path_ + kPartial).c_str(), mode_ & 0777);
        std::filesystem::rename(path_ + kPartial, path_, error);
    } else if (S_ISDIR(mode_)) {
        ::chmod(path_.c_str(), (mode_ & 0777) | 0700);  // files for it are still to come
    } else {
        std::filesystem::remove(path_, error);
        std::filesystem::create_symlink(link_text_, path_, error);
    }
    if (error) throw CliError("Cannot make " + path_ + ": " + error.message() + ".");
}

std::vector<std::string> OutputFiles::missing() const {
    std::vector<std::string> paths;
    for (Target const& target : targets_) {
        if (!target.received) paths.push_back(target.guest);
    }
    return paths;
}

std::vector<std::string> OutputFiles::guest_paths() const {
    std::vector<std::string> paths;
    for (Target const& target : targets_) paths.push_back(target.guest);
    return paths;
}

}  // namespace tutti::cli
