// SPDX-License-Identifier: BSD-3-Clause
// The manifest's reader stays inside the text, makes progress, and accounts for every byte of what it accepts.
#include "hal/manifest.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    tutti::hal::ManifestReader reader{text};
    std::size_t accounted = 0;
    while (auto const record = reader.next()) {
        if (record->key.empty() || record->key.find('=') != record->key.npos) std::abort();
        if (record->key.data() != text.data() + accounted) std::abort();
        if (record->value.find('\0') != record->value.npos) std::abort();
        accounted += record->key.size() + 1 + record->value.size() + 1;
        if (accounted > size) std::abort();
    }
    if (!reader.failed() && accounted != size) std::abort();
    if (reader.next()) std::abort();
    return 0;
}
