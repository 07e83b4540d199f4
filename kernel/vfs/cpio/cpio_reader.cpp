// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/cpio/cpio_reader.hpp"

namespace tutti::vfs {

namespace {

constexpr size_t kHeaderSize = 110;
constexpr size_t kMagicSize = 6;
constexpr size_t kFieldSize = 8;
constexpr size_t kLongestName = 65536;  // padding NULs included
constexpr std::string_view kTrailer = "TRAILER!!!";

enum Field : size_t {
    kInode, kMode, kUid, kGid, kLinkCount, kModifyTime, kFileSize, kDevMajor, kDevMinor, kRdevMajor, kRdevMinor,
    kNameSize, kCheck,
};

std::optional<u32> parse_hex(std::span<u8 const> digits) {
    u32 value = 0;
    for (u8 const digit : digits) {
        u32 nibble = 0;
        if (digit >= '0' && digit <= '9')
            nibble = digit - '0';
        else if (digit >= 'a' && digit <= 'f')
            nibble = digit - 'a' + 10;
        else if (digit >= 'A' && digit <= 'F')
            nibble = digit - 'A' + 10;
        else
            return std::nullopt;
        value = value << 4 | nibble;
    }
    return value;
}

size_t align4(size_t value) { return (value + 3) & ~size_t{3}; }

}  // namespace

Result<std::optional<CpioEntry>> CpioReader::next() {
    if (ended_) return std::nullopt;
    // Archives may be followed by NUL padding (block-sized files).
    if (position_ == archive_.size()) {
        ended_ = true;
        return std::nullopt;
    }
    if (archive_.size() - position_ < kHeaderSize) return fail(Error::BadFormat);
    std::span<u8 const> const header = archive_.subspan(position_, kHeaderSize);
    std::string_view const magic{reinterpret_cast<char const*>(header.data()), kMagicSize};
    if (magic != "070701" && magic != "070702") return fail(Error::BadFormat);
    u32 fields[kCheck + 1];
    for (size_t i = 0; i <= kCheck; ++i) {
        auto const value = parse_hex(header.subspan(kMagicSize + i * kFieldSize, kFieldSize));
        if (!value) return fail(Error::BadFormat);
        fields[i] = *value;
    }

    size_t const name_size = fields[kNameSize];
    size_t const data_size = fields[kFileSize];
    size_t const name_at = position_ + kHeaderSize;
    if (name_size == 0 || name_size > kLongestName || name_size > archive_.size() - name_at)
        return fail(Error::BadFormat);
    size_t const data_at = align4(name_at + name_size);
    if (data_at > archive_.size() || data_size > archive_.size() - data_at) return fail(Error::BadFormat);

    std::string_view name{reinterpret_cast<char const*>(archive_.data()) + name_at, name_size};
    size_t const end = name.find('\0');
    if (end == std::string_view::npos || end == 0) return fail(Error::BadFormat);
    name = name.substr(0, end);

    // Padding after the last entry may be cut off.
    position_ = align4(data_at + data_size);
    if (position_ > archive_.size()) position_ = archive_.size();
    if (name == kTrailer) {
        ended_ = true;
        return std::nullopt;
    }
    return CpioEntry{.name = name,
                     .data = archive_.subspan(data_at, data_size),
                     .mode = fields[kMode],
                     .inode = fields[kInode],
                     .link_count = fields[kLinkCount],
                     .uid = fields[kUid],
                     .gid = fields[kGid],
                     .modify_time = fields[kModifyTime],
                     .device_major = fields[kRdevMajor],
                     .device_minor = fields[kRdevMinor]};
}

}  // namespace tutti::vfs
