// SPDX-License-Identifier: BSD-3-Clause
#include "output_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "cli_error.hpp"
#include "file_set.hpp"
#include "hal/host_link.hpp"

namespace tutti::cli {
OutputFiles::OutputFiles(std::vector<PathPair> const& pairs) {
    for (PathPair const& pair : pairs) {
        Target target{.guest = normalise_guest_path(pair.first), .host = pair.second};
        if (target.host.ends_with('/') || std::filesystem::is_directory(target.host)) {
            target.host = (std::filesystem::path(target.host) / std::filesystem::path(target.guest).filename()).string();
        }
        targets_.push_back(std::move(target));
    }
}

OutputFiles::~OutputFiles() { close_partial(); }

void OutputFiles::close_partial() {
    if (fd_ < 0) return;
    ::close(std::exchange(fd_, -1));
    ::unlink(partial_.c_str());
}

std::string OutputFiles::host_path_for(std::string const& guest_path, bool is_directory) {
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
    std::filesystem::path const below = std::filesystem::path(rest).relative_path();
    for (std::filesystem::path const& part : is_directory ? below : below.parent_path()) {
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
    mode_ = header.mode;
    path_ = host_path_for(guest_path, S_ISDIR(mode_));
    left_ = header.size;
    open_ = true;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
    if (S_ISDIR(mode_)) {
        std::filesystem::create_directories(path_, error);
        if (error) throw CliError("Cannot make the directory " + path_ + ": " + error.message() + ".");
    } else if (S_ISREG(mode_)) {
        // A new file of a name that the guest does not know: what it sent before, a link above all, is never written to.
        partial_ = (std::filesystem::path(path_).parent_path() / ".tutti-out-XXXXXX").string();
        fd_ = ::mkostemp(partial_.data(), O_CLOEXEC);
        if (fd_ < 0) throw CliError("Cannot write " + path_ + ": " + std::strerror(errno) + ".");
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
        while (!bytes.empty()) {
            ssize_t const written = ::write(fd_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) throw CliError("Cannot write " + path_ + ": " + std::strerror(errno) + ".");
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
    } else {
        link_text_.append(bytes.begin(), bytes.end());
    }
}

void OutputFiles::end() {
    if (!open_ || left_ != 0) throw CliError("The guest sent an incomplete file.");
    open_ = false;
    std::error_code error;
    if (S_ISREG(mode_)) {
        ::fchmod(fd_, mode_ & 0777);
        std::filesystem::rename(partial_, path_, error);
        if (!error) {
            if (::close(std::exchange(fd_, -1)) != 0) throw CliError("Cannot write " + path_ + ": " + std::strerror(errno) + ".");
        }
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
