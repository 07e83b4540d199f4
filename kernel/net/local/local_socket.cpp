// SPDX-License-Identifier: BSD-3-Clause
#include "net/local/local_socket.hpp"

#include <algorithm>
#include <new>

#include "base/rb_tree.hpp"
#include "hal/clock.hpp"
#include "smp/debug/race_point.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::net {

struct LocalSocket::Endpoint : RefCounted<Endpoint> {
    enum class State : u8 { Fresh, Listening, Connected, Disconnected };

    explicit Endpoint(SocketType socket_type) : type{socket_type} {}
    ~Endpoint() {
        while (Endpoint* const pending = backlog.pop_front()) pending->put();
    }

    SocketType const type;
    sched::WaitQueue queue;

    smp::SpinLock lock{smp::LockRank::Socket, "local socket"};
    State state GUARDED_BY(lock) = State::Fresh;
    Ref<Endpoint> peer GUARDED_BY(lock);  // connected, or a datagram socket's default destination
    MessageQueue inbound GUARDED_BY(lock);
    // Datagrams: endpoints that found no room here and may be polled for it. They are told once.
    Vector<Ref<Endpoint>> senders GUARDED_BY(lock);
    bool receive_shut GUARDED_BY(lock) = false;  // by us: what comes is refused
    bool send_shut GUARDED_BY(lock) = false;
    bool peer_gone GUARDED_BY(lock) = false;       // the peer closed or sends no more
    bool reset GUARDED_BY(lock) = false;           // the peer closed with our data unread
    Credentials peer_credentials GUARDED_BY(lock);

    // Listeners: endpoints that wait to be accepted, each with a reference.
    ListNode backlog_node;
    IntrusiveList<Endpoint, &Endpoint::backlog_node> backlog GUARDED_BY(lock);
    u32 backlog_length GUARDED_BY(lock) = 0;
    u32 backlog_limit GUARDED_BY(lock) = 0;
    Credentials listener_credentials GUARDED_BY(lock);

    // One reader at a time: the first message stays in the queue while it is copied without the lock.
    sched::Mutex reading{"local socket reading"};

    // In the table of keys, under its lock. Set once.
    RbNode key_node;
    String key;
    String name;

    // Whether a poll shall say that there is room; less would wake senders too often.
    [[nodiscard]] bool has_much_room() REQUIRES(lock) { return inbound.has_room(inbound.limit() / 4); }
    // False: there was no memory to remember it.
    bool tell_of_room(Endpoint& sender) REQUIRES(lock) {
        for (Ref<Endpoint> const& known : senders)
            if (known.get() == &sender) return true;
        return senders.try_push_back(Ref<Endpoint>{sender}).has_value();
    }
    void forget(Endpoint const& sender) {
        Ref<Endpoint> dropped;  // outside the lock: it may be the last reference
        smp::SpinGuard guard{lock};
        for (Ref<Endpoint>& known : senders)
            if (known.get() == &sender) {
                std::swap(known, senders.back());
                dropped = std::move(senders.back());
                senders.pop_back();
                return;
            }
    }

    [[nodiscard]] Ref<Endpoint> peer_endpoint() {
        smp::SpinGuard guard{lock};
        return peer;
    }
};

