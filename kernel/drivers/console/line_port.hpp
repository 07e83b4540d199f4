// SPDX-License-Identifier: BSD-3-Clause
// A byte port on the kernel's console, one way: hal/link_line.hpp. Polled and slow, for machines without a virtio console.
#pragma once

#include <array>

#include "drivers/console/byte_port.hpp"

namespace tutti::drivers {

class LinePort final : public BytePort {
  public:
    constexpr LinePort() = default;

    void connect(Client&) override {}  // nothing is received, and there is always room
    [[nodiscard]] size_t transmit_capacity() const override { return kSize; }
    [[nodiscard]] size_t transmit_room() override { return kSize; }
    [[nodiscard]] bool request_room(size_t) override { return true; }
    [[nodiscard]] bool is_broken() override { return false; }
    [[nodiscard]] Space transmit_space(size_t count) override { return {std::span<u8>{buffer_}.first(count), {}}; }
    void transmit(size_t count) override;

  private:
    static constexpr size_t kSize = 65536;  // a frame of LinkSession's, and more
    std::array<u8, kSize> buffer_{};
};

}  // namespace tutti::drivers
