// SPDX-License-Identifier: BSD-3-Clause
// Anonymous memory: mmap, munmap, mprotect, mremap, brk, madvise, mincore, /proc/self/maps.
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

using namespace tutti::check;

namespace {

constexpr std::size_t kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;
constexpr int kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS;

char* map(std::size_t pages, int protection = kReadWrite, void* hint = nullptr, int flags = kAnonymous) {
    void* memory = mmap(hint, pages * kPage, protection, flags, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

thread_local sigjmp_buf recovery;

// Whether a read or a write at `address` faults. Installs and removes its own SIGSEGV handler.
bool faults(volatile char* address, bool write) {
    struct sigaction action {}, old {};
    action.sa_handler = [](int) { siglongjmp(recovery, 1); };
    sigaction(SIGSEGV, &action, &old);
    bool faulted = true;
    if (sigsetjmp(recovery, 1) == 0) {
        const char value = *address;
        if (write) *address = value;
        faulted = false;
    }
    sigaction(SIGSEGV, &old, nullptr);
    return faulted;
}
bool readable(char* address) { return !faults(address, false); }
bool writable(char* address) { return !faults(address, true); }

struct MapsLine {
    std::uintptr_t begin = 0, end = 0;
    char permissions[8] = "";
    bool found = false;
};

MapsLine maps_line(const void* address) {
    const std::string text = read_file("/proc/self/maps");
    const std::uintptr_t wanted = reinterpret_cast<std::uintptr_t>(address);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        MapsLine line;
        if (sscanf(text.c_str() + at, "%lx-%lx %7s", &line.begin, &line.end, line.permissions) == 3 && wanted >= line.begin &&
            wanted < line.end) {
            line.found = true;
            return line;
        }
        if (end == std::string::npos) break;
        at = end + 1;
    }
    return {};
}

}  // namespace

TEST(new_memory_is_zero_and_keeps_what_is_written) {
    char* memory = map(64);
    REQUIRE(memory);
    bool zero = true;
    for (std::size_t i = 0; i < 64 * kPage; ++i) zero &= memory[i] == 0;
    CHECK(zero);
    for (std::size_t i = 0; i < 64 * kPage; i += 512) memory[i] = static_cast<char>(i / 512 * 7 + 1);
    bool kept = true;
    for (std::size_t i = 0; i < 64 * kPage; i += 512) kept &= memory[i] == static_cast<char>(i / 512 * 7 + 1);
    CHECK(kept);
    CHECK_OK(munmap(memory, 64 * kPage));
}

TEST(a_large_reservation_costs_nothing) {
    const std::size_t size = 64ul << 30;
    void* memory = mmap(nullptr, size, PROT_NONE, kAnonymous | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    char* inside = static_cast<char*>(memory) + (size / 2 & ~(kPage - 1));
    CHECK_OK(mprotect(inside, kPage, kReadWrite));
    inside[5] = 1;
    CHECK_EQ(inside[5], 1);
    CHECK_OK(munmap(memory, size));
}

TEST(mmap_errors) {
    CHECK_EQ((void*)mmap(nullptr, 0, kReadWrite, kAnonymous, -1, 0), MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ((void*)mmap(nullptr, kPage, kReadWrite, MAP_ANONYMOUS, -1, 0), MAP_FAILED);  // neither private nor shared
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ((void*)mmap((void*)0x1001, kPage, kReadWrite, kAnonymous | MAP_FIXED, -1, 0), MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ((void*)mmap(nullptr, ~0ul - kPage, kReadWrite, kAnonymous, -1, 0), MAP_FAILED);
    CHECK_EQ(errno, ENOMEM);
    CHECK_EQ((void*)mmap(nullptr, kPage, kReadWrite, MAP_PRIVATE, 987, 0), MAP_FAILED);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(syscall(SYS_mmap, nullptr, kPage, kReadWrite, kAnonymous, -1, 100), -1);  // offset not on a page
    CHECK_EQ(errno, EINVAL);
}

TEST(munmap_whole_and_part) {
    char* memory = map(8);
    REQUIRE(memory);
    memset(memory, 3, 8 * kPage);
    CHECK_OK(munmap(memory + 2 * kPage, 3 * kPage));
    CHECK(readable(memory + kPage) && readable(memory + 5 * kPage));
    for (int i = 2; i < 5; ++i) CHECK(!readable(memory + i * kPage));
    CHECK_EQ(memory[2 * kPage - 1], 3);
    CHECK_EQ(memory[5 * kPage], 3);
    CHECK_OK(munmap(memory, 8 * kPage));  // holes in the range are fine
    CHECK_OK(munmap(memory, 8 * kPage));
    CHECK_ERR(munmap(memory + 1, kPage), EINVAL);
    CHECK_ERR(munmap(memory, 0), EINVAL);
    CHECK_ERR(munmap(memory, ~0ul & ~(kPage - 1)), EINVAL);
}

TEST(a_length_is_rounded_up_to_pages) {
    char* memory = static_cast<char*>(mmap(nullptr, 100, kReadWrite, kAnonymous, -1, 0));
    REQUIRE(memory != MAP_FAILED);
    CHECK(writable(memory + kPage - 1));
    CHECK_OK(munmap(memory, 1));
    CHECK(!readable(memory + kPage - 1));
}

TEST(map_fixed_replaces_and_noreplace_refuses) {
    char* memory = map(4);
    REQUIRE(memory);
    memset(memory, 7, 4 * kPage);
    CHECK(map(1, kReadWrite, memory + kPage, kAnonymous | MAP_FIXED) == memory + kPage);
    CHECK_EQ(memory[kPage], 0);
    CHECK_EQ(memory[0], 7);
    CHECK_EQ(memory[2 * kPage], 7);
    CHECK_EQ((void*)mmap(memory, kPage, kReadWrite, kAnonymous | MAP_FIXED_NOREPLACE, -1, 0), MAP_FAILED);
    CHECK_EQ(errno, EEXIST);
    CHECK_OK(munmap(memory, 4 * kPage));
    CHECK(map(1, kReadWrite, memory, kAnonymous | MAP_FIXED_NOREPLACE) == memory);
    CHECK_OK(munmap(memory, kPage));
}

TEST(a_free_hint_is_taken_and_a_used_one_is_not) {
    char* memory = map(4);
    REQUIRE(memory);
    char* other = map(1, kReadWrite, memory);
    CHECK(other && (other < memory || other >= memory + 4 * kPage));
    munmap(other, kPage);
    munmap(memory, 4 * kPage);
    CHECK(map(4, kReadWrite, memory) == memory);
    munmap(memory, 4 * kPage);
}

TEST(mprotect_changes_a_part) {
    char* memory = map(5);
    REQUIRE(memory);
    memset(memory, 1, 5 * kPage);
    CHECK_OK(mprotect(memory + kPage, 2 * kPage, PROT_READ));
    CHECK(writable(memory) && writable(memory + 3 * kPage));
    CHECK(readable(memory + kPage) && !writable(memory + kPage) && !writable(memory + 3 * kPage - 1));
    CHECK_OK(mprotect(memory + kPage, kPage, PROT_NONE));
    CHECK(!readable(memory + kPage));
    CHECK_OK(mprotect(memory, 5 * kPage, kReadWrite));
    CHECK(writable(memory + kPage));
    CHECK_EQ(memory[kPage], 1);
    CHECK_ERR(mprotect(memory + 1, kPage, PROT_READ), EINVAL);
    CHECK_OK(mprotect(memory, 0, PROT_READ));
    CHECK(writable(memory));
    munmap(memory + 2 * kPage, kPage);
    CHECK_ERR(mprotect(memory, 5 * kPage, PROT_READ), ENOMEM);
    munmap(memory, 5 * kPage);
}

#if defined(__x86_64__)
// Also after page faults, which the kernel may resolve in more than one way.
TEST(the_gs_base_is_the_programs) {
    constexpr int kSetGs = 0x1001;
    static std::uint64_t word = 0x1122'3344'5566'7788;
    auto const through_gs = [] {
        std::uint64_t value;
        asm volatile("movq %%gs:0, %0" : "=r"(value));
        return value;
    };
    CHECK_OK(syscall(SYS_arch_prctl, kSetGs, &word));
    CHECK_EQ(through_gs(), word);
    char* memory = map(16);
    CHECK(memory != nullptr);
    for (std::size_t page = 0; page < 16; ++page) {
        memory[page * kPage] = 1;
        CHECK_EQ(through_gs(), word);
    }
    // Pages that are there, behind translations that are not.
    CHECK_OK(mprotect(memory, 16 * kPage, PROT_READ));
    for (std::size_t page = 0; page < 16; ++page) {
        CHECK_EQ(static_cast<volatile char*>(memory)[page * kPage], 1);
        CHECK_EQ(through_gs(), word);
    }
    CHECK_OK(munmap(memory, 16 * kPage));
    CHECK_OK(syscall(SYS_arch_prctl, kSetGs, 0));
}
#endif

TEST(mprotect_is_seen_by_other_cpus) {
    // Another thread writes all the time: after mprotect(PROT_READ) returned, no write may go through.
    static std::atomic<char*> target;
    static std::atomic<bool> stop;
    static thread_local sigjmp_buf back;
    char* memory = map(1);
    REQUIRE(memory);
    target.store(memory, std::memory_order_relaxed);
    stop.store(false, std::memory_order_relaxed);
    struct sigaction action {}, old {};
    action.sa_handler = [](int) { siglongjmp(back, 1); };
    sigaction(SIGSEGV, &action, &old);
    Thread writer([] {
        while (!stop.load(std::memory_order_acquire)) {
            if (sigsetjmp(back, 1) == 0) {
                volatile char* byte = target.load(std::memory_order_relaxed);
                for (int i = 0; i < 1000; ++i) *byte = static_cast<char>(*byte + 1);
            }
        }
    });
    for (int round = 0; round < 200; ++round) {
        CHECK_OK(mprotect(memory, kPage, PROT_READ));
        const char value = *static_cast<volatile char*>(memory);
        for (int i = 0; i < 50; ++i)
            if (!CHECK_EQ(*static_cast<volatile char*>(memory), value)) break;
        CHECK_OK(mprotect(memory, kPage, kReadWrite));
        sched_yield();
    }
    stop.store(true, std::memory_order_release);
    writer.join();
    sigaction(SIGSEGV, &old, nullptr);
    munmap(memory, kPage);
}

TEST(mremap_shrinks_grows_and_moves) {
    char* memory = map(4);
    REQUIRE(memory);
    for (int i = 0; i < 4; ++i) memory[i * kPage] = static_cast<char>(i + 1);
    CHECK(mremap(memory, 4 * kPage, 2 * kPage, 0) == memory);
    CHECK(!readable(memory + 2 * kPage));
    // A neighbour just behind makes growth in place impossible.
    CHECK(map(1, kReadWrite, memory + 2 * kPage, kAnonymous | MAP_FIXED_NOREPLACE) == memory + 2 * kPage);
    CHECK_EQ((void*)mremap(memory, 2 * kPage, 6 * kPage, 0), MAP_FAILED);
    CHECK_EQ(errno, ENOMEM);
    char* moved = static_cast<char*>(mremap(memory, 2 * kPage, 6 * kPage, MREMAP_MAYMOVE));
    REQUIRE(moved != MAP_FAILED);
    CHECK(moved != memory);
    CHECK_EQ(moved[0], 1);
    CHECK_EQ(moved[kPage], 2);
    CHECK_EQ(moved[5 * kPage], 0);
    CHECK(!readable(memory));
    char* target = map(8);
    REQUIRE(target);
    memset(target, 9, 8 * kPage);
    CHECK(mremap(moved, 6 * kPage, 6 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    CHECK_EQ(target[0], 1);
    CHECK_EQ(target[kPage], 2);
    CHECK_EQ(target[6 * kPage], 9);
    munmap(target, 8 * kPage);
    munmap(memory + 2 * kPage, kPage);
}

TEST(mremap_errors) {
    char* memory = map(2);
    REQUIRE(memory);
    CHECK_EQ((void*)mremap(memory + 1, kPage, kPage, 0), MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ((void*)mremap(memory, kPage, 0, 0), MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ((void*)mremap(memory, kPage, kPage, 0x80), MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ((void*)mremap(memory, kPage, kPage, MREMAP_FIXED, memory + kPage), MAP_FAILED);  // needs MAYMOVE
    CHECK_EQ(errno, EINVAL);
    munmap(memory, 2 * kPage);
    CHECK_EQ((void*)mremap(memory, kPage, 2 * kPage, MREMAP_MAYMOVE), MAP_FAILED);
    CHECK_EQ(errno, EFAULT);
}

TEST(brk_grows_and_shrinks) {
    const long start = syscall(SYS_brk, 0);
    REQUIRE(start > 0);
    const long grown = start + 3 * (long)kPage;
    CHECK_EQ(syscall(SYS_brk, grown), grown);
    char* memory = reinterpret_cast<char*>((start + kPage - 1) & ~(kPage - 1));
    memset(memory, 5, kPage);
    CHECK_EQ(memory[kPage - 1], 5);
    CHECK_EQ(syscall(SYS_brk, start), start);
    CHECK_EQ(syscall(SYS_brk, 1), start);  // an impossible wish changes nothing and tells the end
    CHECK_EQ(syscall(SYS_brk, grown), grown);
    CHECK_EQ(memory[0], 0);  // fresh again
    CHECK_EQ(syscall(SYS_brk, start), start);
}

TEST(madvise_dontneed_drops_the_content) {
    char* memory = map(4);
    REQUIRE(memory);
    memset(memory, 1, 4 * kPage);
    CHECK_OK(madvise(memory + kPage, 2 * kPage, MADV_DONTNEED));
    CHECK_EQ(memory[0], 1);
    CHECK_EQ(memory[kPage], 0);
    CHECK_EQ(memory[3 * kPage - 1], 0);
    CHECK_EQ(memory[3 * kPage], 1);
    CHECK_OK(madvise(memory, 4 * kPage, MADV_NORMAL));
    CHECK_OK(madvise(memory, 4 * kPage, MADV_WILLNEED));
    CHECK_OK(madvise(memory, 4 * kPage, MADV_SEQUENTIAL));
    CHECK_OK(madvise(memory, 4 * kPage, MADV_RANDOM));
    CHECK_ERR(madvise(memory + 1, kPage, MADV_DONTNEED), EINVAL);
    CHECK_ERR(madvise(memory, kPage, 9999), EINVAL);
    munmap(memory, 4 * kPage);
    CHECK_ERR(madvise(memory, kPage, MADV_DONTNEED), ENOMEM);
}

TEST(madvise_free_keeps_or_zeroes) {
    char* memory = map(2);
    REQUIRE(memory);
    memset(memory, 4, 2 * kPage);
    CHECK_OK(madvise(memory, 2 * kPage, MADV_FREE));
    CHECK(memory[0] == 4 || memory[0] == 0);
    memory[0] = 6;  // a write takes the page back
    CHECK_EQ(memory[0], 6);
    munmap(memory, 2 * kPage);
}

TEST(mincore_tells_residence) {
    char* memory = map(4);
    REQUIRE(memory);
    memory[kPage] = 1;
    unsigned char pages[4] = {9, 9, 9, 9};
    CHECK_OK(mincore(memory, 4 * kPage, pages));
    CHECK_EQ(pages[1] & 1, 1);
    CHECK_EQ(pages[3] & 1, 0);
    CHECK_ERR(mincore(memory + 1, kPage, pages), EINVAL);
    munmap(memory, 4 * kPage);
    CHECK_ERR(mincore(memory, kPage, pages), ENOMEM);
}

TEST(shared_anonymous_memory) {
    char* memory = map(2, kReadWrite, nullptr, MAP_SHARED | MAP_ANONYMOUS);
    REQUIRE(memory);
    CHECK_EQ(memory[kPage], 0);
    memory[kPage] = 3;
    CHECK_OK(madvise(memory, 2 * kPage, MADV_DONTNEED));  // shared: the content stays
    CHECK_EQ(memory[kPage], 3);
    CHECK_OK(munmap(memory, 2 * kPage));
}

TEST(flags_that_programs_use_are_accepted) {
    char* stack = map(16, kReadWrite, nullptr, kAnonymous | MAP_STACK | MAP_NORESERVE);
    CHECK(stack && writable(stack));
    munmap(stack, 16 * kPage);
    char* populated = map(8, kReadWrite, nullptr, kAnonymous | MAP_POPULATE);
    REQUIRE(populated);
    unsigned char pages[8] = {};
    CHECK_OK(mincore(populated, 8 * kPage, pages));
    for (unsigned char page : pages) CHECK_EQ(page & 1, 1);
    munmap(populated, 8 * kPage);
    char* executable = map(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    REQUIRE(executable);
    munmap(executable, kPage);
}

TEST(grows_down_mapping) {
    char* top = map(300, PROT_NONE);  // finds a free range
    REQUIRE(top);
    munmap(top, 300 * kPage);
    char* stack = top + 298 * kPage;
    if (map(2, kReadWrite, stack, kAnonymous | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN) != stack) return skip("the range is taken");
    stack[0] = 1;
    volatile char* below = stack - 16;
    *below = 2;  // the page below is faulted in
    CHECK_EQ(*below, 2);
    munmap(stack - 2 * kPage, 4 * kPage);
}

TEST(mlock_and_msync_accept_anonymous_memory) {
    char* memory = map(2);
    REQUIRE(memory);
    CHECK_OK(mlock(memory, 2 * kPage));
    CHECK_OK(munlock(memory, 2 * kPage));
    CHECK_OK(msync(memory, 2 * kPage, MS_SYNC));
    CHECK_ERR(msync(memory, 2 * kPage, MS_SYNC | MS_ASYNC), EINVAL);
    munmap(memory, 2 * kPage);
    CHECK_ERR(msync(memory, kPage, MS_SYNC), ENOMEM);
}

TEST(proc_self_maps_shows_mappings) {
    char* memory = map(6);
    REQUIRE(memory);
    CHECK_OK(mprotect(memory + 2 * kPage, 2 * kPage, PROT_READ));
    const MapsLine middle = maps_line(memory + 2 * kPage);
    CHECK(middle.found);
    CHECK_EQ(middle.begin, reinterpret_cast<std::uintptr_t>(memory + 2 * kPage));
    CHECK_EQ(middle.end, reinterpret_cast<std::uintptr_t>(memory + 4 * kPage));
    CHECK(strcmp(middle.permissions, "r--p") == 0);
    const MapsLine own_text = maps_line(reinterpret_cast<const void*>(&write_file));
    CHECK(own_text.found && own_text.permissions[2] == 'x' && own_text.permissions[1] == '-');
    int local = 0;
    const MapsLine stack = maps_line(&local);
    CHECK(stack.found && strcmp(stack.permissions, "rw-p") == 0);
    CHECK(read_file("/proc/self/maps").find("[stack]") != std::string::npos);
    munmap(memory, 6 * kPage);
    CHECK(!maps_line(memory + 2 * kPage).found || maps_line(memory + 2 * kPage).begin != middle.begin);
}

TEST(neighbours_with_the_same_rights_merge) {
    // Many adjacent mappings must not use up the map count.
    char* area = map(64, PROT_NONE);
    REQUIRE(area);
    for (int i = 0; i < 64; ++i) CHECK_OK(mprotect(area + i * kPage, kPage, kReadWrite));
    const MapsLine line = maps_line(area + 32 * kPage);
    CHECK(line.found);
    CHECK(line.begin <= reinterpret_cast<std::uintptr_t>(area));
    CHECK(line.end >= reinterpret_cast<std::uintptr_t>(area + 64 * kPage));
    munmap(area, 64 * kPage);
}

TEST(threads_map_and_unmap_in_parallel) {
    constexpr int kThreads = 4, kRounds = 300;
    std::atomic<int> wrong{0};
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([&wrong, t] {
            for (int i = 0; i < kRounds; ++i) {
                const int pages = 1 + (i + t) % 9;
                char* memory = map(pages);
                if (!memory) {
                    wrong.fetch_add(1, std::memory_order_relaxed);
                    continue;
                }
                for (int p = 0; p < pages; ++p) {
                    if (memory[p * kPage] != 0) wrong.fetch_add(1, std::memory_order_relaxed);
                    memory[p * kPage] = static_cast<char>(t + 1);
                }
                for (int p = 0; p < pages; ++p)
                    if (memory[p * kPage] != t + 1) wrong.fetch_add(1, std::memory_order_relaxed);
                if (munmap(memory, pages * kPage) != 0) wrong.fetch_add(1, std::memory_order_relaxed);
            }
        }));
    threads.clear();
    CHECK_EQ(wrong.load(std::memory_order_relaxed), 0);
}

TEST(threads_fault_on_the_same_pages) {
    constexpr int kThreads = 4, kRounds = 30, kPages = 64;
    for (int round = 0; round < kRounds; ++round) {
        char* memory = map(kPages);
        REQUIRE(memory);
        std::atomic<int> ready{0};
        Threads threads;
        for (int t = 0; t < kThreads; ++t)
            threads.push_back(std::make_unique<Thread>([&, t] {
                ready.fetch_add(1, std::memory_order_acq_rel);
                while (ready.load(std::memory_order_acquire) < kThreads) sched_yield();
                for (int p = 0; p < kPages; ++p)
                    __atomic_fetch_add(memory + p * kPage, static_cast<char>(1 << t), __ATOMIC_RELAXED);
            }));
        threads.clear();
        for (int p = 0; p < kPages; ++p)
            if (!CHECK_EQ(memory[p * kPage], (1 << kThreads) - 1)) break;
        munmap(memory, kPages * kPage);
    }
}

int main(int argc, char** argv) { return run_all(argc, argv); }
