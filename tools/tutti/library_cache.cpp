// SPDX-License-Identifier: BSD-3-Clause
#include "library_cache.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

namespace tutti::cli {
namespace {

constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";

struct Header {
    char magic[20];
    std::uint32_t count;
    std::uint32_t strings_size;
    std::uint8_t flags;
    std::uint8_t padding[3];
    std::uint32_t extension_offset;
    std::uint32_t unused[3];
};
struct Entry {
    std::uint32_t flags;
    std::uint32_t key;    // offset of the name from the header
    std::uint32_t value;  // offset of the path from the header
    std::uint32_t os_version;
    std::uint64_t hwcap;
};
static_assert(sizeof(Header) == 48 && sizeof(Entry) == 24);

std::string string_at(std::string_view bytes, std::uint32_t offset) {
    if (offset >= bytes.size()) return {};
    std::string_view const rest = bytes.substr(offset);
    std::size_t const end = rest.find('\0');
    return end == std::string_view::npos ? std::string() : std::string(rest.substr(0, end));
}

}  // namespace

LibraryCache LibraryCache::parse(std::string_view bytes, Architecture architecture) {
    LibraryCache cache;
    if (bytes.starts_with(kOldMagic)) {  // both formats in one file: the new one follows the old one's entries
        std::size_t const at = bytes.find(kMagic);
        bytes = at == std::string_view::npos ? std::string_view() : bytes.substr(at);
    }
    Header header;
    if (bytes.size() < sizeof header || !bytes.starts_with(kMagic)) return cache;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.count > (bytes.size() - sizeof header) / sizeof(Entry)) return cache;
    for (std::uint32_t i = 0; i < header.count; ++i) {
        Entry entry;
        std::memcpy(&entry, bytes.data() + sizeof header + i * sizeof entry, sizeof entry);
        if (entry.flags != info(architecture).cache_flags || entry.hwcap != 0) continue;
        std::string name = string_at(bytes, entry.key);
        std::string path = string_at(bytes, entry.value);
        if (!name.empty() && path.starts_with('/')) cache.paths_.try_emplace(std::move(name), std::move(path));
    }
    return cache;
}

LibraryCache LibraryCache::read(std::string const& host_path, Architecture architecture) {
    std::ifstream file(host_path, std::ios::binary);
    return parse(std::string(std::istreambuf_iterator<char>(file), {}), architecture);
}

std::string LibraryCache::find(std::string const& name) const {
    auto const found = paths_.find(name);
    return found == paths_.end() ? std::string() : found->second;
}

}  // namespace tutti::cli
