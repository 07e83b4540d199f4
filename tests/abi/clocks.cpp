// SPDX-License-Identifier: BSD-3-Clause
// Clocks, sleeps and POSIX timers. Lower bounds are checked exactly; upper bounds not at all.
#include <signal.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

std::int64_t system_call_time(clockid_t clock) {
    timespec time{};
    CHECK_OK(syscall(SYS_clock_gettime, clock, &time));
    return (std::int64_t)time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void burn(std::int64_t nanoseconds) {
    const std::int64_t end = now_ns() + nanoseconds;
    while (now_ns() < end) {
    }
}

// The dynamic clock that names the calling thread without its number.
constexpr clockid_t kOwnThreadClock = -2;

// Keeps SIGRTMIN + 4 blocked and takes what is left of it at the end.
class BlockedSignal {
  public:
    static inline const int number = SIGRTMIN + 4;
    BlockedSignal() {
        sigemptyset(&set_);
        sigaddset(&set_, number);
        pthread_sigmask(SIG_BLOCK, &set_, &old_);
    }
    ~BlockedSignal() {
        const timespec none{0, 0};
        while (sigtimedwait(&set_, nullptr, &none) > 0) {
        }
        pthread_sigmask(SIG_SETMASK, &old_, nullptr);
    }
    bool is_pending() const {
        sigset_t pending;
        return sigpending(&pending) == 0 && sigismember(&pending, number) == 1;
    }
    // Waits for it, at most 20 s.
    siginfo_t take() const {
        siginfo_t info{};
        const timespec timeout{20, 0};
        CHECK_EQ(sigtimedwait(&set_, &info, &timeout), number);
        return info;
    }

  private:
    sigset_t set_, old_;
};

}  // namespace

TEST(every_clock_can_be_read) {
    for (clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                            CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID}) {
        timespec time{};
        CHECK_OK(clock_gettime(clock, &time));
        CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000);
        timespec resolution{};
        CHECK_OK(clock_getres(clock, &resolution));
        CHECK(resolution.tv_sec == 0 && resolution.tv_nsec >= 1);
    }
    timespec time;
    CHECK_ERR(clock_gettime(77, &time), EINVAL);
    CHECK_ERR(clock_getres(77, &time), EINVAL);
    CHECK_ERR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8), EFAULT);
}

TEST(vdso_and_system_call_agree) {
    for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME})
        for (int i = 0; i < 1000; ++i) {
            const std::int64_t a = now_ns(clock), b = system_call_time(clock), c = now_ns(clock);
            if (!CHECK(a <= b && b <= c)) {
                note("clock %d: %ld %ld %ld", clock, (long)a, (long)b, (long)c);
                break;
            }
        }
}

TEST(wall_clock_is_sane) {
    const std::int64_t seconds = now_ns(CLOCK_REALTIME) / 1'000'000'000;
    CHECK(seconds > 1'600'000'000);  // after 2020
    CHECK(seconds < 4'000'000'000);
    timeval time{};
    CHECK_OK(gettimeofday(&time, nullptr));
    CHECK(time.tv_sec - seconds <= 1 && time.tv_sec >= seconds);
    CHECK(::time(nullptr) - seconds <= 1);
    const std::int64_t coarse = now_ns(CLOCK_REALTIME_COARSE) / 1'000'000'000;
    CHECK(coarse >= seconds - 1 && coarse <= seconds + 1);
}

TEST(monotonic_time_never_goes_back_in_one_thread) {
    std::int64_t last = now_ns();
    for (int i = 0; i < 200'000; ++i) {
        const std::int64_t now = now_ns();
        if (!CHECK(now >= last)) return;
        last = now;
    }
}

TEST(monotonic_time_never_goes_back_between_cpus) {
    // Threads on all CPUs pass on the latest time they saw; none may read an earlier one afterwards.
    static std::atomic<std::int64_t> latest;
    latest.store(0, std::memory_order_relaxed);
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    CHECK_OK(sched_getaffinity(0, sizeof allowed, &allowed));
    Threads threads;
    int started = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && started < 16; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        ++started;
        threads.push_back(std::make_unique<Thread>([cpu] {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            CHECK_OK(sched_setaffinity(0, sizeof one, &one));
            for (int i = 0; i < 20'000; ++i) {
                std::int64_t seen = latest.load(std::memory_order_acquire);
                const std::int64_t now = now_ns();
                if (!CHECK(now >= seen)) return;
                while (seen < now && !latest.compare_exchange_weak(seen, now, std::memory_order_acq_rel)) {
                }
            }
        }));
    }
    CHECK(started > 0);
}

TEST(nanosleep_sleeps_long_enough) {
    for (std::int64_t wanted : {1'000ll, 100'000ll, 1'000'000ll, 20'000'000ll}) {
        const timespec request = to_timespec(wanted);
        const std::int64_t start = now_ns();
        CHECK_OK(nanosleep(&request, nullptr));
        CHECK(now_ns() - start >= wanted);
    }
    const timespec zero{0, 0}, negative{-1, 0}, too_large{0, 1'000'000'000};
    CHECK_OK(nanosleep(&zero, nullptr));
    CHECK_ERR(nanosleep(&negative, nullptr), EINVAL);
    CHECK_ERR(nanosleep(&too_large, nullptr), EINVAL);
    CHECK_ERR(syscall(SYS_nanosleep, 8, nullptr), EFAULT);
}

TEST(clock_nanosleep_absolute) {
    for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
        const std::int64_t end = now_ns(clock) + 20 * kMillisecond;
        timespec request = to_timespec(end);
        CHECK_EQ(clock_nanosleep(clock, TIMER_ABSTIME, &request, nullptr), 0);
        CHECK(now_ns(clock) >= end);
        request = {1, 0};  // long past
        CHECK_EQ(clock_nanosleep(clock, TIMER_ABSTIME, &request, nullptr), 0);
    }
    const timespec request{0, 1};
    CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &request, nullptr), EINVAL);
    CHECK_EQ(clock_nanosleep(77, 0, &request, nullptr), EINVAL);
}

