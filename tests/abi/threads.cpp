// SPDX-License-Identifier: BSD-3-Clause
// POSIX threads: what glibc builds on clone, futex and robust lists.
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

// A mutex with the given attributes.
class Mutex {
  public:
    explicit Mutex(int type = PTHREAD_MUTEX_NORMAL, int protocol = PTHREAD_PRIO_NONE, bool robust = false, bool shared = false) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, type);
        pthread_mutexattr_setprotocol(&attributes, protocol);
        if (robust) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        if (shared) pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        error_ = pthread_mutex_init(&mutex_, &attributes);
        pthread_mutexattr_destroy(&attributes);
    }
    ~Mutex() { pthread_mutex_destroy(&mutex_); }
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;
    int lock() { return pthread_mutex_lock(&mutex_); }
    int try_lock() { return pthread_mutex_trylock(&mutex_); }
    int unlock() { return pthread_mutex_unlock(&mutex_); }
    int lock_until(const timespec& end) { return pthread_mutex_timedlock(&mutex_, &end); }
    pthread_mutex_t* native() { return &mutex_; }
    int error() const { return error_; }

  private:
    pthread_mutex_t mutex_;
    int error_;
};

timespec real_time_in(int milliseconds) { return to_timespec(now_ns(CLOCK_REALTIME) + milliseconds * kMillisecond); }

// Several threads count under the mutex; nothing may be lost.
void count_under(Mutex& mutex, int rounds) {
    static constexpr int kThreads = 4;
    long counter = 0;
    {
        Threads threads;
        for (int t = 0; t < kThreads; ++t)
            threads.push_back(std::make_unique<Thread>([&] {
                for (int i = 0; i < rounds; ++i) {
                    if (!CHECK_EQ(mutex.lock(), 0)) return;
                    counter = counter + 1;
                    CHECK_EQ(mutex.unlock(), 0);
                }
            }));
    }
    CHECK_EQ(counter, (long)kThreads * rounds);
}

}  // namespace

TEST(create_join_and_return_values) {
    pthread_t threads[20];
    for (long i = 0; i < 20; ++i)
        CHECK_EQ(pthread_create(&threads[i], nullptr, [](void* value) -> void* { return value; }, (void*)(i * 3)), 0);
    for (long i = 0; i < 20; ++i) {
        void* value = nullptr;
        CHECK_EQ(pthread_join(threads[i], &value), 0);
        CHECK_EQ((long)value, i * 3);
    }
}

TEST(detached_threads_end_by_themselves) {
    static std::atomic<int> ended;
    ended.store(0, std::memory_order_relaxed);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 50; ++i) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, &attributes, [](void*) -> void* {
            ended.fetch_add(1, std::memory_order_release);
            return nullptr;
        }, nullptr), 0);
    }
    pthread_attr_destroy(&attributes);
    CHECK(eventually([] { return ended.load(std::memory_order_acquire) == 50; }));
}

TEST(many_threads_at_once) {
    static constexpr int kThreads = 200;
    static std::atomic<int> inside;
    static std::atomic<bool> go;
    inside.store(0, std::memory_order_relaxed);
    go.store(false, std::memory_order_relaxed);
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([] {
            inside.fetch_add(1, std::memory_order_acq_rel);
            while (!go.load(std::memory_order_acquire)) sleep_ms(2);
        }));
    CHECK(eventually([] { return inside.load(std::memory_order_acquire) == kThreads; }));
    go.store(true, std::memory_order_release);
}

TEST(thread_ids_are_distinct) {
    pid_t ids[16];
    {
        Threads threads;
        for (pid_t& id : ids) threads.push_back(std::make_unique<Thread>([&id] { id = thread_id(); sleep_ms(20); }));
    }
    for (int i = 0; i < 16; ++i)
        for (int j = 0; j < i; ++j) CHECK(ids[i] != ids[j]);
}

TEST(thread_local_storage) {
    static thread_local int value = 7;
    static thread_local char block[5000];
    value = 1;
    Threads threads;
    for (int t = 0; t < 8; ++t)
        threads.push_back(std::make_unique<Thread>([t] {
            CHECK_EQ(value, 7);
            CHECK_EQ(block[4999], 0);
            value = t;
            memset(block, t, sizeof block);
            for (int i = 0; i < 50; ++i) {
                sched_yield();
                if (!CHECK(value == t && block[2500] == t)) return;
            }
        }));
    threads.clear();
    CHECK_EQ(value, 1);
}

