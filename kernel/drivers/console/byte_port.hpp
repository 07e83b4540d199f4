// SPDX-License-Identifier: BSD-3-Clause
// A byte stream to and from the host, as the host link uses it: a transmit ring that the sender fills in place, and
// received bytes pushed up from the interrupt. VirtioConsole is one; tests have another.
#pragma once

#include <span>

#include "base/types.hpp"

namespace tutti::drivers {

class BytePort {
  public:
    // Called in Isr context.
    class Client {
      public:
        virtual void on_received(std::span<u8 const> bytes) = 0;
        // There may be more room than before, or the port broke. Comes after request_room() said no.
        virtual void on_room() = 0;

      protected:
        ~Client() = default;
    };
    // Free bytes of the transmit ring; the second piece is what lies beyond the wrap.
    struct Space {
        std::span<u8> first;
        std::span<u8> second;
    };

    // From then on the client is called. Once, before anything else.
    virtual void connect(Client& client) = 0;

    // Any context up to Isr; do not block.
    [[nodiscard]] virtual size_t transmit_capacity() const = 0;
    // Bytes free at this moment; only the sender takes from them.
    [[nodiscard]] virtual size_t transmit_room() = 0;
    // True when at least `count` <= transmit_capacity() bytes are free; else on_room() follows when that may have
    // changed. With count == transmit_capacity(): everything has left. True also on a broken port: waiting is over.
    [[nodiscard]] virtual bool request_room(size_t count) = 0;
    // The device broke its protocol: nothing goes in or out any more.
    [[nodiscard]] virtual bool is_broken() = 0;

    // One sender at a time (the owner serialises); do not block.
    // The next `count` <= transmit_room() bytes of the ring, to be written.
    [[nodiscard]] virtual Space transmit_space(size_t count) = 0;
    // Sends the first `count` of them.
    virtual void transmit(size_t count) = 0;

  protected:
    ~BytePort() = default;
};

}  // namespace tutti::drivers
