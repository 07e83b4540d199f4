// SPDX-License-Identifier: BSD-3-Clause
// eventfd(2) and timerfd_create(2).
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

struct Descriptor {
    explicit Descriptor(int number) : number(number) { CHECK_OK(number); }
    ~Descriptor() { close(number); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    operator int() const { return number; }
    int number;
};

long put(int fd, std::uint64_t value) { return write(fd, &value, 8); }

// The value read, or -errno.
std::int64_t get(int fd) {
    std::uint64_t value = 0;
    return read(fd, &value, 8) == 8 ? (std::int64_t)value : -errno;
}

itimerspec timer(std::int64_t first, std::int64_t interval = 0) { return {to_timespec(interval), to_timespec(first)}; }

}  // namespace

TEST(eventfd_counts) {
    Descriptor fd(eventfd(3, EFD_CLOEXEC));
    CHECK_EQ(put(fd, 4), 8);
    CHECK_EQ(get(fd), 7);
    CHECK_EQ(put(fd, 0), 8);
    CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
    CHECK_EQ(get(fd), -EAGAIN);
}

TEST(eventfd_semaphore) {
    Descriptor fd(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC));
    CHECK_EQ(get(fd), 1);
    CHECK_EQ(get(fd), 1);
    CHECK_EQ(get(fd), -EAGAIN);
}

TEST(eventfd_limits_and_errors) {
    Descriptor fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    char small[4] = {};
    CHECK_ERR(write(fd, small, 4), EINVAL);
    CHECK_ERR(read(fd, small, 4), EINVAL);
    CHECK_ERR(put(fd, ~0ull), EINVAL);
    CHECK_EQ(put(fd, ~0ull - 1), 8);
    CHECK_ERR(put(fd, 1), EAGAIN);
    CHECK_EQ(get(fd), (std::int64_t)(~0ull - 1));
    CHECK_ERR(eventfd(0, 0x40), EINVAL);
}

TEST(eventfd_readers_block_until_a_write) {
    Descriptor fd(eventfd(0, EFD_CLOEXEC));
    std::atomic<std::int64_t> got{0};
    Thread reader([&] { got.store(get(fd), std::memory_order_release); });
    wait_until_blocked(reader.tid());
    CHECK_EQ(put(fd, 5), 8);
    reader.join();
    CHECK_EQ(got.load(std::memory_order_acquire), 5);
}

TEST(eventfd_writers_block_when_it_is_full) {
    Descriptor fd(eventfd(0, EFD_CLOEXEC));
    CHECK_EQ(put(fd, ~0ull - 1), 8);
    std::atomic<bool> done{false};
    Thread writer([&] {
        CHECK_EQ(put(fd, 1), 8);
        done.store(true, std::memory_order_release);
    });
    wait_until_blocked(writer.tid());
    CHECK(!done.load(std::memory_order_acquire));
    CHECK_EQ(get(fd), (std::int64_t)(~0ull - 1));
    writer.join();
    CHECK_EQ(get(fd), 1);
}

TEST(eventfd_poll_events) {
    Descriptor fd(eventfd(0, EFD_CLOEXEC));
    pollfd p{fd, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT);
    put(fd, 1);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN | POLLOUT);
    get(fd);
    put(fd, ~0ull - 1);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN);
}

TEST(eventfd_sums_are_exact_under_contention) {
    Descriptor fd(eventfd(0, EFD_CLOEXEC));
    static constexpr int kThreads = 4, kRounds = 1000;
    std::uint64_t sum = 0;
    {
        Threads writers;
        for (int t = 0; t < kThreads; ++t)
            writers.push_back(std::make_unique<Thread>([&] {
                for (int i = 0; i < kRounds; ++i) CHECK_EQ(put(fd, 1), 8);
            }));
        while (sum < kThreads * kRounds) sum += (std::uint64_t)get(fd);
    }
    CHECK_EQ(sum, (std::uint64_t)kThreads * kRounds);
}

TEST(timerfd_expires_once) {
    Descriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const std::int64_t start = now_ns();
    const itimerspec setting = timer(30 * kMillisecond);
    CHECK_OK(timerfd_settime(fd, 0, &setting, nullptr));
    CHECK_EQ(get(fd), 1);  // blocks
    CHECK(now_ns() - start >= 30 * kMillisecond);
    CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
    CHECK_EQ(get(fd), -EAGAIN);
}

