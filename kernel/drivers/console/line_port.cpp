// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/console/line_port.hpp"

#include <algorithm>

#include "hal/console.hpp"
#include "hal/link_line.hpp"

namespace tutti::drivers {

void LinePort::transmit(size_t count) {
    for (std::span<u8 const> rest = std::span<u8 const>{buffer_}.first(count); !rest.empty();) {
        std::span<u8 const> const piece = rest.first(std::min(rest.size(), hal::kLinkLineBytes));
        std::array<char, hal::kLinkLineLength + 1> line;
        size_t const length = hal::encode_link_line(piece, std::span{line}.first<hal::kLinkLineLength>());
        line[length] = '\n';
        hal::console_write_line({line.data(), length + 1});
        rest = rest.subspan(piece.size());
    }
}

}  // namespace tutti::drivers
