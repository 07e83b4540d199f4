// SPDX-License-Identifier: BSD-3-Clause
// futex(2): each operation, its return values, its errors and its timeouts.
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <vector>

#include "check.hpp"

using namespace tutti::check;
using Word = std::atomic<std::uint32_t>;

namespace {

long futex(Word* word, int operation, std::uint32_t value, const timespec* timeout = nullptr, Word* second = nullptr,
           std::uint32_t value3 = 0) {
    return syscall(SYS_futex, word, operation, value, timeout, second, value3);
}

long futex_counts(Word* word, int operation, int wake, long second_count, Word* second, std::uint32_t value3 = 0) {
    return syscall(SYS_futex, word, operation, wake, second_count, second, value3);
}

// Threads that wait on a word and report what the call returned.
struct Waiter {
    explicit Waiter(Word* word, std::uint32_t mask = FUTEX_BITSET_MATCH_ANY, int flags = FUTEX_PRIVATE_FLAG)
        : thread([this, word, mask, flags] {
              const long r = futex(word, FUTEX_WAIT_BITSET | flags, 0, nullptr, nullptr, mask);
              result.store(r == 0 ? 0 : errno, std::memory_order_relaxed);
              done.store(true, std::memory_order_release);
          }) {
        wait_until_blocked(thread.tid());
    }
    std::atomic<bool> done{false};
    std::atomic<int> result{-1};
    Thread thread;
};
using Waiters = std::vector<std::unique_ptr<Waiter>>;

Waiters start_waiters(Word* word, int count) {
    Waiters waiters;
    for (int i = 0; i < count; ++i) waiters.push_back(std::make_unique<Waiter>(word));
    return waiters;
}

int done_count(const Waiters& waiters) {
    int count = 0;
    for (const auto& waiter : waiters) count += waiter->done.load(std::memory_order_acquire);
    return count;
}

}  // namespace

TEST(wait_with_another_value_fails_at_once) {
    Word word{5};
    CHECK_ERR(futex(&word, FUTEX_WAIT, 4), EAGAIN);
    CHECK_ERR(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 6), EAGAIN);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 6, nullptr, nullptr, 1), EAGAIN);
}

TEST(wake_without_waiters_returns_zero) {
    Word word{0};
    CHECK_EQ(futex(&word, FUTEX_WAKE, 1), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX), 0);
}

TEST(wake_wakes_as_many_as_told) {
    Word word{0};
    Waiters waiters = start_waiters(&word, 5);
    CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2), 2);
    CHECK(eventually([&] { return done_count(waiters) == 2; }));
    sleep_ms(20);
    CHECK_EQ(done_count(waiters), 2);
    CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX), 3);
    CHECK(eventually([&] { return done_count(waiters) == 5; }));
    for (const auto& waiter : waiters) CHECK_EQ(waiter->result.load(std::memory_order_relaxed), 0);
}

TEST(waiters_wake_in_the_order_of_their_arrival) {
    Word word{0};
    Waiters waiters = start_waiters(&word, 3);
    for (int i = 0; i < 3; ++i) {
        CHECK_EQ(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 1);
        CHECK(eventually([&] { return waiters[i]->done.load(std::memory_order_acquire); }));
        CHECK_EQ(done_count(waiters), i + 1);
    }
}

TEST(shared_and_private_waiters_are_apart) {
    // MAP_SHARED memory, so that the two keys differ for sure.
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    Word* word = new (page) Word{0};
    {
        Waiter shared(word, FUTEX_BITSET_MATCH_ANY, 0);
        CHECK_EQ(futex(word, FUTEX_WAKE, INT_MAX), 1);
    }
    {
        Waiter separate(word, FUTEX_BITSET_MATCH_ANY, FUTEX_PRIVATE_FLAG);
        CHECK_EQ(futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX), 1);
    }
    munmap(page, 4096);
}

TEST(shared_key_is_the_memory_and_not_the_address) {
    const int fd = memfd_create("futex", MFD_CLOEXEC);
    if (fd < 0 && errno == ENOSYS) return skip("memfd_create is missing");
    REQUIRE(fd >= 0);
    CHECK_OK(ftruncate(fd, 4096));
    void* first = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    void* second = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(first != MAP_FAILED && second != MAP_FAILED);
    {
        Waiter waiter(reinterpret_cast<Word*>(first), FUTEX_BITSET_MATCH_ANY, 0);
        CHECK_EQ(futex(reinterpret_cast<Word*>(second), FUTEX_WAKE, 1), 1);
        if (!waiter.done.load(std::memory_order_acquire))
            eventually([&] { return waiter.done.load(std::memory_order_acquire); }, 1000);
        futex(reinterpret_cast<Word*>(first), FUTEX_WAKE, 1);
    }
    munmap(first, 4096);
    munmap(second, 4096);
    close(fd);
}