TEST(timerfd_repeats_and_counts) {
    Descriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec setting = timer(5 * kMillisecond, 5 * kMillisecond);
    const std::int64_t start = now_ns();
    CHECK_OK(timerfd_settime(fd, 0, &setting, nullptr));
    sleep_ms(42);
    const std::int64_t count = get(fd);
    const std::int64_t elapsed = now_ns() - start;
    CHECK(count >= 8);
    CHECK(count <= elapsed / (5 * kMillisecond));
    CHECK(get(fd) >= 1);
}

TEST(timerfd_absolute_time) {
    Descriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const std::int64_t end = now_ns() + 25 * kMillisecond;
    const itimerspec setting = timer(end);
    CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, nullptr));
    CHECK_EQ(get(fd), 1);
    CHECK(now_ns() >= end);
    const itimerspec past = timer(1);
    CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &past, nullptr));
    CHECK_EQ(get(fd), 1);
    Descriptor real(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC));
    const std::int64_t real_end = now_ns(CLOCK_REALTIME) + 25 * kMillisecond;
    const itimerspec real_setting = timer(real_end);
    CHECK_OK(timerfd_settime(real, TFD_TIMER_ABSTIME, &real_setting, nullptr));
    CHECK_EQ(get(real), 1);
    CHECK(now_ns(CLOCK_REALTIME) >= real_end);
}

TEST(timerfd_gettime_and_disarm) {
    Descriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    itimerspec setting = timer(100'000 * kMillisecond, 7 * kMillisecond), seen{};
    CHECK_OK(timerfd_settime(fd, 0, &setting, nullptr));
    CHECK_OK(timerfd_gettime(fd, &seen));
    CHECK(seen.it_value.tv_sec <= 100 && seen.it_value.tv_sec > 50);
    CHECK_EQ(seen.it_interval.tv_nsec, 7 * kMillisecond);
    setting = timer(0);
    itimerspec old{};
    CHECK_OK(timerfd_settime(fd, 0, &setting, &old));
    CHECK(old.it_value.tv_sec > 50);
    CHECK_OK(timerfd_gettime(fd, &seen));
    CHECK_EQ(seen.it_value.tv_sec, 0);
    CHECK_EQ(seen.it_value.tv_nsec, 0);
    CHECK_EQ(get(fd), -EAGAIN);
}

TEST(timerfd_errors) {
    CHECK_ERR(timerfd_create(99, 0), EINVAL);
    CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 0x40), EINVAL);
    Descriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    itimerspec wrong{};
    wrong.it_value.tv_nsec = 1'000'000'000;
    CHECK_ERR(timerfd_settime(fd, 0, &wrong, nullptr), EINVAL);
    CHECK_ERR(timerfd_settime(fd, 0x80, &wrong, nullptr), EINVAL);
    CHECK_ERR(timerfd_settime(0, 0, nullptr, nullptr), EFAULT);
    char small[4];
    CHECK_ERR(read(fd, small, 4), EINVAL);
    Descriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const itimerspec setting = timer(1);
    CHECK_ERR(timerfd_settime(null, 0, &setting, nullptr), EINVAL);
}

TEST(timerfd_poll) {
    Descriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec setting = timer(20 * kMillisecond);
    CHECK_OK(timerfd_settime(fd, 0, &setting, nullptr));
    pollfd p{fd, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 20'000), 1);
    CHECK_EQ(p.revents, POLLIN);
    CHECK_EQ(get(fd), 1);
    CHECK_EQ(poll(&p, 1, 0), 0);
}

TEST(many_timers_on_many_threads) {
    static constexpr int kThreads = 8, kRounds = 20;
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([t] {
            Descriptor fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
            for (int i = 0; i < kRounds; ++i) {
                const std::int64_t wait = (1 + (i * 3 + t) % 5) * kMillisecond / 2;
                const std::int64_t start = now_ns();
                const itimerspec setting = timer(wait);
                CHECK_OK(timerfd_settime(fd, 0, &setting, nullptr));
                CHECK_EQ(get(fd), 1);
                CHECK(now_ns() - start >= wait);
            }
        }));
}

int main(int argc, char** argv) { return run_all(argc, argv); }
