// SPDX-License-Identifier: BSD-3-Clause
// epoll(7): level, edge, one-shot and exclusive events, nesting, errors, waiting.
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

// An epoll instance that watches pipes and events by their number.
struct Epoll {
    Epoll() : fd(epoll_create1(EPOLL_CLOEXEC)) { CHECK_OK(fd); }
    ~Epoll() { close(fd); }
    int add(int target, std::uint32_t events) { return control(EPOLL_CTL_ADD, target, events); }
    int modify(int target, std::uint32_t events) { return control(EPOLL_CTL_MOD, target, events); }
    int remove(int target) { return control(EPOLL_CTL_DEL, target, 0); }
    int control(int operation, int target, std::uint32_t events) {
        epoll_event event{};
        event.events = events;
        event.data.u64 = 0x1'0000'0000ull + target;
        return epoll_ctl(fd, operation, target, &event);
    }
    // Number of events within `timeout_ms`; the first is kept in `last`.
    int wait(int timeout_ms = 0) {
        epoll_event events[16];
        const int count = epoll_wait(fd, events, 16, timeout_ms);
        if (count > 0) last = events[0];
        return count;
    }
    bool last_is(int target, std::uint32_t events) const {
        return last.events == events && last.data.u64 == 0x1'0000'0000ull + target;
    }
    int fd;
    epoll_event last{};
};

struct Pipe {
    Pipe() { CHECK_OK(pipe2(ends, O_CLOEXEC | O_NONBLOCK)); }
    ~Pipe() {
        close(ends[0]);
        if (ends[1] >= 0) close(ends[1]);
    }
    void put(const char* text = "x") { CHECK_OK(write(ends[1], text, 1)); }
    void drain() {
        char buffer[256];
        while (read(ends[0], buffer, sizeof buffer) > 0) {
        }
    }
    int reader() const { return ends[0]; }
    int writer() const { return ends[1]; }
    int ends[2];
};

}  // namespace

TEST(level_triggered_events_repeat) {
    Epoll epoll;
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN));
    CHECK_EQ(epoll.wait(), 0);
    pipe.put();
    for (int i = 0; i < 3; ++i) {
        CHECK_EQ(epoll.wait(), 1);
        CHECK(epoll.last_is(pipe.reader(), EPOLLIN));
    }
    pipe.drain();
    CHECK_EQ(epoll.wait(), 0);
}

TEST(edge_triggered_events_come_once_for_each_arrival) {
    Epoll epoll;
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN | EPOLLET));
    pipe.put();
    CHECK_EQ(epoll.wait(), 1);
    CHECK_EQ(epoll.wait(), 0);
    pipe.put();
    CHECK_EQ(epoll.wait(), 1);
    CHECK_EQ(epoll.wait(), 0);
    CHECK_OK(epoll.modify(pipe.reader(), EPOLLIN | EPOLLET));  // looks again at what is there
    CHECK_EQ(epoll.wait(), 1);
}

TEST(what_is_ready_at_the_time_of_adding_is_reported) {
    Epoll epoll;
    Pipe pipe;
    pipe.put();
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN | EPOLLET));
    CHECK_EQ(epoll.wait(), 1);
}

TEST(one_shot) {
    Epoll epoll;
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN | EPOLLONESHOT));
    pipe.put();
    CHECK_EQ(epoll.wait(), 1);
    pipe.put();
    CHECK_EQ(epoll.wait(), 0);
    CHECK_OK(epoll.modify(pipe.reader(), EPOLLIN | EPOLLONESHOT));
    CHECK_EQ(epoll.wait(), 1);
    CHECK_EQ(epoll.wait(), 0);
}

