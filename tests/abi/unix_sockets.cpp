// SPDX-License-Identifier: BSD-3-Clause
// Local sockets: pairs, streams and datagrams by name, options, errors.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <vector>

#include "check.hpp"

using namespace tutti::check;

namespace {

// False (and the test is skipped) when the kernel has no local sockets at all.
bool sockets_exist() {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && (errno == EAFNOSUPPORT || errno == ENOSYS)) {
        skip("no local sockets");
        return false;
    }
    close(fd);
    return true;
}

struct Pair {
    explicit Pair(int type) { CHECK_OK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds)); }
    ~Pair() {
        for (int fd : fds)
            if (fd >= 0) close(fd);
    }
    void close_end(int which) {
        close(fds[which]);
        fds[which] = -1;
    }
    int fds[2] = {-1, -1};
};

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
}

int bind_to(int fd, const sockaddr_un& address) { return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address); }
int connect_to(int fd, const sockaddr_un& address) { return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address); }

// Until there is no more room, or no more data.
void send_all_it_takes(int fd) {
    const char datagram[1000] = {};
    while (send(fd, datagram, sizeof datagram, MSG_DONTWAIT) > 0) {}
    CHECK_EQ(errno, EAGAIN);
}
void receive_all(int fd) {
    char datagram[1000];
    while (recv(fd, datagram, sizeof datagram, MSG_DONTWAIT) > 0) {}
    CHECK_EQ(errno, EAGAIN);
}

}  // namespace

TEST(stream_pair_is_a_byte_stream_both_ways) {
    if (!sockets_exist()) return;
    Pair pair(SOCK_STREAM);
    char buffer[16] = {};
    CHECK_EQ(write(pair.fds[0], "abc", 3), 3);
    CHECK_EQ(send(pair.fds[0], "def", 3, 0), 3);
    CHECK_EQ(read(pair.fds[1], buffer, sizeof buffer), 6);
    CHECK(memcmp(buffer, "abcdef", 6) == 0);
    CHECK_EQ(write(pair.fds[1], "xy", 2), 2);
    CHECK_EQ(recv(pair.fds[0], buffer, 1, MSG_PEEK), 1);
    CHECK_EQ(recv(pair.fds[0], buffer, 16, 0), 2);
    CHECK_EQ(recv(pair.fds[0], buffer, 16, MSG_DONTWAIT), -1);
    CHECK_EQ(errno, EAGAIN);
}

TEST(datagram_pair_keeps_boundaries) {
    if (!sockets_exist()) return;
    for (int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
        Pair pair(type);
        char buffer[16] = {};
        CHECK_EQ(send(pair.fds[0], "first", 5, 0), 5);
        CHECK_EQ(send(pair.fds[0], "second", 6, 0), 6);
        CHECK_EQ(recv(pair.fds[1], buffer, sizeof buffer, 0), 5);
        CHECK_EQ(recv(pair.fds[1], buffer, 3, 0), 3);  // the rest is lost
        CHECK_EQ(recv(pair.fds[1], buffer, 3, MSG_DONTWAIT), -1);
    }
}

