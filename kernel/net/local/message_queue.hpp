// SPDX-License-Identifier: BSD-3-Clause
// What has been sent to one end of a local socket and not yet received: messages in order, with what is attached.
//
// Streams take bytes across message borders; the other types keep messages whole. The queue holds at most `limit` bytes,
// or one larger message; it is a plain data structure guarded by its endpoint's lock.
#pragma once

#include <memory>

#include "base/intrusive_list.hpp"
#include "base/ref.hpp"
#include "base/string.hpp"
#include "base/vector.hpp"

namespace tutti::net {

// What the layer above attaches to a message (open files being passed); destroyed with the message. The destructor may
// block.
class Attachment {
  public:
    virtual ~Attachment() = default;
};

struct Credentials {
    i32 process = 0;
    u32 user = 0;
    u32 group = 0;
};

struct Message {
    ListNode node;
    Vector<u8> bytes;
    size_t taken = 0;  // streams: bytes already received
    std::unique_ptr<Attachment> attachment;
    Credentials credentials;
    String source;  // the sender's name, as bytes; empty: unnamed

    [[nodiscard]] size_t remaining() const { return bytes.size() - taken; }
};

class MessageQueue {
  public:
    static constexpr u64 kDefaultLimit = 212992;  // net.core.wmem_default of Linux

    ~MessageQueue() { clear(); }
    [[nodiscard]] bool empty() const { return messages_.empty(); }
    [[nodiscard]] u64 bytes() const { return bytes_; }
    [[nodiscard]] u64 limit() const { return limit_; }
    void set_limit(u64 bytes) { limit_ = bytes; }
    // Room for a message of this size: an empty queue takes any.
    [[nodiscard]] bool has_room(u64 size) const { return empty() || bytes_ + size <= limit_; }

    void push(std::unique_ptr<Message> message) {
        bytes_ += message->remaining();
        messages_.push_back(*message.release());
    }
    // Null when empty.
    [[nodiscard]] std::unique_ptr<Message> pop() {
        Message* const first = messages_.pop_front();
        if (first != nullptr) bytes_ -= first->remaining();
        return std::unique_ptr<Message>{first};
    }
    [[nodiscard]] Message* front() { return messages_.front_or_null(); }
    // The first message has more than `bytes` remaining; so many of them are received.
    void take_from_front(size_t bytes) {
        front()->taken += bytes;
        bytes_ -= bytes;
    }
    // For the owner to destroy outside the lock.
    [[nodiscard]] IntrusiveList<Message, &Message::node>& take_all() {
        bytes_ = 0;
        return messages_;
    }
    void clear() {
        while (Message* const message = messages_.pop_front()) delete message;
        bytes_ = 0;
    }

  private:
    IntrusiveList<Message, &Message::node> messages_;
    u64 bytes_ = 0;
    u64 limit_ = kDefaultLimit;
};

}  // namespace tutti::net