TEST(control_errors) {
    Epoll epoll;
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN));
    CHECK_ERR(epoll.add(pipe.reader(), EPOLLIN), EEXIST);
    CHECK_ERR(epoll.modify(pipe.writer(), EPOLLOUT), ENOENT);
    CHECK_ERR(epoll.remove(pipe.writer()), ENOENT);
    CHECK_OK(epoll.remove(pipe.reader()));
    CHECK_ERR(epoll.remove(pipe.reader()), ENOENT);
    CHECK_ERR(epoll.add(987, EPOLLIN), EBADF);
    CHECK_ERR(epoll.add(epoll.fd, EPOLLIN), EINVAL);
    CHECK_ERR(epoll.control(77, pipe.reader(), EPOLLIN), EINVAL);
    CHECK_ERR(epoll_ctl(pipe.reader(), EPOLL_CTL_DEL, pipe.writer(), nullptr), EINVAL);
    CHECK_ERR(epoll_ctl(epoll.fd, EPOLL_CTL_ADD, pipe.reader(), nullptr), EFAULT);
    ScratchDirectory scratch;
    write_file(scratch.path("f"), "x");
    const int file = open(scratch.path("f").c_str(), O_RDONLY | O_CLOEXEC);
    CHECK_ERR(epoll.add(file, EPOLLIN), EPERM);
    close(file);
    epoll_event event;
    CHECK_ERR(epoll_wait(epoll.fd, &event, 0, 0), EINVAL);
    CHECK_ERR(epoll_wait(epoll.fd, &event, -1, 0), EINVAL);
    CHECK_ERR(epoll_wait(pipe.reader(), &event, 1, 0), EINVAL);
    CHECK_ERR(epoll_wait(987, &event, 1, 0), EBADF);
    CHECK_ERR(epoll_create1(0x4), EINVAL);
    CHECK_ERR(epoll_create(0), EINVAL);
}

TEST(modify_changes_events_and_data) {
    Epoll epoll;
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.writer(), EPOLLOUT));
    CHECK_EQ(epoll.wait(), 1);
    CHECK_OK(epoll.modify(pipe.writer(), 0));
    CHECK_EQ(epoll.wait(), 0);
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.u64 = 42;
    CHECK_OK(epoll_ctl(epoll.fd, EPOLL_CTL_MOD, pipe.writer(), &event));
    CHECK_EQ(epoll.wait(), 1);
    CHECK_EQ(epoll.last.data.u64, 42u);
}

TEST(hang_up_and_error_are_always_reported) {
    Epoll epoll;
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.reader(), 0));
    close(pipe.ends[1]);
    pipe.ends[1] = -1;
    CHECK_EQ(epoll.wait(), 1);
    CHECK(epoll.last_is(pipe.reader(), EPOLLHUP));
}

TEST(a_writer_without_readers_is_in_error) {
    Epoll epoll;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    CHECK_OK(epoll.add(ends[1], 0));
    close(ends[0]);
    CHECK_EQ(epoll.wait(), 1);
    CHECK((epoll.last.events & EPOLLERR) != 0);
    close(ends[1]);
}

TEST(a_closed_descriptor_leaves_the_set) {
    Epoll epoll;
    Pipe pipe;
    const int copy = dup(pipe.reader());
    CHECK_OK(epoll.add(copy, EPOLLIN));
    pipe.put();
    close(copy);
    CHECK_EQ(epoll.wait(), 1);  // the open file lives on through the other descriptor
    const int again = dup(pipe.reader());
    CHECK_EQ(again, copy);
    CHECK_EQ(epoll.remove(again) == 0 || errno == ENOENT, true);
    close(again);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    Epoll other;
    CHECK_OK(other.add(ends[0], EPOLLIN));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    close(ends[0]);
    CHECK_EQ(other.wait(), 0);
    close(ends[1]);
}

TEST(several_descriptors_and_a_small_buffer) {
    Epoll epoll;
    Pipe pipes[5];
    for (Pipe& pipe : pipes) {
        CHECK_OK(epoll.add(pipe.reader(), EPOLLIN));
        pipe.put();
    }
    CHECK_EQ(epoll.wait(), 5);
    // With room for two, the rest comes in turn: nobody starves.
    bool seen[5] = {};
    for (int i = 0; i < 5; ++i) {
        epoll_event events[2];
        const int count = epoll_wait(epoll.fd, events, 2, 0);
        CHECK_EQ(count, 2);
        for (int e = 0; e < count; ++e)
            for (int p = 0; p < 5; ++p) seen[p] |= events[e].data.u64 == 0x1'0000'0000ull + pipes[p].reader();
    }
    for (bool s : seen) CHECK(s);
}

TEST(timeouts) {
    Epoll epoll;
    std::int64_t start = now_ns();
    CHECK_EQ(epoll.wait(30), 0);
    CHECK(now_ns() - start >= 30 * kMillisecond);
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN));
    Thread writer([&, self = thread_id()] {
        wait_until_blocked(self);
        pipe.put();
    });
    CHECK_EQ(epoll.wait(-1), 1);
}