TEST(shutdown_and_close) {
    if (!sockets_exist()) return;
    signal(SIGPIPE, SIG_IGN);
    Pair pair(SOCK_STREAM);
    char byte;
    CHECK_OK(shutdown(pair.fds[0], SHUT_WR));
    CHECK_EQ(read(pair.fds[1], &byte, 1), 0);
    CHECK_ERR(write(pair.fds[0], "x", 1), EPIPE);
    CHECK_EQ(write(pair.fds[1], "y", 1), 1);  // the other direction is open still
    CHECK_EQ(read(pair.fds[0], &byte, 1), 1);
    pair.close_end(1);
    CHECK_EQ(read(pair.fds[0], &byte, 1), 0);
    Pair second(SOCK_STREAM);
    second.close_end(1);
    CHECK_ERR(send(second.fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    signal(SIGPIPE, SIG_DFL);
}

TEST(a_blocked_receiver_is_woken) {
    if (!sockets_exist()) return;
    Pair pair(SOCK_STREAM);
    std::atomic<int> got{0};
    Thread reader([&] {
        char byte = 0;
        CHECK_EQ(recv(pair.fds[1], &byte, 1, 0), 1);
        got.store(byte, std::memory_order_release);
    });
    wait_until_blocked(reader.tid());
    CHECK_EQ(write(pair.fds[0], "r", 1), 1);
    reader.join();
    CHECK_EQ(got.load(std::memory_order_acquire), 'r');
}

TEST(named_stream_server) {
    if (!sockets_exist()) return;
    ScratchDirectory scratch;
    const sockaddr_un address = address_of(scratch.path("s"));
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int early = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_ERR(connect_to(early, address), ENOENT);
    CHECK_OK(bind_to(server, address));
    CHECK_ERR(connect_to(early, address), ECONNREFUSED);
    CHECK_OK(listen(server, 5));
    std::atomic<int> served{0};
    Thread serving([&] {
        for (int i = 0; i < 10; ++i) {
            const int connection = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
            if (!CHECK_OK(connection)) return;
            char buffer[32];
            const ssize_t count = read(connection, buffer, sizeof buffer);
            if (count > 0) CHECK_EQ(write(connection, buffer, count), count);
            close(connection);
            served.fetch_add(1, std::memory_order_relaxed);
        }
    });
    for (int i = 0; i < 10; ++i) {
        const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_OK(connect_to(client, address));
        char buffer[32] = {};
        CHECK_EQ(write(client, "ping", 4), 4);
        CHECK_EQ(read(client, buffer, sizeof buffer), 4);
        CHECK(memcmp(buffer, "ping", 4) == 0);
        CHECK_EQ(read(client, buffer, sizeof buffer), 0);
        close(client);
    }
    serving.join();
    CHECK_EQ(served.load(std::memory_order_relaxed), 10);
    const int again = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_ERR(bind_to(again, address), EADDRINUSE);
    CHECK_OK(unlink(scratch.path("s").c_str()));
    CHECK_OK(bind_to(again, address));
    for (int fd : {again, early, server}) close(fd);
}

TEST(a_connection_outlives_an_accept_without_a_free_number) {
    if (!sockets_exist()) return;
    ScratchDirectory directory;
    const sockaddr_un address = address_of(directory.path("server"));
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_OK(bind_to(server, address));
    CHECK_OK(listen(server, 1));
    CHECK_OK(connect_to(client, address));
    const int lowest = dup(client);
    CHECK_OK(close(lowest));
    rlimit limit{}, low{};
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    low = limit;
    low.rlim_cur = lowest;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &low));
    CHECK_ERR(accept(server, nullptr, nullptr), EMFILE);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK_OK(fcntl(server, F_SETFL, O_NONBLOCK));  // a lost connection does not block
    const int accepted = accept(server, nullptr, nullptr);
    CHECK_EQ(accepted, lowest);
    CHECK_EQ(write(client, "x", 1), 1);
    char byte = 0;
    CHECK_EQ(read(accepted, &byte, 1), 1);
    for (int fd : {accepted, client, server}) close(fd);
}

TEST(a_call_with_a_time_limit_does_not_restart) {
    if (!sockets_exist()) return;
    struct sigaction action{}, old{};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    CHECK_OK(sigaction(SIGUSR1, &action, &old));
    const timeval limit{5, 0};
    Pair pair(SOCK_STREAM);
    for (int fd : pair.fds) {
        CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
        CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    }
    char byte = 0;
    iovec vector{&byte, 1};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    std::vector<char> full(1 << 16);
    const std::function<long()> calls[] = {
        [&] { return recv(pair.fds[0], &byte, 1, 0); },
        [&] { return read(pair.fds[0], &byte, 1); },
        [&] { return readv(pair.fds[0], &vector, 1); },
        [&] { return recvmsg(pair.fds[0], &message, 0); },
        [&] { return send(pair.fds[0], full.data(), full.size(), 0); },
        [&] { return write(pair.fds[0], full.data(), full.size()); },
    };
    // Nothing to read, no room to write: each call sleeps until the signal comes.
    while (send(pair.fds[0], full.data(), full.size(), MSG_DONTWAIT) > 0) {
    }
    for (const auto& call : calls) {
        Thread caller([&] { CHECK_ERR(call(), EINTR); });
        wait_until_blocked(caller.tid());
        pthread_kill(caller.handle(), SIGUSR1);
    }
    CHECK_OK(sigaction(SIGUSR1, &old, nullptr));
}

