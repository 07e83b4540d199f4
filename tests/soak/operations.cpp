// SPDX-License-Identifier: BSD-3-Clause
#include "operations.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace soak {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, timespec const* timeout = nullptr) {
    return ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, timeout, nullptr, 0);
}

void note_lateness(Shared& shared, std::int64_t late) {
    std::int64_t worst = shared.worst_lateness.load(std::memory_order_relaxed);
    while (late > worst && !shared.worst_lateness.compare_exchange_weak(worst, late, std::memory_order_relaxed)) {}
}

// A thread is made, runs and ends; three at a time now and then.
void threads(Shared& shared, Worker& worker) {
    pthread_t made[3];
    unsigned const count = worker.random_below(4) == 0 ? 3 : 1;
    for (unsigned i = 0; i < count; ++i) {
        shared.threads_started.fetch_add(1);
        auto const body = [](void* argument) -> void* {
            static_cast<Shared*>(argument)->threads_ran.fetch_add(1);
            return argument;
        };
        if (int const error = ::pthread_create(&made[i], nullptr, body, &shared); error != 0)
            broken(worker, "pthread_create: %s", std::strerror(error));
    }
    for (unsigned i = 0; i < count; ++i) {
        void* result = nullptr;
        ::pthread_join(made[i], &result);
        if (result != &shared) broken(worker, "a joined thread returned %p", result);
    }
}

// A child thread and this one hand a turn to and fro; a wake-up that is lost hangs both.
struct Turns {
    std::atomic<std::uint32_t> turn{0};
    unsigned rounds = 0;

    void play(std::uint32_t mine) {
        for (unsigned i = 0; i < rounds; ++i) {
            // acquire: pairs with the other side's release store.
            for (std::uint32_t now; (now = turn.load(std::memory_order_acquire)) != mine;) futex(turn, FUTEX_WAIT, now);
            turn.store(1 - mine, std::memory_order_release);
            futex(turn, FUTEX_WAKE, 1);
        }
    }
};

void futex_turns(Shared&, Worker& worker) {
    Turns turns;
    turns.rounds = 20 + static_cast<unsigned>(worker.random_below(100));
    pthread_t other{};
    auto const body = [](void* argument) -> void* {
        static_cast<Turns*>(argument)->play(1);
        return nullptr;
    };
    if (::pthread_create(&other, nullptr, body, &turns) != 0) broken(worker, "pthread_create failed");
    turns.play(0);
    ::pthread_join(other, nullptr);
}

// Nobody wakes this word: the wait ends at its time, not before.
void futex_timeout(Shared& shared, Worker& worker) {
    std::atomic<std::uint32_t> word{0};
    std::int64_t const wanted = 1000 + static_cast<std::int64_t>(worker.random_below(2'000'000));
    timespec const timeout{0, wanted};
    std::int64_t const start = now_ns();
    for (;;) {
        long const result = futex(word, FUTEX_WAIT, 0, &timeout);
        std::int64_t const spent = now_ns() - start;
        if (result == 0 || errno == EINTR) return;  // a signal; allowed to be spurious
        if (errno != ETIMEDOUT) broken(worker, "futex wait: %s", std::strerror(errno));
        if (spent < wanted) broken(worker, "a futex wait of %lld ns ended after %lld", (long long)wanted, (long long)spent);
        return note_lateness(shared, spent - wanted);
    }
}

void contended_mutex(Shared& shared, Worker& worker) {
    for (std::uint64_t i = 1 + worker.random_below(50); i > 0; --i) {
        ::pthread_mutex_lock(&shared.mutex);
        shared.counter = shared.counter + 1;
        ::pthread_mutex_unlock(&shared.mutex);
        shared.raised.fetch_add(1, std::memory_order_relaxed);
    }
}

// Puts an item and takes one (perhaps another thread's). As each thread puts before it takes, nobody waits for ever.
void condition_queue(Shared& shared, Worker&) {
    ::pthread_mutex_lock(&shared.queue_mutex);
    ++shared.queue_items;
    ::pthread_cond_signal(&shared.queue_filled);
    ::pthread_mutex_unlock(&shared.queue_mutex);
    ::pthread_mutex_lock(&shared.queue_mutex);
    while (shared.queue_items == 0) ::pthread_cond_wait(&shared.queue_filled, &shared.queue_mutex);
    --shared.queue_items;
    ::pthread_mutex_unlock(&shared.queue_mutex);
}

// The same with a pipe: all threads together never have more tokens in it than it holds.
void pipe_tokens(Shared& shared, Worker& worker) {
    std::uint64_t token = worker.random();
    shared.tokens_in.fetch_add(1);
    shared.sum_in.fetch_add(token);
    ssize_t size = 0;
    while ((size = ::write(shared.pipe_ends[1], &token, sizeof token)) < 0 && errno == EINTR) {}
    if (size != sizeof token) broken(worker, "write to a pipe: %zd, %s", size, std::strerror(errno));
    while ((size = ::read(shared.pipe_ends[0], &token, sizeof token)) < 0 && errno == EINTR) {}
    if (size != sizeof token) broken(worker, "read from a pipe: %zd, %s", size, std::strerror(errno));
    shared.tokens_out.fetch_add(1);
    shared.sum_out.fetch_add(token);
}

