// SPDX-License-Identifier: BSD-3-Clause
// libFuzzer target: any bytes as a program. An image that the parser accepts keeps every promise of image.hpp.
#include <cstdlib>

#include "base/bits.hpp"
#include "linux_abi/elf/memory_source.hpp"

namespace tutti::linux_abi::elf {
namespace {

void require(bool promise) {
    if (!promise) std::abort();
}

void check_image(Image const& image, ImageRules const& rules, u64 file_size) {
    require(!image.segments.empty());
    require(is_power_of_two(image.alignment) && image.alignment >= kPageSize);
    u64 previous_end = 0;
    bool entry_inside = false;
    for (Segment const& segment : image.segments) {
        require(segment.memory_size != 0 && segment.file_size <= segment.memory_size);
        require(range_within(segment.offset, segment.file_size, file_size));
        require(range_within(segment.address, segment.memory_size, rules.address_limit));
        require(segment.address % kPageSize == segment.offset % kPageSize);
        require(segment.address >= previous_end);
        previous_end = segment.end();
        entry_inside |= image.entry >= segment.address && image.entry < segment.end();
    }
    require(entry_inside);
    require(image.position_independent || image.segments[0].address >= rules.lowest_address);
    require(image.low() <= image.high() && image.high() <= rules.address_limit);
    require(image.interpreter.view().find('\0') == std::string_view::npos);
}

void check_script(std::span<u8 const> bytes) {
    auto const head = bytes.first(bytes.size() < kScriptHeadSize ? bytes.size() : kScriptHeadSize);
    if (auto const line = parse_script(head)) {
        require(is_script(head) && !line->interpreter.empty());
        require(line->interpreter.find_first_of(" \t\n") == std::string_view::npos);
        require(line->argument.find('\n') == std::string_view::npos);
    }
}

}  // namespace
}  // namespace tutti::linux_abi::elf

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace tutti::linux_abi::elf;
    std::span<std::uint8_t const> const bytes{data, size};
    check_script(bytes);
    MemorySource source{bytes};
    ImageRules const rules;
    ImageComplaint complaint;
    auto const image = parse_image(source, rules, complaint);
    if (image)
        check_image(*image, rules, size);
    else
        require(!complaint.empty());
    return 0;
}