TEST(sleepers_wake_in_the_order_of_their_deadlines) {
    // Deadlines 25 ms apart; a deadline that fires on every CPU keeps them in order.
    static constexpr int kSleepers = 6;
    static std::atomic<int> order;
    static int place[kSleepers];
    order.store(0, std::memory_order_relaxed);
    const std::int64_t start = now_ns() + 30 * kMillisecond;
    Threads threads;
    for (int i = 0; i < kSleepers; ++i)
        threads.push_back(std::make_unique<Thread>([i, start] {
            const timespec until = to_timespec(start + (kSleepers - i) * 25 * kMillisecond);
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
            place[i] = order.fetch_add(1, std::memory_order_acq_rel);
        }));
    threads.clear();
    int swapped = 0;
    for (int i = 0; i < kSleepers; ++i) swapped += place[i] != kSleepers - 1 - i;
    if (swapped) note("%d of %d sleepers out of order: only a loaded machine explains that", swapped, kSleepers);
    CHECK_EQ(order.load(std::memory_order_acquire), kSleepers);
}

TEST(cpu_time_counts_work_and_not_sleep) {
    const std::int64_t thread_before = now_ns(CLOCK_THREAD_CPUTIME_ID), process_before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    sleep_ms(50);
    const std::int64_t wall = now_ns();  // first: what runs between the two readings counts in both
    const std::int64_t slept = now_ns(CLOCK_THREAD_CPUTIME_ID) - thread_before;
    CHECK(slept < 45 * kMillisecond);
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) - thread_before - slept < 20 * kMillisecond) burn(100'000);
    CHECK(now_ns() - wall >= 20 * kMillisecond);
    CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - process_before >= 20 * kMillisecond);
}

TEST(getrusage_and_times) {
    const rusage zero{};
    rusage before = zero, after = zero;
    CHECK_OK(getrusage(RUSAGE_SELF, &before));
    const std::int64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 30 * kMillisecond) burn(100'000);
    CHECK_OK(getrusage(RUSAGE_SELF, &after));
    const auto total = [](const rusage& usage) {
        return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000ll + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    };
    CHECK(total(after) > total(before));
    CHECK_OK(getrusage(RUSAGE_CHILDREN, &after));
    CHECK_ERR(getrusage(static_cast<__rusage_who_t>(55), &after), EINVAL);
    tms ticks{};
    CHECK(times(&ticks) != (clock_t)-1);
}