namespace {

using Endpoint = LocalSocket::Endpoint;

struct KeyOrder {
    bool operator()(Endpoint const& a, Endpoint const& b) const { return a.key.view() < b.key.view(); }
};
// Binding and connecting by key; established connections never come here.
constinit sched::Mutex names_mutex{"local socket names"};
constinit RbTree<Endpoint, &Endpoint::key_node, KeyOrder> names GUARDED_BY(names_mutex);

Ref<Endpoint> find_key(std::string_view key) {
    sched::MutexGuard guard{names_mutex};
    Endpoint* const found = names.lower_bound([&](Endpoint const& e) { return e.key.view() < key; });
    // A bound endpoint leaves the table before its socket drops it, so it is alive here.
    return found != nullptr && found->key.view() == key ? Ref<Endpoint>{*found} : Ref<Endpoint>{};
}

bool has_passed(Deadline deadline) { return deadline != kNever && deadline <= hal::now(); }

// Waits on `queue` unless the deadline has passed already: then it is a question of not waiting, not of time.
template <class Condition>
Result<> wait(sched::WaitQueue& queue, Deadline deadline, Condition condition) {
    if (has_passed(deadline)) return fail(Error::WouldBlock);
    Result<> const waited = queue.wait_until(condition, deadline, sched::WaitMode::Interruptible);
    if (!waited && waited.error() == Error::TimedOut) return fail(Error::WouldBlock);
    return waited;
}

void connect_ends(Endpoint& a, Endpoint& b, Credentials of_a, Credentials of_b) {
    {
        smp::SpinGuard guard{a.lock};
        a.peer = Ref<Endpoint>{b};
        a.peer_credentials = of_b;
        a.state = Endpoint::State::Connected;
    }
    smp::SpinGuard guard{b.lock};
    b.peer = Ref<Endpoint>{a};
    b.peer_credentials = of_a;
    b.state = Endpoint::State::Connected;
}

// The far side of `self` has gone or will send no more.
void tell_peer_gone(Endpoint& peer, bool with_reset) {
    {
        smp::SpinGuard guard{peer.lock};
        peer.peer_gone = true;
        peer.reset = peer.reset || with_reset;
    }
    peer.queue.wake_all();
}

void close_endpoint(Endpoint& self) {
    Ref<Endpoint> peer;
    IntrusiveList<Message, &Message::node> unread;
    IntrusiveList<Endpoint, &Endpoint::backlog_node> refused;
    Vector<Ref<Endpoint>> senders;
    bool connected = false;
    {
        smp::SpinGuard guard{self.lock};
        connected = self.state == Endpoint::State::Connected;
        self.state = Endpoint::State::Disconnected;
        self.receive_shut = self.send_shut = true;
        peer = std::move(self.peer);
        unread.splice_back(self.inbound.take_all());
        refused.splice_back(self.backlog);
        self.backlog_length = 0;
        senders = std::move(self.senders);
    }
    bool const lost = !unread.empty();
    while (Message* const message = unread.pop_front()) delete message;
    while (Endpoint* const pending = refused.pop_front()) {
        Ref<Endpoint> const end = Ref<Endpoint>::adopt(pending);
        close_endpoint(*end);
    }
    self.queue.wake_all();
    for (Ref<Endpoint> const& sender : senders) sender->queue.wake_all();
    if (peer && self.type == SocketType::Datagram) peer->forget(self);
    if (peer && connected && self.type != SocketType::Datagram) tell_peer_gone(*peer, lost);
    // Senders that wait for room at this end look again and find it closed.
    if (peer) peer->queue.wake_all();
}

}  // namespace

LocalSocket::LocalSocket(SocketType type, Ref<Endpoint> endpoint) : type_{type}, endpoint_{std::move(endpoint)} {}

LocalSocket::~LocalSocket() {
    {
        sched::MutexGuard guard{names_mutex};
        if (decltype(names)::is_linked(*endpoint_)) names.remove(*endpoint_);
    }
    close_endpoint(*endpoint_);
}

Result<Ref<LocalSocket>> LocalSocket::create(SocketType type) {
    Ref<Endpoint> endpoint = TRY(make_ref<Endpoint>(type));
    auto* const socket = new (std::nothrow) LocalSocket{type, std::move(endpoint)};
    if (socket == nullptr) return fail(Error::NoMemory);
    return Ref<LocalSocket>::adopt(socket);
}

Result<LocalSocket::Pair> LocalSocket::create_pair(SocketType type, Credentials credentials) {
    Pair pair{TRY(create(type)), TRY(create(type))};
    connect_ends(*pair.first->endpoint_, *pair.second->endpoint_, credentials, credentials);
    return pair;
}

Result<> LocalSocket::bind(std::string_view key, std::string_view name) {
    if (key.empty() || name.empty()) return fail(Error::InvalidArgument);
    String own_key = TRY(String::create(key));
    String own_name = TRY(String::create(name));
    sched::MutexGuard guard{names_mutex};
    if (!endpoint_->key.empty()) return fail(Error::InvalidArgument);
    Endpoint* const found = names.lower_bound([&](Endpoint const& e) { return e.key.view() < key; });
    if (found != nullptr && found->key.view() == key) return fail(Error::AddressInUse);
    endpoint_->key = std::move(own_key);
    endpoint_->name = std::move(own_name);
    names.insert(*endpoint_);
    return {};
}

Result<> LocalSocket::listen(u32 backlog, Credentials credentials) {
    if (type_ == SocketType::Datagram) return fail(Error::NotSupported);
    if (endpoint_->name.empty()) return fail(Error::InvalidArgument);
    smp::SpinGuard guard{endpoint_->lock};
    if (endpoint_->state != Endpoint::State::Fresh && endpoint_->state != Endpoint::State::Listening)
        return fail(Error::InvalidArgument);
    endpoint_->state = Endpoint::State::Listening;
    endpoint_->backlog_limit = std::max(backlog, 1u);
    endpoint_->listener_credentials = credentials;
    return {};
}