TEST(keys_run_their_destructors) {
    static std::atomic<int> destroyed;
    destroyed.store(0, std::memory_order_relaxed);
    pthread_key_t key;
    CHECK_EQ(pthread_key_create(&key, [](void*) { destroyed.fetch_add(1, std::memory_order_relaxed); }), 0);
    for (int i = 0; i < 5; ++i) Thread([&] { pthread_setspecific(key, &key); }).join();
    CHECK_EQ(destroyed.load(std::memory_order_relaxed), 5);
    pthread_key_delete(key);
}

TEST(floating_point_registers_are_each_threads_own) {
    Threads threads;
    for (int t = 0; t < 8; ++t)
        threads.push_back(std::make_unique<Thread>([t] {
            double x = t + 1, expected = t + 1;
            for (int i = 0; i < 3000; ++i) {
                x = x * 1.0000001 + t;
                expected = expected * 1.0000001 + t;
                if (i % 100 == 0) sched_yield();
                if (!CHECK(x == expected)) return;
            }
#ifdef __x86_64__
            // MXCSR's rounding mode is part of the thread's state.
            unsigned mode = 0x1f80 | (t % 4) << 13, seen = 0;
            asm volatile("ldmxcsr %0" ::"m"(mode));
            for (int i = 0; i < 300; ++i) {
                sched_yield();
                asm volatile("stmxcsr %0" : "=m"(seen));
                if (!CHECK_EQ(seen & 0x6000, mode & 0x6000)) return;
            }
#else
            // So is that of FPCR.
            const unsigned long mode = static_cast<unsigned long>(t % 4) << 22;
            asm volatile("msr fpcr, %0" ::"r"(mode));
            for (int i = 0; i < 300; ++i) {
                sched_yield();
                unsigned long seen = 0;
                asm volatile("mrs %0, fpcr" : "=r"(seen));
                if (!CHECK_EQ(seen, mode)) return;
            }
#endif
        }));
}

TEST(mutex_kinds) {
    Mutex normal, recursive(PTHREAD_MUTEX_RECURSIVE), checking(PTHREAD_MUTEX_ERRORCHECK), adaptive(PTHREAD_MUTEX_ADAPTIVE_NP);
    count_under(normal, 5000);
    count_under(adaptive, 5000);
    CHECK_EQ(recursive.lock(), 0);
    CHECK_EQ(recursive.lock(), 0);
    CHECK_EQ(recursive.unlock(), 0);
    Thread([&] { CHECK_EQ(recursive.try_lock(), EBUSY); }).join();
    CHECK_EQ(recursive.unlock(), 0);
    CHECK_EQ(recursive.unlock(), EPERM);
    CHECK_EQ(checking.lock(), 0);
    CHECK_EQ(checking.lock(), EDEADLK);
    Thread([&] { CHECK_EQ(checking.unlock(), EPERM); }).join();
    CHECK_EQ(checking.unlock(), 0);
}

TEST(mutex_timeout) {
    Mutex mutex;
    mutex.lock();
    Thread([&] {
        const timespec end = real_time_in(30);
        CHECK_EQ(mutex.lock_until(end), ETIMEDOUT);
        CHECK(now_ns(CLOCK_REALTIME) >= end.tv_sec * 1'000'000'000ll + end.tv_nsec);
    }).join();
    mutex.unlock();
}

TEST(process_shared_mutex) {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    Mutex* mutex = new (page) Mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, false, true);
    count_under(*mutex, 2000);
    mutex->~Mutex();
    munmap(page, 4096);
}

TEST(a_robust_mutex_tells_that_its_owner_died) {
    for (bool shared : {false, true}) {
        Mutex mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, true, shared);
        REQUIRE(mutex.error() == 0);
        Thread([&] { mutex.lock(); }).join();
        CHECK_EQ(mutex.lock(), EOWNERDEAD);
        CHECK_EQ(pthread_mutex_consistent(mutex.native()), 0);
        CHECK_EQ(mutex.unlock(), 0);
        CHECK_EQ(mutex.lock(), 0);
        CHECK_EQ(mutex.unlock(), 0);
        Thread([&] { mutex.lock(); }).join();
        CHECK_EQ(mutex.lock(), EOWNERDEAD);
        CHECK_EQ(mutex.unlock(), 0);  // without making it consistent
        CHECK_EQ(mutex.lock(), ENOTRECOVERABLE);
    }
}