TEST(abstract_names) {
    if (!sockets_exist()) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const char name[] = "\0tutti-check-abstract";
    memcpy(address.sun_path, name, sizeof name);
    const socklen_t length = offsetof(sockaddr_un, sun_path) + sizeof name;
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_OK(bind(server, reinterpret_cast<sockaddr*>(&address), length));
    CHECK_OK(listen(server, 1));
    CHECK_OK(connect(client, reinterpret_cast<sockaddr*>(&address), length));
    const int connection = accept(server, nullptr, nullptr);
    CHECK_OK(connection);
    for (int fd : {connection, client, server}) close(fd);
}

TEST(named_datagrams_carry_the_sender) {
    if (!sockets_exist()) return;
    ScratchDirectory scratch;
    const sockaddr_un to = address_of(scratch.path("to")), from = address_of(scratch.path("from"));
    const int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_OK(bind_to(receiver, to));
    CHECK_OK(bind_to(sender, from));
    CHECK_EQ(sendto(sender, "hi", 2, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 2);
    sockaddr_un source{};
    socklen_t length = sizeof source;
    char buffer[8];
    CHECK_EQ(recvfrom(receiver, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&source), &length), 2);
    CHECK(strcmp(source.sun_path, from.sun_path) == 0);
    close(receiver);
    close(sender);
}

TEST(options_names_and_errors) {
    if (!sockets_exist()) return;
    Pair pair(SOCK_STREAM);
    int value = 0;
    socklen_t length = sizeof value;
    CHECK_OK(getsockopt(pair.fds[0], SOL_SOCKET, SO_TYPE, &value, &length));
    CHECK_EQ(value, SOCK_STREAM);
    CHECK_OK(getsockopt(pair.fds[0], SOL_SOCKET, SO_ERROR, &value, &length));
    CHECK_EQ(value, 0);
    CHECK_OK(getsockopt(pair.fds[0], SOL_SOCKET, SO_DOMAIN, &value, &length));
    CHECK_EQ(value, AF_UNIX);
    sockaddr_un name{};
    length = sizeof name;
    CHECK_OK(getsockname(pair.fds[0], reinterpret_cast<sockaddr*>(&name), &length));
    CHECK_EQ(name.sun_family, AF_UNIX);
    CHECK_ERR(socket(AF_UNIX, 77, 0), EINVAL);
    CHECK_ERR(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERR(accept(pair.fds[0], nullptr, nullptr), EINVAL);
    CHECK_ERR(listen(open("/dev/null", O_RDONLY | O_CLOEXEC), 1), ENOTSOCK);
    CHECK_ERR(send(pair.fds[0], reinterpret_cast<void*>(8), 4, 0), EFAULT);
    timeval timeout{0, 20'000};
    CHECK_OK(setsockopt(pair.fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout));
    char byte;
    const std::int64_t start = now_ns();
    CHECK_ERR(recv(pair.fds[0], &byte, 1, 0), EAGAIN);
    CHECK(now_ns() - start >= 20 * kMillisecond);
}

TEST(messages_with_vectors_and_descriptors) {
    if (!sockets_exist()) return;
    Pair pair(SOCK_STREAM);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    char a[] = "ab", b[] = "cd";
    iovec out[] = {{a, 2}, {b, 2}};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = out;
    message.msg_iovlen = 2;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
    const ssize_t sent = sendmsg(pair.fds[0], &message, 0);
    if (sent == -1 && (errno == EOPNOTSUPP || errno == EINVAL)) {
        close(ends[0]);
        close(ends[1]);
        return skip("no passing of descriptors");
    }
    CHECK_EQ(sent, 4);
    char buffer[8] = {};
    iovec in{buffer, sizeof buffer};
    memset(control, 0, sizeof control);
    msghdr received{};
    received.msg_iov = &in;
    received.msg_iovlen = 1;
    received.msg_control = control;
    received.msg_controllen = sizeof control;
    CHECK_EQ(recvmsg(pair.fds[1], &received, MSG_CMSG_CLOEXEC), 4);
    CHECK(memcmp(buffer, "abcd", 4) == 0);
    header = CMSG_FIRSTHDR(&received);
    REQUIRE(header != nullptr);
    int passed = -1;
    memcpy(&passed, CMSG_DATA(header), sizeof passed);
    CHECK(passed >= 0 && passed != ends[1]);
    CHECK_EQ(write(passed, "q", 1), 1);
    char byte = 0;
    CHECK_EQ(read(ends[0], &byte, 1), 1);
    CHECK_EQ(byte, 'q');
    for (int fd : {passed, ends[0], ends[1]}) close(fd);
}

TEST(poll_on_sockets) {
    if (!sockets_exist()) return;
    Pair pair(SOCK_STREAM);
    pollfd p{pair.fds[0], POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT);
    CHECK_EQ(write(pair.fds[1], "x", 1), 1);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN | POLLOUT);
    pair.close_end(1);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK((p.revents & (POLLIN | POLLHUP)) == (POLLIN | POLLHUP));
}

TEST(a_datagram_sender_that_polls_is_woken_by_the_receiver) {
    if (!sockets_exist()) return;
    Pair pair(SOCK_DGRAM);
    send_all_it_takes(pair.fds[0]);
    pollfd p{pair.fds[0], POLLOUT, 0};
    Thread sender([&] { CHECK_EQ(poll(&p, 1, -1), 1); });
    wait_until_blocked(sender.tid());
    receive_all(pair.fds[1]);
    sender.join();
    CHECK_EQ(p.revents, POLLOUT);
}

TEST(an_edge_comes_when_a_datagram_can_be_sent_again) {
    if (!sockets_exist()) return;
    Pair pair(SOCK_DGRAM);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{.events = EPOLLOUT | EPOLLET, .data = {}};
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair.fds[0], &event));
    CHECK_EQ(epoll_wait(epoll, &event, 1, -1), 1);
    send_all_it_takes(pair.fds[0]);
    Thread sender([&] { CHECK_EQ(epoll_wait(epoll, &event, 1, -1), 1); });
    wait_until_blocked(sender.tid());
    receive_all(pair.fds[1]);
    sender.join();
    close(epoll);
}