Result<Ref<LocalSocket>> LocalSocket::accept(Deadline deadline) {
    Endpoint& self = *endpoint_;
    for (;;) {
        Endpoint* taken = nullptr;
        {
            smp::SpinGuard guard{self.lock};
            if (self.state != Endpoint::State::Listening) return fail(Error::InvalidArgument);
            taken = self.backlog.pop_front();
            if (taken != nullptr) --self.backlog_length;
        }
        if (taken != nullptr) {
            self.queue.wake_all();  // room in the backlog
            Ref<Endpoint> end = Ref<Endpoint>::adopt(taken);
            auto* const socket = new (std::nothrow) LocalSocket{type_, end};
            if (socket == nullptr) {
                close_endpoint(*end);
                return fail(Error::NoMemory);
            }
            return Ref<LocalSocket>::adopt(socket);
        }
        TRY(wait(self.queue, deadline, [&] {
            smp::SpinGuard guard{self.lock};
            return !self.backlog.empty() || self.state != Endpoint::State::Listening || self.receive_shut;
        }));
        smp::SpinGuard guard{self.lock};
        if (self.receive_shut && self.backlog.empty()) return fail(Error::InvalidArgument);
    }
}

Result<> LocalSocket::connect(std::string_view key, Credentials credentials, Deadline deadline) {
    Ref<Endpoint> const target = find_key(key);
    if (!target) return fail(Error::ConnectionRefused);
    if (target->type != type_) return fail(Error::WrongType);
    Endpoint& self = *endpoint_;
    if (type_ == SocketType::Datagram) {
        Ref<Endpoint> old;  // dropped outside the lock: it may be the last reference
        {
            smp::SpinGuard guard{self.lock};
            old = std::exchange(self.peer, target);
            self.state = Endpoint::State::Connected;
        }
        if (old) old->forget(self);
        return {};
    }
    {
        smp::SpinGuard guard{self.lock};
        if (self.state == Endpoint::State::Connected) return fail(Error::AlreadyConnected);
        if (self.state != Endpoint::State::Fresh) return fail(Error::InvalidArgument);
    }
    Ref<Endpoint> far = TRY(make_ref<Endpoint>(type_));
    far->name = TRY(String::create(target->name));  // without a key: only what getsockname() says
    for (;;) {
        {
            smp::SpinGuard guard{target->lock};
            if (target->state != Endpoint::State::Listening || target->receive_shut) return fail(Error::ConnectionRefused);
            if (target->backlog_length <= target->backlog_limit) break;
        }
        TRY(wait(target->queue, deadline, [&] {
            smp::SpinGuard guard{target->lock};
            return target->state != Endpoint::State::Listening || target->backlog_length <= target->backlog_limit;
        }));
    }
    Credentials listener;
    {
        smp::SpinGuard guard{target->lock};
        listener = target->listener_credentials;
    }
    connect_ends(self, *far, credentials, listener);
    bool refused = false;
    {
        smp::SpinGuard guard{target->lock};
        refused = target->state != Endpoint::State::Listening;
        if (!refused) {
            target->backlog.push_back(*far.get());
            ++target->backlog_length;
            (void)Ref<Endpoint>{far}.leak();
        }
    }
    if (refused) {
        smp::SpinGuard guard{self.lock};
        self.peer.reset();
        self.state = Endpoint::State::Fresh;
        return fail(Error::ConnectionRefused);
    }
    target->queue.wake_all();
    return {};
}