TEST(a_waiter_on_a_robust_mutex_is_woken_when_the_owner_dies) {
    for (int protocol : {PTHREAD_PRIO_NONE, PTHREAD_PRIO_INHERIT}) {
        Mutex mutex(PTHREAD_MUTEX_NORMAL, protocol, true);
        REQUIRE(mutex.error() == 0);
        std::atomic<bool> owned{false}, die{false};
        Thread owner([&] {
            mutex.lock();
            owned.store(true, std::memory_order_release);
            while (!die.load(std::memory_order_acquire)) sleep_ms(1);
        });
        CHECK(eventually([&] { return owned.load(std::memory_order_acquire); }));
        std::atomic<int> result{-1};
        Thread waiter([&] {
            result.store(mutex.lock(), std::memory_order_release);
            pthread_mutex_consistent(mutex.native());
            mutex.unlock();
        });
        wait_until_blocked(waiter.tid());
        die.store(true, std::memory_order_release);
        waiter.join();
        CHECK_EQ(result.load(std::memory_order_acquire), EOWNERDEAD);
    }
}

TEST(priority_inheriting_mutex) {
    Mutex mutex(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT);
    if (mutex.error() == ENOTSUP) return skip("FUTEX_LOCK_PI is missing");
    REQUIRE(mutex.error() == 0);
    CHECK_EQ(mutex.lock(), 0);
    CHECK_EQ(mutex.lock(), EDEADLK);
    Thread([&] { CHECK_EQ(mutex.try_lock(), EBUSY); }).join();
    CHECK_EQ(mutex.unlock(), 0);
    Mutex contended(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT);
    count_under(contended, 1000);
}

TEST(condition_variable_hands_over) {
    Mutex mutex;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    int stage = 0;
    static constexpr int kStages = 500;
    const auto play = [&](int side) {
        for (int i = 0; i < kStages; ++i) {
            mutex.lock();
            while (stage % 2 != side) pthread_cond_wait(&condition, mutex.native());
            ++stage;
            pthread_cond_signal(&condition);
            mutex.unlock();
        }
    };
    Thread even([&] { play(0); }), odd([&] { play(1); });
    even.join();
    odd.join();
    CHECK_EQ(stage, 2 * kStages);
}

TEST(condition_variable_broadcast_and_timeout) {
    Mutex mutex;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    bool go = false;
    int waiting = 0, woken = 0;
    Threads threads;
    for (int t = 0; t < 8; ++t)
        threads.push_back(std::make_unique<Thread>([&] {
            mutex.lock();
            ++waiting;
            while (!go) pthread_cond_wait(&condition, mutex.native());
            ++woken;
            mutex.unlock();
        }));
    CHECK(eventually([&] {
        mutex.lock();
        const bool all = waiting == 8;
        mutex.unlock();
        return all;
    }));
    mutex.lock();
    go = true;
    mutex.unlock();
    pthread_cond_broadcast(&condition);
    threads.clear();
    CHECK_EQ(woken, 8);
    mutex.lock();
    const timespec end = real_time_in(20);
    int result = 0;
    while ((result = pthread_cond_timedwait(&condition, mutex.native(), &end)) == 0) {
    }
    CHECK_EQ(result, ETIMEDOUT);
    mutex.unlock();
}

TEST(reader_writer_lock) {
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    long a = 0, b = 0;
    Threads threads;
    for (int t = 0; t < 4; ++t)
        threads.push_back(std::make_unique<Thread>([&, t] {
            for (int i = 0; i < 1000; ++i) {
                if (t == 0) {
                    pthread_rwlock_wrlock(&lock);
                    ++a;
                    ++b;
                } else {
                    pthread_rwlock_rdlock(&lock);
                    if (a != b) CHECK_EQ(a, b);
                }
                pthread_rwlock_unlock(&lock);
            }
        }));
    threads.clear();
    CHECK_EQ(a, 1000);
    pthread_rwlock_destroy(&lock);
}