TEST(wait_relative_timeout) {
    Word word{0};
    const timespec timeout = to_timespec(30 * kMillisecond);
    const std::int64_t start = now_ns();
    CHECK_ERR(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &timeout), ETIMEDOUT);
    CHECK(now_ns() - start >= 30 * kMillisecond);
    const timespec zero{0, 0};
    CHECK_ERR(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &zero), ETIMEDOUT);
}

TEST(wait_bitset_absolute_timeout) {
    Word word{0};
    const std::int64_t monotonic_end = now_ns() + 30 * kMillisecond;
    timespec timeout = to_timespec(monotonic_end);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &timeout, nullptr, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
    CHECK(now_ns() >= monotonic_end);

    const std::int64_t real_end = now_ns(CLOCK_REALTIME) + 30 * kMillisecond;
    timeout = to_timespec(real_end);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 0, &timeout, nullptr,
                    FUTEX_BITSET_MATCH_ANY),
              ETIMEDOUT);
    CHECK(now_ns(CLOCK_REALTIME) >= real_end);

    const timespec past = to_timespec(1);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &past, nullptr, 1), ETIMEDOUT);
}

TEST(bad_timeouts) {
    Word word{0};
    const timespec too_many_nanoseconds{0, 1'000'000'000};
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, &too_many_nanoseconds), EINVAL);
    const timespec negative_nanoseconds{0, -1};
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, &negative_nanoseconds), EINVAL);
    const timespec negative_seconds{-1, 0};
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, &negative_seconds), EINVAL);
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, reinterpret_cast<const timespec*>(8)), EFAULT);
}

TEST(bad_arguments) {
    Word word{0};
    Word* odd = reinterpret_cast<Word*>(reinterpret_cast<char*>(&word) + 1);
    CHECK_ERR(futex(odd, FUTEX_WAIT, 0), EINVAL);
    CHECK_ERR(futex(odd, FUTEX_WAKE, 1), EINVAL);
    CHECK_ERR(futex(reinterpret_cast<Word*>(8), FUTEX_WAIT, 0), EFAULT);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 0), EINVAL);
    CHECK_ERR(futex(&word, FUTEX_WAKE_BITSET, 1, nullptr, nullptr, 0), EINVAL);
    CHECK_ERR(futex(&word, 99, 0), ENOSYS);
}

TEST(wake_bitset_wakes_matching_waiters_only) {
    Word word{0};
    Waiter low(&word, 0x0f);
    Waiter high(&word, 0xf0);
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr, nullptr, 0x100), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr, nullptr, 0x80), 1);
    CHECK(eventually([&] { return high.done.load(std::memory_order_acquire); }));
    CHECK(!low.done.load(std::memory_order_acquire));
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr, nullptr, 0x1), 1);
}

TEST(requeue_moves_waiters) {
    Word first{0}, second{0};
    Waiters waiters = start_waiters(&first, 4);
    CHECK_EQ(futex_counts(&first, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 1, 2, &second), 3);  // 1 woken + 2 moved
    CHECK(eventually([&] { return done_count(waiters) == 1; }));
    CHECK_EQ(futex(&second, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX), 2);
    CHECK(eventually([&] { return done_count(waiters) == 3; }));
    CHECK_EQ(futex(&first, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX), 1);
}

TEST(cmp_requeue_compares_first) {
    Word first{0}, second{0};
    Waiters waiters = start_waiters(&first, 3);
    CHECK_ERR(futex_counts(&first, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, INT_MAX, &second, 7), EAGAIN);
    CHECK_EQ(done_count(waiters), 0);
    CHECK_EQ(futex_counts(&first, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 0, INT_MAX, &second, 0), 3);
    CHECK_EQ(futex(&first, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX), 0);
    CHECK_EQ(futex(&second, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX), 3);
    CHECK_ERR(futex_counts(&first, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, -1, 1, &second, 0), EINVAL);
    CHECK_ERR(futex_counts(&first, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, -1, &second, 0), EINVAL);
}

