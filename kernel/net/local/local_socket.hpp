// SPDX-License-Identifier: BSD-3-Clause
// AF_UNIX sockets (unix(7)): stream, datagram and sequenced packets; pairs, names, listeners.
//
// Each socket owns an endpoint: a lock, a message queue for what was sent to it, a wait queue, and a reference to the
// endpoint at the other side. Sockets meet only through endpoints, which outlive them as long as the peer needs.
//
//   A sends:     takes B's endpoint from its own (lock A), copies the data without any lock, queues it (lock B), wakes B
//   B receives:  copies the first message out without any lock, takes it (lock B), wakes A (there is room)
//   A closes:    leaves its endpoint (lock A, then B: marked "peer gone"), wakes B
//
// Thread context; may block, interruptibly, where they take a deadline: kNever waits, a passed one gives WouldBlock.
#pragma once

#include "sched/wait/mutex.hpp"
#include "sched/wait/wait_queue.hpp"
#include "net/local/message_queue.hpp"
#include "vm/io_buffer.hpp"

namespace tutti::net {

enum class SocketType : u8 { Stream, Datagram, Packets };

struct Readiness {
    bool readable = false;
    bool writable = false;
    bool read_hang_up = false;  // the peer sends no more
    bool hang_up = false;       // nothing can be sent or received any more
    bool error = false;
};

struct SendOptions {
    Deadline deadline = kNever;  // a time that has passed: do not wait
    std::string_view destination{};  // a key; empty: the connected peer
    std::unique_ptr<Attachment> attachment{};
    Credentials credentials{};
};

struct ReceiveOptions {
    Deadline deadline = kNever;
    bool peek = false;
    bool wait_all = false;  // streams: until the buffer is full
};

struct Received {
    u64 bytes = 0;           // moved into the buffer
    u64 message_size = 0;    // of the whole message; more than bytes when it was cut
    bool end = false;        // the peer has closed
    std::unique_ptr<Attachment> attachment{};
    Credentials credentials{};
    String source{};  // the sender's name; empty: unnamed
};

class LocalSocket : public RefCounted<LocalSocket> {
  public:
    struct Endpoint;

    [[nodiscard]] static Result<Ref<LocalSocket>> create(SocketType type);
    struct Pair {
        Ref<LocalSocket> first;
        Ref<LocalSocket> second;
    };
    [[nodiscard]] static Result<Pair> create_pair(SocketType type, Credentials credentials);
    ~LocalSocket();

    [[nodiscard]] SocketType type() const { return type_; }

    // A socket is found by its key, bytes that the layer above makes unique (a file's identity, an abstract name), and
    // known to others by its name, which is not looked at here. Both not empty. AddressInUse, InvalidArgument (has one).
    [[nodiscard]] Result<> bind(std::string_view key, std::string_view name);
    [[nodiscard]] Result<> listen(u32 backlog, Credentials credentials);  // NotSupported for datagrams, InvalidArgument without a name
    [[nodiscard]] Result<Ref<LocalSocket>> accept(Deadline deadline);  // InvalidArgument when not listening
    // To the socket with that key. Streams and packets: ConnectionRefused (no listener), WouldBlock (backlog full, deadline passed), WrongType,
    // AlreadyConnected. Datagrams: sets the default destination.
    [[nodiscard]] Result<> connect(std::string_view key, Credentials credentials, Deadline deadline);

    // Bytes sent. BrokenPipe, NotConnected, MessageTooLong, ConnectionRefused, WouldBlock, Interrupted, BadAddress.
    [[nodiscard]] Result<u64> send(vm::IoBuffer& from, SendOptions options);
    [[nodiscard]] Result<Received> receive(vm::IoBuffer& to, ReceiveOptions const& options);

    void shut_down(bool receiving, bool sending);

    [[nodiscard]] Readiness readiness();
    [[nodiscard]] sched::WaitQueue& queue();
    [[nodiscard]] bool is_listening();
    [[nodiscard]] bool is_connected();
    [[nodiscard]] u64 bytes_available();
    // NotConnected.
    [[nodiscard]] Result<Credentials> peer_credentials();
    // Names as given to bind; empty: unnamed.
    [[nodiscard]] Result<String> name();
    [[nodiscard]] Result<String> peer_name();  // NotConnected
    [[nodiscard]] u64 buffer_limit();
    void set_buffer_limit(u64 bytes);

  private:
    LocalSocket(SocketType type, Ref<Endpoint> endpoint);

    SocketType const type_;
    Ref<Endpoint> const endpoint_;
};

}  // namespace tutti::net
