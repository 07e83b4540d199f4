// SPDX-License-Identifier: BSD-3-Clause
// poll, ppoll, select and pselect.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

struct Pipe {
    Pipe() { CHECK_OK(pipe2(ends, O_CLOEXEC | O_NONBLOCK)); }
    ~Pipe() {
        for (int end : ends)
            if (end >= 0) close(end);
    }
    void close_end(int which) {
        close(ends[which]);
        ends[which] = -1;
    }
    int ends[2];
};

std::atomic<int> handled{0};

// SIGUSR1 blocked and caught while this lives.
struct BlockedSignal {
    BlockedSignal() {
        handled.store(0, std::memory_order_relaxed);
        struct sigaction action {};
        action.sa_handler = [](int) { handled.fetch_add(1, std::memory_order_relaxed); };
        sigaction(SIGUSR1, &action, &old_action);
        sigset_t block;
        sigemptyset(&block);
        sigaddset(&block, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &block, &old_mask);
    }
    ~BlockedSignal() {
        pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
        sigaction(SIGUSR1, &old_action, nullptr);
    }
    struct sigaction old_action {};
    sigset_t old_mask;
};

}  // namespace

TEST(poll_reports_readiness) {
    Pipe pipe;
    pollfd fds[2] = {{pipe.ends[0], POLLIN, 0}, {pipe.ends[1], POLLOUT, 0}};
    CHECK_EQ(poll(fds, 2, 0), 1);
    CHECK_EQ(fds[0].revents, 0);
    CHECK_EQ(fds[1].revents, POLLOUT);
    CHECK_EQ(write(pipe.ends[1], "x", 1), 1);
    CHECK_EQ(poll(fds, 2, 0), 2);
    CHECK_EQ(fds[0].revents, POLLIN);
}

TEST(poll_special_descriptors) {
    Pipe pipe;
    pipe.close_end(1);
    ScratchDirectory scratch;
    write_file(scratch.path("f"), "");
    const int file = open(scratch.path("f").c_str(), O_RDWR | O_CLOEXEC);
    pollfd fds[4] = {{-1, POLLIN, 77}, {987, POLLIN, 0}, {pipe.ends[0], 0, 0}, {file, POLLIN | POLLOUT, 0}};
    CHECK_EQ(poll(fds, 4, 0), 3);
    CHECK_EQ(fds[0].revents, 0);
    CHECK_EQ(fds[1].revents, POLLNVAL);
    CHECK_EQ(fds[2].revents, POLLHUP);
    CHECK_EQ(fds[3].revents, POLLIN | POLLOUT);
    close(file);
}

