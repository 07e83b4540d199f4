// SPDX-License-Identifier: BSD-3-Clause
// sched_*: the CPUs there are, affinity, policies, priorities, yielding, preemption.
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

cpu_set_t allowed_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CHECK_OK(sched_getaffinity(0, sizeof set, &set));
    return set;
}

std::vector<int> cpu_numbers() {
    const cpu_set_t set = allowed_cpus();
    std::vector<int> numbers;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set)) numbers.push_back(cpu);
    return numbers;
}

int bind_to(int cpu, pid_t tid = 0) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(tid, sizeof one, &one);
}

// The affinity of this thread as it was, restored at the end of a scope.
struct ScopedAffinity {
    cpu_set_t before = allowed_cpus();
    ~ScopedAffinity() { sched_setaffinity(0, sizeof before, &before); }
};

int current_cpu_by_call() {
    unsigned cpu = ~0u, node = ~0u;
    CHECK_OK(syscall(SYS_getcpu, &cpu, &node, nullptr));
    return (int)cpu;
}

}  // namespace

TEST(all_sources_agree_on_the_number_of_cpus) {
    const int count = (int)cpu_numbers().size();
    CHECK(count >= 1);
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    CHECK(online >= count);
    CHECK(sysconf(_SC_NPROCESSORS_CONF) >= online);
    int in_cpuinfo = 0;
    const std::string text = read_file("/proc/cpuinfo");
    for (std::size_t at = 0; (at = text.find("processor\t:", at)) != std::string::npos; ++at) ++in_cpuinfo;
    CHECK_EQ(in_cpuinfo, online);
    int in_stat = 0;
    const std::string stat = read_file("/proc/stat");
    for (std::size_t at = 0; (at = stat.find("\ncpu", at)) != std::string::npos; ++at) ++in_stat;
    CHECK_EQ(in_stat, online);
    CHECK(!read_file("/sys/devices/system/cpu/online").empty());
    note("%d CPUs", count);
}

TEST(getaffinity_sizes) {
    unsigned long words[128] = {};
    const long size = syscall(SYS_sched_getaffinity, 0, sizeof words, words);
    CHECK(size >= 8 && size % 8 == 0);  // the raw call returns the bytes it wrote
    CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 7, words), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getaffinity, 999'999, sizeof words, words), ESRCH);
    CHECK_ERR(syscall(SYS_sched_getaffinity, 0, sizeof words, 8), EFAULT);
}

TEST(affinity_moves_the_running_thread) {
    ScopedAffinity restore;
    const std::vector<int> cpus = cpu_numbers();
    for (int round = 0; round < 20; ++round)
        for (int cpu : cpus) {
            CHECK_OK(bind_to(cpu));
            CHECK_EQ(sched_getcpu(), cpu);
            CHECK_EQ(current_cpu_by_call(), cpu);
            const cpu_set_t seen = allowed_cpus();
            CHECK_EQ(CPU_COUNT(&seen), 1);
            CHECK(CPU_ISSET(cpu, &seen));
        }
}

TEST(affinity_moves_another_thread) {
    const std::vector<int> cpus = cpu_numbers();
    std::atomic<int> where{-1};
    std::atomic<bool> stop{false};
    Thread runner([&] {
        while (!stop.load(std::memory_order_acquire)) where.store(sched_getcpu(), std::memory_order_release);
    });
    for (int cpu : cpus) {
        CHECK_OK(bind_to(cpu, runner.tid()));
        CHECK(eventually([&] { return where.load(std::memory_order_acquire) == cpu; }));
        for (int i = 0; i < 100; ++i) {
            if (!CHECK_EQ(where.load(std::memory_order_acquire), cpu)) break;
            sched_yield();
        }
    }
    stop.store(true, std::memory_order_release);
}

TEST(a_sleeping_thread_wakes_on_its_new_cpu) {
    const std::vector<int> cpus = cpu_numbers();
    std::atomic<int> woke_on{-1};
    std::atomic<int> go{0};
    Thread sleeper([&] {
        while (go.load(std::memory_order_acquire) == 0) sleep_ms(5);
        woke_on.store(sched_getcpu(), std::memory_order_release);
    });
    const int target = cpus.back();
    CHECK_OK(bind_to(target, sleeper.tid()));
    go.store(1, std::memory_order_release);
    sleeper.join();
    CHECK_EQ(woke_on.load(std::memory_order_acquire), target);
}