TEST(a_datagram_sender_waits_for_the_room_that_another_took) {
    if (!sockets_exist()) return;
    ScratchDirectory scratch;
    const sockaddr_un address = address_of(scratch.path("server"));
    const int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_OK(bind_to(server, address));
    int clients[2];
    for (int& client : clients) {
        client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        CHECK_OK(connect_to(client, address));
    }
    for (const bool closes : {false, true}) {
        send_all_it_takes(clients[0]);
        pollfd p{clients[1], POLLOUT, 0};
        Thread sender([&] { CHECK_EQ(poll(&p, 1, -1), 1); });
        wait_until_blocked(sender.tid());
        if (closes)
            close(server);
        else
            receive_all(server);
        sender.join();
        CHECK((p.revents & POLLOUT) != 0);
    }
    for (int client : clients) close(client);
}

TEST(groups_of_threads_exchange_messages) {
    // What hackbench does: each sender writes to each receiver's pair.
    if (!sockets_exist()) return;
    static constexpr int kPairs = 4, kSenders = 4, kMessages = 50, kSize = 100;
    Pair pairs[kPairs] = {Pair(SOCK_STREAM), Pair(SOCK_STREAM), Pair(SOCK_STREAM), Pair(SOCK_STREAM)};
    Threads threads;
    std::atomic<long> received{0};
    for (Pair& pair : pairs)
        threads.push_back(std::make_unique<Thread>([&] {
            char buffer[kSize];
            for (int i = 0; i < kSenders * kMessages; ++i) {
                if (!CHECK_EQ(recv(pair.fds[1], buffer, kSize, MSG_WAITALL), kSize)) return;
                received.fetch_add(buffer[0], std::memory_order_relaxed);
            }
        }));
    for (int s = 0; s < kSenders; ++s)
        threads.push_back(std::make_unique<Thread>([&, s] {
            char buffer[kSize];
            memset(buffer, s + 1, kSize);
            for (int i = 0; i < kMessages; ++i)
                for (Pair& pair : pairs) CHECK_EQ(write(pair.fds[0], buffer, kSize), kSize);
        }));
    threads.clear();
    CHECK_EQ(received.load(std::memory_order_relaxed), (long)kPairs * kMessages * (1 + 2 + 3 + 4));
}

int main(int argc, char** argv) { return run_all(argc, argv); }
