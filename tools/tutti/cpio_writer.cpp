// SPDX-License-Identifier: BSD-3-Clause
#include "cpio_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli_error.hpp"
#include "unique_fd.hpp"

namespace tutti::cli {
namespace {

constexpr std::size_t kHeaderSize = 110;
constexpr std::size_t kBufferSize = 1 << 20;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

void CpioWriter::add(std::string_view path, GuestEntry const& entry) {
    if (S_ISREG(entry.mode) && entry.size > UINT32_MAX) {
        throw CliError(entry.host_path + " is larger than 4 GiB, which the initial file system cannot hold.");
    }
    bool const is_link = S_ISLNK(entry.mode);
    header(path, entry, is_link ? entry.content.size() : S_ISREG(entry.mode) ? entry.size : 0);
    if (is_link) {
        write(entry.content);
    } else if (S_ISREG(entry.mode)) {
        if (entry.host_path.empty()) {
            write(entry.content);
        } else {
            copy_file(entry);
        }
    }
    pad_to_four();
}

void CpioWriter::finish() {
    header("TRAILER!!!", {.mode = 0}, 0);
    pad_to_four();
    // QEMU loads whole pages; a full last page keeps the kernel's arithmetic simple.
    write(std::string(align_up(offset_, kCpioPage) - offset_, '\0'));
    flush();
}

void CpioWriter::header(std::string_view path, GuestEntry const& entry, std::uint64_t size) {
    std::uint64_t name_size = path.size() + 1;
    std::uint64_t const data = align_up(offset_ + kHeaderSize + name_size, 4);
    if (S_ISREG(entry.mode) && size >= kCpioPage) name_size += align_up(data, kCpioPage) - data;

    std::array<char, kHeaderSize + 1> text{};
    std::snprintf(text.data(), text.size(), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ++inode_,
                  static_cast<unsigned>(entry.mode), 0U, 0U, S_ISDIR(entry.mode) ? 2U : 1U,
                  static_cast<unsigned>(std::clamp<std::int64_t>(entry.mtime, 0, UINT32_MAX)),
                  static_cast<unsigned>(size), 0U, 0U, 0U, 0U, static_cast<unsigned>(name_size), 0U);
    write({text.data(), kHeaderSize});
    write(path);
    write(std::string(name_size - path.size(), '\0'));
    pad_to_four();
}

void CpioWriter::copy_file(GuestEntry const& entry) {
    UniqueFd const file(::open(entry.host_path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) throw CliError("Cannot read " + entry.host_path + ": " + std::strerror(errno) + ".");
    std::uint64_t left = entry.size;
    std::string piece;
    while (left > 0) {
        piece.resize(std::min<std::uint64_t>(left, kBufferSize));
        ssize_t const count = ::read(file.get(), piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw CliError("Cannot read " + entry.host_path + ": " + std::strerror(errno) + ".");
        if (count == 0) throw CliError(entry.host_path + " became shorter while it was being packed. Try again.");
        write({piece.data(), static_cast<std::size_t>(count)});
        left -= static_cast<std::uint64_t>(count);
    }
}

void CpioWriter::pad_to_four() { write(std::string_view("\0\0\0", align_up(offset_, 4) - offset_)); }

void CpioWriter::write(std::string_view bytes) {
    offset_ += bytes.size();
    buffer_.append(bytes);
    if (buffer_.size() >= kBufferSize) flush();
}

void CpioWriter::flush() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
        ssize_t const count = ::write(fd_, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw CliError(std::string("Cannot write the initial file system: ") + std::strerror(errno) + ".");
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    buffer_.clear();
}

}  // namespace tutti::cli
