// SPDX-License-Identifier: BSD-3-Clause
// Micro-benchmarks of the system interface, as one ordinary Linux program: run unmodified on Tutti and on Linux.
//
//     micro [ROUNDS [MILLISECONDS [PATTERN]]]
//
// Prints lines `RESULT name median-of-rounds unit minimum maximum`. Each round runs about MILLISECONDS.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "two_threads.hpp"

namespace {

using bench::TwoThreads;

double now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

struct Options {
    int rounds = 5;
    double round_ns = 100e6;
    char const* pattern = "";
};

Options options;

// `batch(n)` performs n operations. Batches are sized so that a round lasts as long as asked.
void measure(char const* name, std::function<void(long)> const& batch) {
    if (std::strstr(name, options.pattern) == nullptr) return;
    long count = 16;
    double spent = 0;
    for (;;) {
        double const start = now_ns();
        batch(count);
        spent = now_ns() - start;
        if (spent >= options.round_ns / 8 || count >= 1L << 30) break;
        count *= 2;
    }
    count = std::max(16L, static_cast<long>(static_cast<double>(count) * options.round_ns / std::max(spent, 1.0)));
    std::vector<double> rounds;
    for (int round = 0; round < options.rounds; ++round) {
        double const start = now_ns();
        batch(count);
        rounds.push_back((now_ns() - start) / static_cast<double>(count));
    }
    std::sort(rounds.begin(), rounds.end());
    std::printf("RESULT %s %.1f ns %.1f %.1f\n", name, rounds[rounds.size() / 2], rounds.front(), rounds.back());
    std::fflush(stdout);
}

void getppid_calls(long count) {
    while (count-- > 0) ::syscall(SYS_getppid);
}

void clock_reads(long count) {
    timespec time{};
    while (count-- > 0) ::clock_gettime(CLOCK_MONOTONIC, &time);
}

void map_touch_unmap(long count) {
    while (count-- > 0) {
        void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) std::abort();
        *static_cast<char volatile*>(page) = 1;
        ::munmap(page, 4096);
    }
}

// First touches of fresh memory, 1 MiB at a time; the cost of mapping is shared by 256 faults.
void page_faults(long count) {
    constexpr std::size_t kSize = 1U << 20;
    for (long done = 0; done < count; done += kSize / 4096) {
        auto* const area = static_cast<char volatile*>(
            ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (area == MAP_FAILED) std::abort();
        ::madvise(const_cast<char*>(area), kSize, MADV_NOHUGEPAGE);
        for (std::size_t at = 0; at < kSize; at += 4096) area[at] = 1;
        ::munmap(const_cast<char*>(area), kSize);
    }
}

void protection_changes(long count) {
    static void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (; count > 0; --count) {
        *static_cast<char volatile*>(page) = 1;
        ::mprotect(page, 4096, PROT_READ);
        ::mprotect(page, 4096, PROT_READ | PROT_WRITE);
    }
}

void create_and_join(long count) {
    while (count-- > 0) {
        pthread_t thread{};
        if (::pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr) != 0) std::abort();
        ::pthread_join(thread, nullptr);
    }
}

// Writes and reads one byte of a pipe in one thread: the path without any switch.
void pipe_byte(long count) {
    static int ends[2] = {-1, -1};
    if (ends[0] < 0 && ::pipe(ends) != 0) std::abort();
    char byte = 0;
    while (count-- > 0) {
        if (::write(ends[1], &byte, 1) != 1 || ::read(ends[0], &byte, 1) != 1) std::abort();
    }
}

// 4 KiB from a file in memory: this program.
int own_file = -1;

void file_reads(long count) {
    static char block[4096];
    while (count-- > 0) {
        if (::pread(own_file, block, sizeof block, 4096) != sizeof block) std::abort();
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) options.rounds = std::max(1, std::atoi(argv[1]));
    if (argc > 2) options.round_ns = std::max(1.0, std::atof(argv[2])) * 1e6;
    if (argc > 3) options.pattern = argv[3];

    measure("getppid", getppid_calls);
    measure("clock_gettime", clock_reads);
    measure("mmap_touch_munmap", map_touch_unmap);
    measure("page_fault", page_faults);
    measure("mprotect_twice", protection_changes);
    measure("pipe_write_read", pipe_byte);
    own_file = ::open(argv[0], O_RDONLY);
    if (own_file >= 0) measure("pread_4k", file_reads);
    measure("thread_create_join", create_and_join);

    // One operation is a round trip: two switches and two wake-ups.
    measure("sched_yield_ping_pong", [](long count) { TwoThreads(0, 0).yield_ping_pong(count); });
    measure("futex_ping_pong_same_cpu", [](long count) { TwoThreads(0, 0).futex_ping_pong(count); });
    measure("pipe_ping_pong_same_cpu", [](long count) { TwoThreads(0, 0).pipe_ping_pong(count); });
    if (::sysconf(_SC_NPROCESSORS_ONLN) >= 2) {
        measure("futex_ping_pong_two_cpus", [](long count) { TwoThreads(0, 1).futex_ping_pong(count); });
        measure("pipe_ping_pong_two_cpus", [](long count) { TwoThreads(0, 1).pipe_ping_pong(count); });
        measure("futex_ping_pong_free", [](long count) { TwoThreads(-1, -1).futex_ping_pong(count); });
    }
    return 0;
}