TEST(affinity_errors_and_inheritance) {
    ScopedAffinity restore;
    cpu_set_t none;
    CPU_ZERO(&none);
    CHECK_ERR(sched_setaffinity(0, sizeof none, &none), EINVAL);
    CHECK_ERR(sched_setaffinity(999'999, sizeof none, &restore.before), ESRCH);
    CHECK_ERR(syscall(SYS_sched_setaffinity, 0, 8, 8), EFAULT);
    const int cpu = cpu_numbers().back();
    CHECK_OK(bind_to(cpu));
    int child_cpu = -1, child_count = 0;
    Thread([&] {
        child_cpu = sched_getcpu();
        const cpu_set_t set = allowed_cpus();
        child_count = CPU_COUNT(&set);
    }).join();
    CHECK_EQ(child_cpu, cpu);
    CHECK_EQ(child_count, 1);
}

TEST(busy_threads_spread_over_the_cpus) {
    // As many busy threads as CPUs: within some time each CPU has run one of them.
    const std::vector<int> cpus = cpu_numbers();
    static std::atomic<std::uint64_t> seen[CPU_SETSIZE];
    for (auto& s : seen) s.store(0, std::memory_order_relaxed);
    std::atomic<bool> stop{false};
    Threads threads;
    for (std::size_t i = 0; i < cpus.size(); ++i)
        threads.push_back(std::make_unique<Thread>([&] {
            while (!stop.load(std::memory_order_acquire)) {
                for (volatile int spin = 0; spin < 1000; spin = spin + 1) {
                }
                seen[sched_getcpu()].fetch_add(1, std::memory_order_relaxed);
            }
        }));
    CHECK(eventually([&] {
        for (int cpu : cpus)
            if (seen[cpu].load(std::memory_order_relaxed) == 0) return false;
        return true;
    }));
    stop.store(true, std::memory_order_release);
}

TEST(threads_of_one_cpu_all_make_progress) {
    // Spinning threads that never block or yield, on one CPU: time slices must come.
    static constexpr int kThreads = 4;
    const int cpu = cpu_numbers().front();
    std::atomic<std::uint64_t> progress[kThreads] = {};
    std::atomic<bool> stop{false};
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([&, t] {
            CHECK_OK(bind_to(cpu));
            while (!stop.load(std::memory_order_relaxed)) progress[t].fetch_add(1, std::memory_order_relaxed);
        }));
    for (int rounds = 0; rounds < 3; ++rounds) {
        std::uint64_t before[kThreads];
        for (int t = 0; t < kThreads; ++t) before[t] = progress[t].load(std::memory_order_relaxed);
        CHECK(eventually([&] {
            for (int t = 0; t < kThreads; ++t)
                if (progress[t].load(std::memory_order_relaxed) == before[t]) return false;
            return true;
        }));
    }
    stop.store(true, std::memory_order_release);
}

TEST(yield_lets_others_run) {
    ScopedAffinity restore;
    CHECK_OK(bind_to(cpu_numbers().front()));
    std::atomic<int> turns{0};
    Thread other([&] {
        for (int i = 0; i < 100; ++i) {
            turns.fetch_add(1, std::memory_order_relaxed);
            sched_yield();
        }
    });
    CHECK(eventually([&] {
        for (int i = 0; i < 1000; ++i) sched_yield();
        return turns.load(std::memory_order_relaxed) == 100;
    }));
}

TEST(priority_ranges) {
    CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_RR), 99);
    CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK_ERR(sched_get_priority_max(99), EINVAL);
}

TEST(policies_can_be_set_and_read) {
    Thread([] {
        CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
        sched_param param{};
        param.sched_priority = 10;
        for (int policy : {SCHED_FIFO, SCHED_RR}) {
            if (sched_setscheduler(0, policy, &param) != 0) {
                CHECK_EQ(errno, EPERM);
                return skip("no right to use real-time policies");
            }
            CHECK_EQ(sched_getscheduler(0), policy);
            sched_param seen{};
            CHECK_OK(sched_getparam(0, &seen));
            CHECK_EQ(seen.sched_priority, 10);
        }
        timespec slice{};
        CHECK_OK(sched_rr_get_interval(0, &slice));
        CHECK(slice.tv_sec > 0 || slice.tv_nsec > 0);
        param.sched_priority = 0;
        CHECK_ERR(sched_setscheduler(0, SCHED_FIFO, &param), EINVAL);
        param.sched_priority = 100;
        CHECK_ERR(sched_setscheduler(0, SCHED_FIFO, &param), EINVAL);
        param.sched_priority = 1;
        CHECK_ERR(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
        param.sched_priority = 0;
        CHECK_ERR(sched_setscheduler(0, 99, &param), EINVAL);
        CHECK_ERR(sched_setscheduler(999'999, SCHED_OTHER, &param), ESRCH);
        for (int policy : {SCHED_BATCH, SCHED_IDLE, SCHED_OTHER}) {
            CHECK_OK(sched_setscheduler(0, policy, &param));
            CHECK_EQ(sched_getscheduler(0), policy);
        }
    }).join();
}

TEST(a_fifo_thread_runs_before_fair_ones) {
    // On one CPU: while the real-time thread computes, the fair one must not run.
    const int cpu = cpu_numbers().back();
    std::atomic<std::uint64_t> fair{0};
    std::atomic<bool> stop{false};
    std::atomic<bool> permitted{true};
    Thread background([&] {
        CHECK_OK(bind_to(cpu));
        while (!stop.load(std::memory_order_relaxed)) fair.fetch_add(1, std::memory_order_relaxed);
    });
    CHECK(eventually([&] { return fair.load(std::memory_order_relaxed) > 0; }));
    std::uint64_t during = 0;
    Thread([&] {
        CHECK_OK(bind_to(cpu));
        sched_param param{};
        param.sched_priority = 20;
        if (sched_setscheduler(0, SCHED_FIFO, &param) != 0) return permitted.store(false, std::memory_order_relaxed);
        const std::uint64_t before = fair.load(std::memory_order_relaxed);
        const std::int64_t end = now_ns() + 40 * kMillisecond;
        while (now_ns() < end) {
        }
        during = fair.load(std::memory_order_relaxed) - before;
    }).join();
    stop.store(true, std::memory_order_release);
    background.join();
    if (!permitted.load(std::memory_order_relaxed)) return skip("no right to use real-time policies");
    CHECK_EQ(during, 0u);
}

TEST(nice_values) {
    Thread([] {
        CHECK_OK(setpriority(PRIO_PROCESS, 0, 5));
        errno = 0;
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
        CHECK_OK(setpriority(PRIO_PROCESS, 0, 1000));  // clamped
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
        CHECK_ERR(setpriority(77, 0, 0), EINVAL);
    }).join();
}

TEST(get_mempolicy_is_there_or_absent) {
    int mode = -1;
    const long result = syscall(SYS_get_mempolicy, &mode, nullptr, 0, nullptr, 0);
    CHECK((result == 0 && mode == 0) || (result == -1 && errno == ENOSYS));
}

int main(int argc, char** argv) { return run_all(argc, argv); }