TEST(posix_timer_signals_a_thread) {
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGRTMIN + 4);
    pthread_sigmask(SIG_BLOCK, &block, &old);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN + 4;
    event.sigev_value.sival_int = 77;
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        CHECK_EQ(errno, ENOSYS);
        pthread_sigmask(SIG_SETMASK, &old, nullptr);
        return skip("timer_create is missing");
    }
    itimerspec setting{};
    setting.it_value = to_timespec(10 * kMillisecond);
    setting.it_interval = to_timespec(10 * kMillisecond);
    CHECK_OK(timer_settime(timer, 0, &setting, nullptr));
    for (int i = 0; i < 3; ++i) {
        siginfo_t info{};
        const timespec timeout{20, 0};
        CHECK_EQ(sigtimedwait(&block, &info, &timeout), SIGRTMIN + 4);
        CHECK_EQ(info.si_code, SI_TIMER);
        CHECK_EQ(info.si_value.sival_int, 77);
    }
    itimerspec left{};
    CHECK_OK(timer_gettime(timer, &left));
    CHECK_EQ(left.it_interval.tv_nsec, 10 * kMillisecond);
    CHECK_OK(timer_delete(timer));
    CHECK_ERR(timer_delete(timer), EINVAL);
    const timespec none{0, 0};
    while (sigtimedwait(&block, nullptr, &none) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

TEST(a_timer_without_an_event_gives_its_own_number) {
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &block, &old);
    int first = -1, second = -1;  // one of them is not 0
    CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, nullptr, &first));
    CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, nullptr, &second));
    itimerspec setting{};
    setting.it_value = to_timespec(1);
    for (int timer : {first, second}) {
        CHECK_OK(syscall(SYS_timer_settime, timer, 0, &setting, nullptr));
        siginfo_t info{};
        const timespec timeout{20, 0};
        CHECK_EQ(sigtimedwait(&block, &info, &timeout), SIGALRM);
        CHECK_EQ(info.si_value.sival_int, timer);
        CHECK_OK(syscall(SYS_timer_delete, timer));
    }
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

TEST(a_timer_on_the_clock_of_its_creator) {
    BlockedSignal signal;
    for (clockid_t clock : {kOwnThreadClock, CLOCK_THREAD_CPUTIME_ID}) {
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = BlockedSignal::number;
        timer_t timer;
        if (!CHECK_OK(timer_create(clock, &event, &timer))) return;
        itimerspec setting{};
        setting.it_value = to_timespec(5 * kMillisecond);
        CHECK_OK(timer_settime(timer, 0, &setting, nullptr));
        sleep_ms(20);  // whoever looks at the clock meanwhile is not this thread
        while (!signal.is_pending()) burn(100'000);
        CHECK_EQ(signal.take().si_code, SI_TIMER);
        CHECK_OK(timer_delete(timer));
    }
}

TEST(no_thread_sleeps_on_its_own_clock) {
    const timespec request = to_timespec(kMillisecond);
    clockid_t own;
    CHECK_EQ(pthread_getcpuclockid(pthread_self(), &own), 0);
    for (clockid_t clock : {kOwnThreadClock, own})
        for (int flags : {0, TIMER_ABSTIME})
            CHECK_ERR(syscall(SYS_clock_nanosleep, clock, flags, &request, nullptr), EINVAL);
}

// A thread that computes on a CPU of its own, without system calls, until told.
TEST(cpu_time_of_a_thread_that_computes_is_seen_by_others) {
    cpu_set_t allowed, one;
    CHECK_OK(sched_getaffinity(0, sizeof allowed, &allowed));
    if (CPU_COUNT(&allowed) < 2) return skip("one CPU");
    int cpus[2], found = 0;
    for (int cpu = 0; found < 2; ++cpu)
        if (CPU_ISSET(cpu, &allowed)) cpus[found++] = cpu;
    const auto run_on = [&](int cpu) {
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK_OK(sched_setaffinity(0, sizeof one, &one));
    };
    run_on(cpus[0]);
    std::atomic<bool> computing{false}, end{false};
    BlockedSignal signal;  // for the worker, too
    Thread worker([&] {
        run_on(cpus[1]);
        computing.store(true, std::memory_order_release);
        while (!end.load(std::memory_order_relaxed)) {
        }
    });
    CHECK(eventually([&] { return computing.load(std::memory_order_acquire); }));
    clockid_t clock;
    CHECK_EQ(pthread_getcpuclockid(worker.handle(), &clock), 0);
    for (clockid_t each : {clock, (clockid_t)CLOCK_PROCESS_CPUTIME_ID}) {
        const std::int64_t before = now_ns(each);
        CHECK(eventually([&] { return now_ns(each) - before >= 20 * kMillisecond; }, 3000));
        std::int64_t last = 0;
        for (int i = 0; i < 1000; ++i) {
            const std::int64_t now = now_ns(each);
            if (!CHECK(now >= last)) break;
            last = now;
        }
    }
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = BlockedSignal::number;
    timer_t timer;
    CHECK_OK(timer_create(clock, &event, &timer));
    itimerspec setting{};
    setting.it_value = to_timespec(10 * kMillisecond);
    CHECK_OK(timer_settime(timer, 0, &setting, nullptr));
    CHECK_EQ(signal.take().si_code, SI_TIMER);
    CHECK_OK(timer_delete(timer));
    end.store(true, std::memory_order_relaxed);
    worker.join();
    CHECK_OK(sched_setaffinity(0, sizeof allowed, &allowed));
}

int main(int argc, char** argv) { return run_all(argc, argv); }