TEST(poll_writer_without_reader) {
    Pipe pipe;
    pipe.close_end(0);
    pollfd p{pipe.ends[1], POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK((p.revents & POLLERR) != 0);
}

TEST(poll_timeouts_and_errors) {
    std::int64_t start = now_ns();
    CHECK_EQ(poll(nullptr, 0, 30), 0);
    CHECK(now_ns() - start >= 30 * kMillisecond);
    CHECK_ERR(poll(reinterpret_cast<pollfd*>(8), 1, 0), EFAULT);
#ifdef SYS_poll
    CHECK_ERR(syscall(SYS_poll, nullptr, 0x7fffffff, 0), EINVAL);
#endif
    CHECK_ERR(syscall(SYS_ppoll, nullptr, 0x7fffffff, nullptr, nullptr, 8), EINVAL);
    timespec wrong{0, 1'000'000'000};
    CHECK_ERR(ppoll(nullptr, 0, &wrong, nullptr), EINVAL);
    start = now_ns();
    const timespec timeout = to_timespec(7 * kMillisecond);
    CHECK_EQ(ppoll(nullptr, 0, &timeout, nullptr), 0);
    CHECK(now_ns() - start >= 7 * kMillisecond);
}

TEST(a_blocked_poll_is_woken) {
    Pipe pipes[3];
    pollfd fds[3];
    for (int i = 0; i < 3; ++i) fds[i] = {pipes[i].ends[0], POLLIN, 0};
    std::atomic<int> result{-1};
    Thread waiter([&] { result.store(poll(fds, 3, -1), std::memory_order_release); });
    wait_until_blocked(waiter.tid());
    CHECK_EQ(write(pipes[1].ends[1], "x", 1), 1);
    waiter.join();
    CHECK_EQ(result.load(std::memory_order_acquire), 1);
    CHECK_EQ(fds[1].revents, POLLIN);
    CHECK_EQ(fds[0].revents, 0);
}

TEST(a_poll_for_nothing_ends_with_an_error) {
    Pipe pipe;
    pollfd p{pipe.ends[1], 0, 0};
    std::atomic<int> result{-1};
    Thread waiter([&] { result.store(poll(&p, 1, -1), std::memory_order_release); });
    wait_until_blocked(waiter.tid());
    pipe.close_end(0);
    waiter.join();
    CHECK_EQ(result.load(std::memory_order_acquire), 1);
    CHECK_EQ(p.revents, POLLERR);
}

TEST(all_who_poll_one_descriptor_wake) {
    const int event = eventfd(0, EFD_CLOEXEC);
    std::atomic<int> woken{0};
    Threads threads;
    for (int t = 0; t < 4; ++t) {
        threads.push_back(std::make_unique<Thread>([&] {
            pollfd p{event, POLLIN, 0};
            woken.fetch_add(poll(&p, 1, -1), std::memory_order_acq_rel);
        }));
        wait_until_blocked(threads.back()->tid());
    }
    const std::uint64_t one = 1;
    CHECK_EQ(write(event, &one, 8), 8);
    threads.clear();
    CHECK_EQ(woken.load(std::memory_order_acquire), 4);
    close(event);
}

TEST(ppoll_swaps_the_mask) {
    BlockedSignal signal;
    raise(SIGUSR1);
    CHECK_EQ(poll(nullptr, 0, 10), 0);
    CHECK_EQ(handled.load(std::memory_order_relaxed), 0);
    sigset_t none;
    sigemptyset(&none);
    const timespec timeout{20, 0};
    CHECK_ERR(ppoll(nullptr, 0, &timeout, &none), EINTR);
    CHECK_EQ(handled.load(std::memory_order_relaxed), 1);
}

TEST(poll_is_interrupted_even_with_restart) {
    struct sigaction action {}, old {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, &old);
    std::atomic<int> result{0};
    Thread waiter([&] {
        const int r = poll(nullptr, 0, -1);
        result.store(r == -1 ? errno : 1000, std::memory_order_release);
    });
    wait_until_blocked(waiter.tid());
    CHECK_OK(syscall(SYS_tgkill, getpid(), waiter.tid(), SIGUSR1));
    waiter.join();
    CHECK_EQ(result.load(std::memory_order_acquire), EINTR);
    sigaction(SIGUSR1, &old, nullptr);
}

TEST(select_sets) {
    Pipe pipe;
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(pipe.ends[0], &readable);
    FD_SET(pipe.ends[1], &writable);
    timeval zero{};
    const int top = (pipe.ends[0] > pipe.ends[1] ? pipe.ends[0] : pipe.ends[1]) + 1;
    CHECK_EQ(select(top, &readable, &writable, nullptr, &zero), 1);
    CHECK(!FD_ISSET(pipe.ends[0], &readable) && FD_ISSET(pipe.ends[1], &writable));
    CHECK_EQ(write(pipe.ends[1], "x", 1), 1);
    FD_SET(pipe.ends[0], &readable);
    CHECK_EQ(select(top, &readable, &writable, nullptr, nullptr), 2);
    CHECK(FD_ISSET(pipe.ends[0], &readable));
}

TEST(select_timeout_and_errors) {
    timeval timeout{0, 25'000};
    const std::int64_t start = now_ns();
    CHECK_EQ(select(0, nullptr, nullptr, nullptr, &timeout), 0);
    CHECK(now_ns() - start >= 25 * kMillisecond);
    CHECK_EQ(timeout.tv_sec * 1'000'000 + timeout.tv_usec, 0);  // Linux tells the time left
    CHECK_ERR(select(-1, nullptr, nullptr, nullptr, nullptr), EINVAL);
    timeval negative{-1, 0};
    CHECK_ERR(select(0, nullptr, nullptr, nullptr, &negative), EINVAL);
    fd_set set;
    FD_ZERO(&set);
    const int closed = dup(1);
    close(closed);
    FD_SET(closed, &set);
    timeval zero{};
    CHECK_ERR(select(closed + 1, &set, nullptr, nullptr, &zero), EBADF);
}

TEST(pselect_swaps_the_mask) {
    BlockedSignal signal;
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    const timespec timeout{20, 0};
    CHECK_ERR(pselect(0, nullptr, nullptr, nullptr, &timeout, &none), EINTR);
    CHECK_EQ(handled.load(std::memory_order_relaxed), 1);
    CHECK_EQ(timeout.tv_sec, 20);
}

TEST(many_descriptors) {
    static constexpr int kPipes = 100;
    std::vector<std::unique_ptr<Pipe>> pipes;
    std::vector<pollfd> fds;
    for (int i = 0; i < kPipes; ++i) {
        pipes.push_back(std::make_unique<Pipe>());
        fds.push_back({pipes.back()->ends[0], POLLIN, 0});
    }
    for (int i = 0; i < kPipes; i += 10) CHECK_EQ(write(pipes[i]->ends[1], "x", 1), 1);
    CHECK_EQ(poll(fds.data(), kPipes, -1), kPipes / 10);
    for (int i = 0; i < kPipes; ++i) CHECK_EQ(fds[i].revents != 0, i % 10 == 0);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
