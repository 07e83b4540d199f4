// SPDX-License-Identifier: BSD-3-Clause
// Threads, futexes, memory, signals, timers, pipes and moves between CPUs, all at once and in random order, with a
// watchdog that names the operation that does not end.
//
//     storm [--seconds N] [--seed N] [--threads N] [--stall SECONDS]
//
// Runs rounds of some seconds: threads start, storm, end; then every count must agree and the memory of the round be
// free again. Exit status 0: all held; 1: something did not; 3: an operation hung.
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "operations.hpp"

namespace soak {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Options {
    long seconds = 10;
    std::uint64_t seed = 0;
    int threads = 0;
    long stall = 60;  // longer than a loaded host takes the CPU away
};

std::atomic<Shared*> round_now{nullptr};
std::atomic<std::int64_t> round_end{0};
std::atomic<int> workers_left{0};
std::atomic<long> stall_seconds{60};

void* work(void* argument) {
    auto& worker = *static_cast<Worker*>(argument);
    Shared& shared = *round_now.load();
    worker.tid.store(::gettid(), std::memory_order_release);
    while (now_ns() < round_end.load(std::memory_order_relaxed)) {
        Operation const& operation = pick(worker);
        worker.since.store(now_ns(), std::memory_order_relaxed);
        // release: whoever sees the name sees its start.
        worker.doing.store(operation.name, std::memory_order_release);
        operation.run(shared, worker);
        worker.doing.store(nullptr, std::memory_order_relaxed);
        worker.operations.fetch_add(1, std::memory_order_relaxed);
    }
    // Nobody sends a signal to a thread that has ended: stay until all have stopped sending.
    workers_left.fetch_sub(1);
    worker.since.store(now_ns(), std::memory_order_relaxed);
    worker.doing.store("end", std::memory_order_release);
    while (workers_left.load() != 0) {
        timespec const moment{0, 1'000'000};
        ::nanosleep(&moment, nullptr);
    }
    worker.doing.store(nullptr, std::memory_order_relaxed);
    return nullptr;
}

void* watch(void*) {
    for (;;) {
        timespec const moment{0, 500'000'000};
        ::nanosleep(&moment, nullptr);
        Shared* const shared = round_now.load();
        if (shared == nullptr) continue;
        bool hung = false;
        for (Worker const& worker : shared->workers) {
            // acquire: pairs with the release in work().
            char const* const name = worker.doing.load(std::memory_order_acquire);
            std::int64_t const spent = now_ns() - worker.since.load(std::memory_order_relaxed);
            if (name == nullptr || spent < stall_seconds.load() * kSecond) continue;
            std::printf("HUNG thread %d (id %d): '%s' for %.1f s\n", worker.index, worker.tid.load(), name,
                        static_cast<double>(spent) * 1e-9);
            hung = true;
        }
        if (hung) {
            std::fflush(stdout);
            ::_exit(3);
        }
    }
}

// Free memory in KiB. What a round used comes back in its own time; so the best of some looks.
std::uint64_t free_kib() {
    std::uint64_t best = 0;
    for (int i = 0; i < 10; ++i) {
        struct sysinfo information {};
        ::sysinfo(&information);
        best = std::max<std::uint64_t>(best, information.freeram * std::uint64_t{information.mem_unit} / 1024);
        timespec const moment{0, 5'000'000};
        ::nanosleep(&moment, nullptr);
    }
    return best;
}

bool run_round(Options const& options, int number, std::int64_t length) {
    Shared shared(options.threads);
    signals_handled.store(0);
    round_end.store(now_ns() + length);
    workers_left.store(options.threads);
    round_now.store(&shared);
    for (int i = 0; i < options.threads; ++i) {
        Worker& worker = shared.workers[static_cast<std::size_t>(i)];
        worker.index = i;
        worker.random_state = (options.seed * 1000003 + static_cast<std::uint64_t>(number)) * 4096 + static_cast<std::uint64_t>(i) + 1;
        if (int const error = ::pthread_create(&worker.thread, nullptr, work, &worker); error != 0) {
            std::printf("BROKEN pthread_create: %s\n", std::strerror(error));
            std::exit(1);
        }
    }
    std::uint64_t operations = 0;
    for (Worker& worker : shared.workers) {
        ::pthread_join(worker.thread, nullptr);
        operations += worker.operations.load();
    }
    round_now.store(nullptr);
    bool const good = shared.check();
    std::printf("round %d: %llu operations, %llu signals, %llu threads, worst lateness %.1f ms: %s\n", number,
                static_cast<unsigned long long>(operations), static_cast<unsigned long long>(signals_handled.load()),
                static_cast<unsigned long long>(shared.threads_ran.load()),
                static_cast<double>(shared.worst_lateness.load()) * 1e-6, good ? "good" : "BROKEN");
    std::fflush(stdout);
    return good;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        long const value = std::atol(argv[i + 1]);
        if (std::strcmp(argv[i], "--seconds") == 0) options.seconds = value;
        if (std::strcmp(argv[i], "--seed") == 0) options.seed = static_cast<std::uint64_t>(value);
        if (std::strcmp(argv[i], "--threads") == 0) options.threads = static_cast<int>(value);
        if (std::strcmp(argv[i], "--stall") == 0) options.stall = value;
    }
    if (options.seed == 0) options.seed = static_cast<std::uint64_t>(now_ns()) % 1'000'000'000;
    if (options.threads <= 0) options.threads = 2 * static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) + 2;
    return options;
}

}  // namespace