TEST(epoll_pwait2_nanoseconds) {
    Epoll epoll;
    const timespec timeout = to_timespec(5 * kMillisecond);
    epoll_event event;
    const std::int64_t start = now_ns();
    const long result = syscall(SYS_epoll_pwait2, epoll.fd, &event, 1, &timeout, nullptr, 8);
    if (result == -1 && errno == ENOSYS) return skip("epoll_pwait2 is missing");
    CHECK_EQ(result, 0);
    CHECK(now_ns() - start >= 5 * kMillisecond);
}

TEST(pwait_swaps_the_mask) {
    static std::atomic<int> handled;
    handled.store(0, std::memory_order_relaxed);
    struct sigaction action {}, old {};
    action.sa_handler = [](int) { handled.fetch_add(1, std::memory_order_relaxed); };
    sigaction(SIGUSR1, &action, &old);
    sigset_t block, before, none;
    sigemptyset(&block);
    sigemptyset(&none);
    sigaddset(&block, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    raise(SIGUSR1);
    CHECK_EQ(handled.load(std::memory_order_relaxed), 0);
    Epoll epoll;
    epoll_event event;
    CHECK_ERR(epoll_pwait(epoll.fd, &event, 1, 10'000, &none), EINTR);
    CHECK_EQ(handled.load(std::memory_order_relaxed), 1);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    sigaction(SIGUSR1, &old, nullptr);
}

TEST(an_epoll_inside_an_epoll) {
    Epoll outer, inner;
    Pipe pipe;
    CHECK_OK(inner.add(pipe.reader(), EPOLLIN));
    CHECK_OK(outer.add(inner.fd, EPOLLIN));
    CHECK_EQ(outer.wait(), 0);
    pipe.put();
    CHECK_EQ(outer.wait(), 1);
    CHECK(outer.last_is(inner.fd, EPOLLIN));
    CHECK_EQ(inner.wait(), 1);
    pipe.drain();
    CHECK_EQ(inner.wait(), 0);
    CHECK_EQ(outer.wait(), 0);
    CHECK_ERR(inner.add(outer.fd, EPOLLIN), ELOOP);
}

TEST(exclusive_flag_rules) {
    Epoll epoll;
    Pipe pipe;
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN | EPOLLEXCLUSIVE));
    CHECK_ERR(epoll.modify(pipe.reader(), EPOLLIN), EINVAL);
    CHECK_OK(epoll.remove(pipe.reader()));
    CHECK_ERR(epoll.add(pipe.reader(), EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
}

TEST(one_shot_events_go_to_one_of_many_threads) {
    static constexpr int kThreads = 4, kRounds = 300;
    Epoll epoll;
    const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK_OK(epoll.add(event, EPOLLIN | EPOLLONESHOT));
    std::atomic<int> handled{0};
    std::atomic<bool> stop{false};
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([&] {
            epoll_event got;
            while (!stop.load(std::memory_order_acquire)) {
                if (epoll_wait(epoll.fd, &got, 1, 20) != 1) continue;
                std::uint64_t value;
                if (!CHECK(read(event, &value, 8) == 8)) continue;
                handled.fetch_add((int)value, std::memory_order_acq_rel);
                epoll.modify(event, EPOLLIN | EPOLLONESHOT);
            }
        }));
    for (int i = 0; i < kRounds; ++i) {
        const std::uint64_t one = 1;
        CHECK_EQ(write(event, &one, 8), 8);
        if (!CHECK(eventually([&] { return handled.load(std::memory_order_acquire) == i + 1; }))) break;
    }
    stop.store(true, std::memory_order_release);
    threads.clear();
    close(event);
}

TEST(adding_while_another_thread_waits) {
    Epoll epoll;
    Pipe pipe;
    pipe.put();
    std::atomic<int> count{-1};
    Thread waiter([&] { count.store(epoll.wait(20'000), std::memory_order_release); });
    wait_until_blocked(waiter.tid());
    CHECK_OK(epoll.add(pipe.reader(), EPOLLIN));
    waiter.join();
    CHECK_EQ(count.load(std::memory_order_acquire), 1);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