TEST(barrier) {
    static constexpr int kThreads = 6, kRounds = 100;
    pthread_barrier_t barrier;
    CHECK_EQ(pthread_barrier_init(&barrier, nullptr, kThreads), 0);
    std::atomic<int> arrived{0}, serial{0};
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([&] {
            for (int i = 0; i < kRounds; ++i) {
                arrived.fetch_add(1, std::memory_order_acq_rel);
                if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) serial.fetch_add(1, std::memory_order_relaxed);
                if (!CHECK(arrived.load(std::memory_order_acquire) >= kThreads * (i + 1))) return;
                pthread_barrier_wait(&barrier);
            }
        }));
    threads.clear();
    CHECK_EQ(serial.load(std::memory_order_relaxed), kRounds);
    pthread_barrier_destroy(&barrier);
}

TEST(semaphore) {
    sem_t semaphore;
    CHECK_OK(sem_init(&semaphore, 0, 0));
    CHECK_ERR(sem_trywait(&semaphore), EAGAIN);
    const timespec end = real_time_in(20);
    CHECK_ERR(sem_timedwait(&semaphore, &end), ETIMEDOUT);
    std::atomic<int> taken{0};
    Threads threads;
    for (int t = 0; t < 4; ++t)
        threads.push_back(std::make_unique<Thread>([&] {
            for (int i = 0; i < 250; ++i) {
                sem_wait(&semaphore);
                taken.fetch_add(1, std::memory_order_relaxed);
            }
        }));
    for (int i = 0; i < 1000; ++i) CHECK_OK(sem_post(&semaphore));
    threads.clear();
    CHECK_EQ(taken.load(std::memory_order_relaxed), 1000);
    sem_destroy(&semaphore);
}

TEST(once) {
    static pthread_once_t control = PTHREAD_ONCE_INIT;
    static std::atomic<int> runs;
    Threads threads;
    for (int t = 0; t < 8; ++t)
        threads.push_back(std::make_unique<Thread>([] {
            pthread_once(&control, [] { sleep_ms(5); runs.fetch_add(1, std::memory_order_relaxed); });
            CHECK_EQ(runs.load(std::memory_order_relaxed), 1);
        }));
}

TEST(cancellation_of_a_blocked_thread) {
    static std::atomic<int> cleaned;
    cleaned.store(0, std::memory_order_relaxed);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, nullptr, [](void*) -> void* {
        pthread_cleanup_push([](void*) { cleaned.fetch_add(1, std::memory_order_relaxed); }, nullptr);
        for (;;) pause();
        pthread_cleanup_pop(0);
        return nullptr;
    }, nullptr), 0);
    sleep_ms(20);
    CHECK_EQ(pthread_cancel(thread), 0);
    void* value = nullptr;
    CHECK_EQ(pthread_join(thread, &value), 0);
    CHECK(value == PTHREAD_CANCELED);
    CHECK_EQ(cleaned.load(std::memory_order_relaxed), 1);
}

TEST(timed_join) {
    std::atomic<bool> stop{false};
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, nullptr, [](void* flag) -> void* {
        while (!static_cast<std::atomic<bool>*>(flag)->load(std::memory_order_acquire)) sleep_ms(1);
        return nullptr;
    }, &stop), 0);
    const timespec end = real_time_in(20);
    CHECK_EQ(pthread_tryjoin_np(thread, nullptr), EBUSY);
    CHECK_EQ(pthread_timedjoin_np(thread, nullptr, &end), ETIMEDOUT);
    stop.store(true, std::memory_order_release);
    CHECK_EQ(pthread_join(thread, nullptr), 0);
}

TEST(clone_arguments_are_checked) {
    // A thread without its memory, or signal actions without memory, cannot be.
    CHECK_ERR(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_clone3, nullptr, 0), EINVAL);
    CHECK_ERR(syscall(SYS_clone3, 8, 88), EFAULT);
    unsigned long arguments[11] = {};
    arguments[0] = 1ul << 40;
    CHECK_ERR(syscall(SYS_clone3, arguments, sizeof arguments), EINVAL);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