TEST(a_requeued_waiter_still_times_out) {
    Word first{0}, second{0};
    std::atomic<int> result{-1};
    Thread thread([&] {
        const timespec timeout = to_timespec(300 * kMillisecond);
        const long r = futex(&first, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &timeout);
        result.store(r == 0 ? 0 : errno, std::memory_order_release);
    });
    wait_until_blocked(thread.tid());
    if (futex_counts(&first, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0, 1, &second) != 1)
        return skip("the waiter's time was over before it could be moved");
    thread.join();
    CHECK_EQ(result.load(std::memory_order_acquire), ETIMEDOUT);
    CHECK_EQ(futex(&second, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 0);
}

TEST(wake_op_operations) {
    struct Case {
        int operation, argument;
        std::uint32_t before, after;
    };
    const Case cases[] = {{FUTEX_OP_SET, 9, 3, 9},          {FUTEX_OP_ADD, 5, 3, 8},
                          {FUTEX_OP_OR, 6, 3, 7},           {FUTEX_OP_ANDN, 1, 3, 2},
                          {FUTEX_OP_XOR, 5, 3, 6},          {FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 4, 3, 19}};
    for (const Case& c : cases) {
        Word first{0}, second{c.before};
        const std::uint32_t encoded = (std::uint32_t)c.operation << 28 | FUTEX_OP_CMP_EQ << 24 | (c.argument & 0xfff) << 12 | 1;
        CHECK_EQ(futex_counts(&first, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, &second, encoded), 0);
        CHECK_EQ(second.load(std::memory_order_relaxed), c.after);
    }
    Word first{0}, second{0};
    CHECK_ERR(futex_counts(&first, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, &second, 6u << 28), ENOSYS);
}

TEST(wake_op_wakes_the_second_when_the_comparison_holds) {
    struct Case {
        int comparison;
        std::uint32_t argument;
        bool holds;  // for the old value 10
    };
    const Case cases[] = {{FUTEX_OP_CMP_EQ, 10, true}, {FUTEX_OP_CMP_EQ, 11, false}, {FUTEX_OP_CMP_NE, 11, true},
                          {FUTEX_OP_CMP_LT, 11, true}, {FUTEX_OP_CMP_LT, 10, false}, {FUTEX_OP_CMP_LE, 10, true},
                          {FUTEX_OP_CMP_GT, 9, true},  {FUTEX_OP_CMP_GT, 10, false}, {FUTEX_OP_CMP_GE, 10, true}};
    for (const Case& c : cases) {
        Word first{0}, second{0};
        Waiter on_first(&first), on_second(&second);
        second.store(10, std::memory_order_seq_cst);
        const std::uint32_t encoded = FUTEX_OP_ADD << 28 | c.comparison << 24 | 1 << 12 | c.argument;
        CHECK_EQ(futex_counts(&first, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, &second, encoded), c.holds ? 2 : 1);
        CHECK_EQ(second.load(std::memory_order_relaxed), 11u);
        CHECK_EQ(futex(&second, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), c.holds ? 0 : 1);
    }
}

TEST(the_death_of_a_pi_owner_hands_the_lock_over_though_the_page_is_not_mapped) {
    const int file = memfd_create("pi", 0);
    REQUIRE(file >= 0 && ftruncate(file, 4096) == 0);
    void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    REQUIRE(page != MAP_FAILED);
    // Two words: the first one's waiter keeps waiting, and must not hide the second's.
    Word* const other = new (page) Word{(std::uint32_t)thread_id()};
    Word* const word = new ((char*)page + 4) Word{0};
    std::atomic<bool> owned{false}, die{false};
    Thread owner([&] {
        word->store((std::uint32_t)thread_id(), std::memory_order_seq_cst);
        owned.store(true, std::memory_order_release);
        while (!die.load(std::memory_order_acquire)) sleep_ms(1);
        CHECK_OK(madvise(page, 4096, MADV_DONTNEED));
    });
    CHECK(eventually([&] { return owned.load(std::memory_order_acquire); }));
    Thread other_waiter([&] {
        CHECK_OK(futex(other, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0));
        CHECK_OK(futex(other, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0));
    });
    wait_until_blocked(other_waiter.tid());
    Thread waiter([&] {
        CHECK_OK(futex(word, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0));
        // Linux leaves FUTEX_WAITERS there.
        CHECK_EQ(word->load(std::memory_order_relaxed) & ~FUTEX_WAITERS, (std::uint32_t)thread_id() | FUTEX_OWNER_DIED);
    });
    wait_until_blocked(waiter.tid());
    die.store(true, std::memory_order_release);
    waiter.join();
    CHECK_OK(futex(other, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0));
    other_waiter.join();
    munmap(page, 4096);
    close(file);
}

TEST(a_handler_does_not_end_lock_pi) {
    static std::atomic<int> handled;
    handled.store(0, std::memory_order_relaxed);
    struct sigaction action{}, old{};
    action.sa_handler = [](int) { handled.fetch_add(1, std::memory_order_release); };  // without SA_RESTART
    CHECK_OK(sigaction(SIGUSR1, &action, &old));
    for (bool limited : {false, true}) {
        Word word{(std::uint32_t)thread_id()};
        std::atomic<bool> released{false};
        const int before = handled.load(std::memory_order_relaxed);
        Thread waiter([&] {
            const timespec end = to_timespec(now_ns(CLOCK_REALTIME) + 100'000 * kMillisecond);
            CHECK_OK(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, limited ? &end : nullptr));
            CHECK(released.load(std::memory_order_acquire));
            CHECK_OK(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0));
        });
        wait_until_blocked(waiter.tid());
        pthread_kill(waiter.handle(), SIGUSR1);
        CHECK(eventually([&] { return handled.load(std::memory_order_acquire) == before + 1; }));
        wait_until_blocked(waiter.tid());
        released.store(true, std::memory_order_release);
        futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0);
    }
    CHECK_OK(sigaction(SIGUSR1, &old, nullptr));
}