Result<u64> LocalSocket::send(vm::IoBuffer& from, SendOptions options) {
    Endpoint& self = *endpoint_;
    Ref<Endpoint> peer;
    if (!options.destination.empty() && type_ == SocketType::Datagram) {
        peer = find_key(options.destination);
        if (!peer) return fail(Error::ConnectionRefused);
        if (peer->type != type_) return fail(Error::WrongType);
    } else {
        smp::SpinGuard guard{self.lock};
        if (self.send_shut) return fail(Error::BrokenPipe);
        if (!options.destination.empty()) return fail(self.peer ? Error::AlreadyConnected : Error::NotSupported);
        if (!self.peer)
            return fail(self.state == Endpoint::State::Disconnected || self.peer_gone ? Error::BrokenPipe
                                                                                      : Error::NotConnected);
        peer = self.peer;
    }
    u64 const total = from.remaining();
    bool const whole = type_ != SocketType::Stream;
    if (!whole && total == 0) return u64{0};  // a stream has no empty messages; what was attached to it is dropped
    u64 limit = 0;
    {
        smp::SpinGuard guard{peer->lock};
        limit = peer->inbound.limit();
    }
    if (whole && total > limit) return fail(Error::MessageTooLong);
    constexpr u64 kChunk = 32768;
    u64 sent = 0;
    auto const outcome = [&](Error error) -> Result<u64> {
        if (sent != 0) return sent;
        return fail(error);
    };
    do {
        u64 const size = whole ? total : std::min(total - sent, kChunk);
        auto message = std::unique_ptr<Message>{new (std::nothrow) Message};
        if (!message || !message->bytes.try_resize(size)) return outcome(Error::NoMemory);
        if (size != 0) {
            Result<u64> const copied = from.read_from(message->bytes.data(), size);
            if (!copied) return outcome(copied.error());
            if (*copied < size) {
                if (whole) return fail(Error::BadAddress);
                if (!message->bytes.try_resize(*copied)) return outcome(Error::NoMemory);
            }
        }
        u64 const bytes = message->bytes.size();
        message->credentials = options.credentials;
        message->attachment = std::move(options.attachment);
        if (type_ == SocketType::Datagram && !self.name.empty()) {
            Result<String> source = String::create(self.name);
            if (!source) return outcome(source.error());
            message->source = std::move(*source);
        }
        while (message) {
            {
                smp::SpinGuard guard{peer->lock};
                bool const closed = peer->receive_shut || peer->state == Endpoint::State::Disconnected;
                if (closed) {
                    if (type_ == SocketType::Datagram) return outcome(Error::ConnectionRefused);
                    return outcome(Error::BrokenPipe);
                }
                if (peer->inbound.has_room(bytes))
                    peer->inbound.push(std::move(message));
                else if (type_ == SocketType::Datagram && options.destination.empty() && !peer->tell_of_room(self))
                    return outcome(Error::NoMemory);
            }
            if (!message) break;
            // Room at the peer is announced on our queue by whoever receives there; datagrams come from anywhere, so
            // their senders watch the receiver's queue.
            sched::WaitQueue& where = type_ == SocketType::Datagram ? peer->queue : self.queue;
            Result<> const waited = wait(where, options.deadline, [&] {
                smp::SpinGuard guard{peer->lock};
                return peer->receive_shut || peer->state == Endpoint::State::Disconnected ||
                       peer->inbound.has_room(bytes);
            });
            if (!waited) return outcome(waited.error());
        }
        peer->queue.wake_all();
        sent += bytes;
        if (bytes < size) return sent;
    } while (sent < total);
    return sent;
}

Result<Received> LocalSocket::receive(vm::IoBuffer& to, ReceiveOptions const& options) {
    Endpoint& self = *endpoint_;
    Received received;
    if (type_ == SocketType::Stream && to.remaining() == 0) return received;
    for (;;) {
        {
            sched::MutexGuard reader{self.reading};
            Message* message = nullptr;  // stays where it is while it is copied
            bool end = false;
            bool reset = false;
            {
                smp::SpinGuard guard{self.lock};
                if (type_ != SocketType::Datagram && self.state != Endpoint::State::Connected &&
                    self.state != Endpoint::State::Disconnected)
                    return fail(type_ == SocketType::Stream ? Error::InvalidArgument : Error::NotConnected);
                message = self.inbound.front();
                end = message == nullptr && (self.peer_gone || self.receive_shut);
                reset = message == nullptr && std::exchange(self.reset, false);
            }
            if (reset && received.bytes == 0) return fail(Error::ConnectionReset);
            if (message != nullptr) {
                // A stream does not read past a message with attachments of its own once it has something.
                if (received.bytes != 0 && message->attachment != nullptr) return received;
                if (!message->source.empty()) received.source = TRY(String::create(message->source));
                Result<u64> const copied = to.write_to(message->bytes.data() + message->taken, message->remaining());
                if (!copied) {
                    if (received.bytes == 0) return fail(copied.error());
                    return received;
                }
                received.bytes += *copied;
                received.message_size = type_ == SocketType::Stream ? received.bytes : message->bytes.size();
                received.credentials = message->credentials;
                if (options.peek) return received;
                if (message->attachment) received.attachment = std::move(message->attachment);
                smp::race_point();
                bool const whole = type_ != SocketType::Stream || *copied == message->remaining();
                std::unique_ptr<Message> done;
                Vector<Ref<Endpoint>> senders;
                {
                    smp::SpinGuard guard{self.lock};
                    if (whole)
                        done = self.inbound.pop();
                    else
                        self.inbound.take_from_front(*copied);
                    if (self.has_much_room()) senders = std::move(self.senders);
                }
                for (Ref<Endpoint> const& sender : senders) sender->queue.wake_all();
                if (Ref<Endpoint> const peer = self.peer_endpoint(); peer && type_ != SocketType::Datagram)
                    peer->queue.wake_all();
                else
                    self.queue.wake_all();
                bool const more = type_ == SocketType::Stream && to.remaining() != 0 && whole &&
                                  received.attachment == nullptr;
                if (more) continue;
                return received;
            }
            if (end) {
                received.end = received.bytes == 0;
                return received;
            }
        }
        if (received.bytes != 0 && !options.wait_all) return received;
        Result<> const waited = wait(self.queue, options.deadline, [&] {
            smp::SpinGuard guard{self.lock};
            return !self.inbound.empty() || self.peer_gone || self.receive_shut;
        });
        if (!waited) {
            if (received.bytes != 0) return received;
            return fail(waited.error());
        }
    }
}