void broken(Worker const& worker, char const* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    char text[200];
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    std::printf("BROKEN thread %d, '%s': %s\n", worker.index, worker.doing.load(), text);
    std::fflush(stdout);
    ::_exit(1);
}

}  // namespace soak

int main(int argc, char** argv) {
    using namespace soak;
    Options const options = parse(argc, argv);
    stall_seconds.store(options.stall);
    std::printf("storm: seed %llu, %d threads, %ld s, %ld CPUs\n", static_cast<unsigned long long>(options.seed),
                options.threads, options.seconds, ::sysconf(_SC_NPROCESSORS_ONLN));
    std::fflush(stdout);

    struct sigaction action {};
    action.sa_handler = [](int) { signals_handled.fetch_add(1, std::memory_order_relaxed); };
    action.sa_flags = SA_RESTART;
    ::sigaction(storm_signal(), &action, nullptr);
    pthread_t watchdog{};
    ::pthread_create(&watchdog, nullptr, watch, nullptr);

    std::int64_t const end = now_ns() + options.seconds * kSecond;
    std::int64_t const length = std::clamp<std::int64_t>(options.seconds * kSecond / 4, kSecond, 20 * kSecond);
    std::uint64_t free_after_first = 0;
    std::uint64_t free_now = 0;
    bool good = true;
    int number = 0;
    while (good && (number < 2 || now_ns() < end)) {
        good = run_round(options, ++number, length);
        free_now = free_kib();
        if (number == 1) free_after_first = free_now;  // caches and stacks are warm
    }
    // What one round leaves may be cached; what every round leaves is a leak.
    std::uint64_t const allowed = 4096 + 64 * static_cast<std::uint64_t>(number);
    std::uint64_t const lost = free_after_first > free_now ? free_after_first - free_now : 0;
    std::printf("free memory after the first and the last of %d rounds: %llu and %llu KiB\n", number,
                static_cast<unsigned long long>(free_after_first), static_cast<unsigned long long>(free_now));
    if (good && lost > allowed) {
        std::printf("BROKEN %llu KiB are lost\n", static_cast<unsigned long long>(lost));
        good = std::getenv("STORM_SHARED_MEMORY") != nullptr;  // a host's memory is not ours alone
    }
    std::printf("storm: %s\n", good ? "passed" : "FAILED");
    return good ? 0 : 1;
}