TEST(a_robust_word_on_its_way_to_nobody_wakes_a_waiter) {
    // The owner has given the word up, whose FUTEX_OWNER_DIED bit stays, and ends before its wake.
    alignas(8) static struct {
        robust_list_head head;
        robust_list node;
        Word word;
    } list;
    list.head.list.next = &list.head.list;
    list.head.futex_offset = (char*)&list.word - (char*)&list.node;
    list.head.list_op_pending = &list.node;
    list.word.store(FUTEX_OWNER_DIED, std::memory_order_relaxed);
    std::atomic<bool> woken{false};
    Thread waiter([&] {
        CHECK_OK(futex(&list.word, FUTEX_WAIT, FUTEX_OWNER_DIED));
        woken.store(true, std::memory_order_release);
    });
    wait_until_blocked(waiter.tid());
    Thread([&] { CHECK_OK(syscall(SYS_set_robust_list, &list.head, sizeof list.head)); }).join();
    if (!CHECK(eventually([&] { return woken.load(std::memory_order_acquire); }, 5000))) futex(&list.word, FUTEX_WAKE, 1);
}

TEST(a_waiter_on_memory_that_is_gone_takes_nobody_elses_wake) {
    struct sigaction action{}, old{};
    action.sa_handler = [](int) {};
    CHECK_OK(sigaction(SIGUSR1, &action, &old));
    int file = -1;
    const auto map = [&]() -> Word* {
        file = memfd_create("word", 0);
        if (!CHECK_OK(file) || !CHECK_OK(ftruncate(file, 4096))) return nullptr;
        return (Word*)mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    };
    const auto unmap = [&](Word* word) {
        CHECK_OK(munmap(word, 4096));
        close(file);
    };
    Word* const gone = map();
    Thread waiter([&] { CHECK_ERR(futex(gone, FUTEX_WAIT, 0), EINTR); });
    wait_until_blocked(waiter.tid());
    unmap(gone);
    // New files, in the memory of the old one sooner or later.
    for (int i = 0; i < 200; ++i) {
        Word* const word = map();
        const bool none = CHECK_EQ(futex(word, FUTEX_WAKE, 1), 0);
        unmap(word);
        if (!none) break;
    }
    pthread_kill(waiter.handle(), SIGUSR1);
    waiter.join();
    CHECK_OK(sigaction(SIGUSR1, &old, nullptr));
}

TEST(no_wake_up_is_lost_under_load) {
    // Four pairs hand a token to and fro: a lost wake-up hangs, which the watchdog reports.
    constexpr int kPairs = 4, kRounds = 2000;
    struct alignas(64) Pair {
        Word turn{0};
        int moves = 0;
    };
    Pair pairs[kPairs];
    std::vector<std::unique_ptr<Thread>> threads;
    for (Pair& pair : pairs)
        for (std::uint32_t side = 0; side < 2; ++side)
            threads.push_back(std::make_unique<Thread>([&pair, side] {
                for (int i = 0; i < kRounds; ++i) {
                    while (pair.turn.load(std::memory_order_acquire) != side)
                        futex(&pair.turn, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1 - side);
                    ++pair.moves;
                    pair.turn.store(1 - side, std::memory_order_release);
                    futex(&pair.turn, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
                }
            }));
    threads.clear();
    for (const Pair& pair : pairs) CHECK_EQ(pair.moves, 2 * kRounds);
}

TEST(a_thread_that_ends_wakes_its_clear_child_tid_word) {
    // pthread_join is such a wait; many short threads make the race between end and join likely.
    std::atomic<int> sum{0};
    for (int i = 0; i < 200; ++i) Thread([&] { sum.fetch_add(1, std::memory_order_relaxed); }).join();
    CHECK_EQ(sum.load(std::memory_order_relaxed), 200);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