void LocalSocket::shut_down(bool receiving, bool sending) {
    Endpoint& self = *endpoint_;
    Ref<Endpoint> peer;
    {
        smp::SpinGuard guard{self.lock};
        self.receive_shut = self.receive_shut || receiving;
        self.send_shut = self.send_shut || sending;
        if (type_ != SocketType::Datagram) peer = self.peer;
    }
    self.queue.wake_all();
    if (!peer) return;
    if (sending)
        tell_peer_gone(*peer, false);
    else
        peer->queue.wake_all();
}

Readiness LocalSocket::readiness() {
    Endpoint& self = *endpoint_;
    Readiness ready;
    Ref<Endpoint> peer;
    {
        smp::SpinGuard guard{self.lock};
        if (self.state == Endpoint::State::Listening) {
            ready.readable = !self.backlog.empty();
            return ready;
        }
        ready.readable = !self.inbound.empty() || self.peer_gone || self.receive_shut;
        ready.read_hang_up = self.peer_gone || self.receive_shut;
        ready.error = self.reset;
        peer = self.peer;
        if (type_ != SocketType::Datagram && self.state == Endpoint::State::Fresh) {
            ready.hang_up = ready.writable = true;  // never connected, as Linux reports it
            return ready;
        }
    }
    if (!peer) {
        ready.writable = true;
        return ready;
    }
    smp::SpinGuard guard{peer->lock};
    bool const gone = peer->state == Endpoint::State::Disconnected;
    ready.writable = gone || peer->has_much_room() ||
                     (type_ == SocketType::Datagram && !peer->tell_of_room(self));
    ready.hang_up = type_ != SocketType::Datagram && gone;
    return ready;
}

sched::WaitQueue& LocalSocket::queue() { return endpoint_->queue; }

bool LocalSocket::is_listening() {
    smp::SpinGuard guard{endpoint_->lock};
    return endpoint_->state == Endpoint::State::Listening;
}
bool LocalSocket::is_connected() {
    smp::SpinGuard guard{endpoint_->lock};
    return endpoint_->state == Endpoint::State::Connected;
}
u64 LocalSocket::bytes_available() {
    smp::SpinGuard guard{endpoint_->lock};
    if (type_ == SocketType::Stream) return endpoint_->inbound.bytes();
    Message* const first = endpoint_->inbound.front();
    return first != nullptr ? first->remaining() : 0;
}

Result<Credentials> LocalSocket::peer_credentials() {
    smp::SpinGuard guard{endpoint_->lock};
    if (!endpoint_->peer) return fail(Error::NotConnected);
    return endpoint_->peer_credentials;
}
Result<String> LocalSocket::name() {
    sched::MutexGuard guard{names_mutex};
    return String::create(endpoint_->name);
}
Result<String> LocalSocket::peer_name() {
    Ref<Endpoint> const peer = endpoint_->peer_endpoint();
    if (!peer) return fail(Error::NotConnected);
    sched::MutexGuard guard{names_mutex};
    return String::create(peer->name);
}
u64 LocalSocket::buffer_limit() {
    smp::SpinGuard guard{endpoint_->lock};
    return endpoint_->inbound.limit();
}
void LocalSocket::set_buffer_limit(u64 bytes) {
    smp::SpinGuard guard{endpoint_->lock};
    endpoint_->inbound.set_limit(std::max<u64>(bytes, 4096));
}

}  // namespace tutti::net
