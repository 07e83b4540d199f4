// SPDX-License-Identifier: BSD-3-Clause
// Remembers the memory-mapped virtio devices that the ACPI tables or the command line name.
#pragma once

#include <optional>
#include <string_view>

#include "hal/virtio_mmio.hpp"

namespace tutti::platform {

// A slot named twice is kept once.
void add_virtio_mmio(hal::VirtioMmioSlot const& slot);

// Reads the words "virtio_mmio.device=SIZE@BASE:IRQ", which a hypervisor without ACPI tables appends.
void add_virtio_mmio_from(std::string_view command_line);

// What follows the '=': numbers decimal or with 0x, SIZE also with K or M; ":ID" may follow and means nothing here.
[[nodiscard]] std::optional<hal::VirtioMmioSlot> parse_virtio_mmio(std::string_view text);

}  // namespace tutti::platform