// Memory is zero when new, keeps what is written through changes of protection, and goes.
void memory(Shared&, Worker& worker) {
    std::size_t const pages = 1 + worker.random_below(32);
    std::size_t const size = pages * 4096;
    auto* const area = static_cast<std::uint64_t*>(
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (area == MAP_FAILED) broken(worker, "mmap: %s", std::strerror(errno));
    std::uint64_t const mark = worker.random();
    for (std::size_t page = 0; page < pages; ++page) {
        if (area[page * 512] != 0) broken(worker, "a new page is not zero");
        area[page * 512] = mark + page;
    }
    if (::mprotect(area, size, PROT_READ) != 0) broken(worker, "mprotect: %s", std::strerror(errno));
    for (std::size_t page = 0; page < pages; ++page)
        if (area[page * 512] != mark + page) broken(worker, "page %zu has lost its content", page);
    if (::mprotect(area, size, PROT_READ | PROT_WRITE) != 0) broken(worker, "mprotect: %s", std::strerror(errno));
    if (worker.random_below(2) == 0) {
        ::madvise(area, size, MADV_DONTNEED);
        for (std::size_t page = 0; page < pages; ++page)
            if (area[page * 512] != 0) broken(worker, "a page given up is not zero");
    }
    // In two pieces, so that areas split.
    std::size_t const first = (1 + worker.random_below(pages)) * 4096;
    if (::munmap(area, first) != 0) broken(worker, "munmap: %s", std::strerror(errno));
    if (first < size && ::munmap(reinterpret_cast<char*>(area) + first, size - first) != 0)
        broken(worker, "munmap: %s", std::strerror(errno));
}

void signal_another(Shared& shared, Worker& worker) {
    Worker const& target = shared.workers[worker.random_below(shared.workers.size())];
    pid_t const tid = target.tid.load(std::memory_order_acquire);
    if (tid == 0) return;
    shared.signals_sent.fetch_add(1);
    siginfo_t info{};
    info.si_signo = storm_signal();
    info.si_code = SI_QUEUE;
    if (::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), tid, storm_signal(), &info) == 0) return;
    shared.signals_sent.fetch_sub(1);
    if (errno != EAGAIN) broken(worker, "rt_tgsigqueueinfo: %s", std::strerror(errno));
}

void sleep(Shared& shared, Worker& worker) {
    std::int64_t const until = now_ns() + static_cast<std::int64_t>(worker.random_below(3'000'000));
    timespec const deadline{until / kSecond, until % kSecond};
    int error = 0;
    while ((error = ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr)) == EINTR) {}
    std::int64_t const late = now_ns() - until;
    if (error != 0) broken(worker, "clock_nanosleep: %s", std::strerror(error));
    if (late < 0) broken(worker, "a sleep ended %lld ns early", static_cast<long long>(-late));
    note_lateness(shared, late);
}

void yield(Shared&, Worker& worker) {
    for (std::uint64_t i = worker.random_below(20); i > 0; --i) ::sched_yield();
}

// To one CPU, where it must then be, and back to all.
void move(Shared&, Worker& worker) {
    cpu_set_t before;
    if (::sched_getaffinity(0, sizeof before, &before) != 0) broken(worker, "sched_getaffinity: %s", std::strerror(errno));
    auto const cpu = static_cast<int>(worker.random_below(static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN))));
    if (!CPU_ISSET(cpu, &before)) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0) broken(worker, "sched_setaffinity: %s", std::strerror(errno));
    if (int const here = ::sched_getcpu(); here != cpu) broken(worker, "is on CPU %d, allowed only on %d", here, cpu);
    ::sched_setaffinity(0, sizeof before, &before);
}

constexpr Operation kOperations[] = {
    {"threads", 4, threads},           {"futex turns", 4, futex_turns},     {"futex timeout", 3, futex_timeout},
    {"contended mutex", 6, contended_mutex}, {"condition queue", 6, condition_queue}, {"pipe tokens", 6, pipe_tokens},
    {"memory", 6, memory},             {"signal", 6, signal_another},       {"sleep", 3, sleep},
    {"yield", 4, yield},               {"move", 2, move},
};

}  // namespace

std::span<Operation const> operations() { return kOperations; }

Operation const& pick(Worker& worker) {
    unsigned total = 0;
    for (Operation const& operation : kOperations) total += operation.weight;
    auto drawn = static_cast<unsigned>(worker.random_below(total));
    for (Operation const& operation : kOperations) {
        if (drawn < operation.weight) return operation;
        drawn -= operation.weight;
    }
    return kOperations[0];
}

}  // namespace soak
