// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/virtio_mmio.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace tutti::platform {
namespace {

constexpr size_t kMaxSlots = 64;
constinit hal::VirtioMmioSlot slots[kMaxSlots]{};
constinit size_t slot_count = 0;

// Takes a number off the front of `text`.
std::optional<u64> take_number(std::string_view& text) {
    unsigned base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    }
    u64 value = 0;
    size_t digits = 0;
    for (; digits < text.size(); ++digits) {
        char const c = text[digits];
        unsigned const digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                               : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                               : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10
                                                      : base;
        if (digit >= base) break;
        if (__builtin_mul_overflow(value, u64{base}, &value) || __builtin_add_overflow(value, u64{digit}, &value))
            return std::nullopt;
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::optional<hal::VirtioMmioSlot> parse_virtio_mmio(std::string_view text) {
    std::optional<u64> size = take_number(text);
    if (!size) return std::nullopt;
    if (take(text, 'K') || take(text, 'k')) size = *size << 10;
    else if (take(text, 'M') || take(text, 'm')) size = *size << 20;
    if (!take(text, '@')) return std::nullopt;
    std::optional<u64> const base = take_number(text);
    if (!base || !take(text, ':')) return std::nullopt;
    std::optional<u64> const irq = take_number(text);
    if (!irq || (!text.empty() && text.front() != ':')) return std::nullopt;
    constexpr u64 kMaxSize = 1 << 20;
    if (*size == 0 || *size > kMaxSize || *base + *size < *base || *irq > 0xffff) return std::nullopt;
    return hal::VirtioMmioSlot{PhysAddr{*base}, *size, {.gsi = static_cast<u32>(*irq)}};
}

void add_virtio_mmio(hal::VirtioMmioSlot const& slot) {
    auto const end = slots + slot_count;
    if (std::any_of(slots, end, [&](hal::VirtioMmioSlot const& known) { return known.base == slot.base; })) return;
    if (slot_count == kMaxSlots) {
        log_warn("more than {} virtio-mmio devices; the rest is not used", kMaxSlots);
        return;
    }
    slots[slot_count++] = slot;
}

void add_virtio_mmio_from(std::string_view command_line) {
    constexpr std::string_view kKey = "virtio_mmio.device=";
    while (!command_line.empty()) {
        std::string_view word = command_line.substr(0, command_line.find(' '));
        command_line.remove_prefix(std::min(command_line.size(), word.size() + 1));
        if (!word.starts_with(kKey)) continue;
        word.remove_prefix(kKey.size());
        if (auto const slot = parse_virtio_mmio(word))
            add_virtio_mmio(*slot);
        else
            log_warn("virtio_mmio.device={}: not SIZE@BASE:IRQ; ignored", word);
    }
}

}  // namespace tutti::platform

namespace tutti::hal {

std::span<VirtioMmioSlot const> virtio_mmio_slots() { return {platform::slots, platform::slot_count}; }

}  // namespace tutti::hal
