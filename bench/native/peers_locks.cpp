// SPDX-License-Identifier: BSD-3-Clause
// Spinning and sleeping locks of Debian's packages.
#include <absl/synchronization/mutex.h>
#include <nsync.h>
#include <oneapi/tbb/spin_mutex.h>
#include <pthread.h>
#include <semaphore.h>

#include <shared_mutex>

#include "contest.hpp"
#include "peers_ck.h"

namespace tutti::bench {
namespace {

Protected data;

bool check_sum(std::uint64_t operations) {
    bool const right = data.value == operations;
    data.value = 0;
    return right;
}

// A lock with lock(Worker) and unlock(Worker), in a line of its own.
template <class Lock>
struct Contender {
    alignas(128) static inline Lock lock;
    static void run(Worker& worker) {
        typename Lock::Thread thread;
        repeat(worker, [&] {
            lock.lock(thread);
            data.value = data.value + 1;
            lock.unlock(thread);
        });
    }
};
template <class Lock>
struct Reader {
    alignas(128) static inline Lock lock;
    static void run(Worker& worker) {
        typename Lock::Thread thread(lock);
        repeat(worker, [&] {
            lock.lock_shared(thread);
            asm volatile("" ::"r"(data.value));
            lock.unlock_shared(thread);
        });
    }
};

struct Nothing {};

struct PthreadSpin {
    using Thread = Nothing;
    PthreadSpin() { pthread_spin_init(&lock_, PTHREAD_PROCESS_PRIVATE); }
    void lock(Nothing&) { pthread_spin_lock(&lock_); }
    void unlock(Nothing&) { pthread_spin_unlock(&lock_); }
    pthread_spinlock_t lock_;
};
struct TbbSpin {
    using Thread = Nothing;
    void lock(Nothing&) { lock_.lock(); }
    void unlock(Nothing&) { lock_.unlock(); }
    tbb::spin_mutex lock_;
};
template <int Kind>
struct PthreadMutex {
    using Thread = Nothing;
    PthreadMutex() {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, Kind);
        pthread_mutex_init(&lock_, &attributes);
    }
    void lock(Nothing&) { pthread_mutex_lock(&lock_); }
    void unlock(Nothing&) { pthread_mutex_unlock(&lock_); }
    pthread_mutex_t lock_;
};
struct NsyncMutex {
    using Thread = Nothing;
    NsyncMutex() { nsync::nsync_mu_init(&lock_); }
    void lock(Nothing&) { nsync::nsync_mu_lock(&lock_); }
    void unlock(Nothing&) { nsync::nsync_mu_unlock(&lock_); }
    nsync::nsync_mu lock_;
};
struct AbslMutex {
    using Thread = Nothing;
    void lock(Nothing&) { lock_.Lock(); }
    void unlock(Nothing&) { lock_.Unlock(); }
    absl::Mutex lock_;
};
struct PosixSemaphore {
    using Thread = Nothing;
    PosixSemaphore() { sem_init(&lock_, 0, 1); }
    void lock(Nothing&) { sem_wait(&lock_); }
    void unlock(Nothing&) { sem_post(&lock_); }
    sem_t lock_;
};

struct PthreadRwLock {
    struct Thread {
        explicit Thread(PthreadRwLock&) {}
    };
    void lock_shared(Thread&) { pthread_rwlock_rdlock(&lock_); }
    void unlock_shared(Thread&) { pthread_rwlock_unlock(&lock_); }
    pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER;
};

template <std::uint64_t (*Loop)(bool const*, unsigned)>
void run_ck(Worker& worker) {
    static_assert(sizeof(std::atomic<bool>) == sizeof(bool));
    worker.count = Loop(reinterpret_cast<bool const*>(worker.stop), worker.private_work);
}
template <std::uint64_t (*Loop)(bool const*, unsigned)>
constexpr Contestant ck_contestant(char const* contest, char const* name, bool changes = true) {
    return {.contest = contest, .name = name, .side = Side::Peer, .run = run_ck<Loop>, .check = changes ? check_sum : nullptr};
}
template <class Lock>
constexpr Contestant lock_contestant(char const* contest, char const* name) {
    return {.contest = contest, .name = name, .side = Side::Peer, .run = Contender<Lock>::run, .check = check_sum};
}
template <class Lock>
constexpr Contestant reader_contestant(char const* contest, char const* name) {
    return {.contest = contest, .name = name, .side = Side::Peer, .run = Reader<Lock>::run};
}

Entry entries[] = {
    Entry{ck_contestant<peers_ck_fas>("spin", "ck_spinlock_fas")},
    Entry{lock_contestant<PthreadSpin>("spin", "pthread_spin")},
    Entry{lock_contestant<TbbSpin>("spin", "tbb::spin_mutex")},
    Entry{ck_contestant<peers_ck_ticket>("ticket", "ck_spinlock_ticket")},
    Entry{ck_contestant<peers_ck_mcs>("queued", "ck_spinlock_mcs")},
    Entry{lock_contestant<PthreadMutex<PTHREAD_MUTEX_NORMAL>>("mutex", "pthread_mutex")},
    Entry{lock_contestant<PthreadMutex<PTHREAD_MUTEX_ADAPTIVE_NP>>("mutex", "pthread_mutex adaptive")},
    Entry{lock_contestant<NsyncMutex>("mutex", "nsync_mu")},
    Entry{lock_contestant<AbslMutex>("mutex", "absl::Mutex")},
    Entry{lock_contestant<PosixSemaphore>("semaphore", "sem_t")},
    Entry{ck_contestant<peers_ck_pflock_read>("read phase-fair", "ck_pflock", false)},
    Entry{ck_contestant<peers_ck_brlock_read>("read scalable", "ck_brlock", false)},
    Entry{reader_contestant<PthreadRwLock>("read blocking", "pthread_rwlock")},
};

}  // namespace
}  // namespace tutti::bench

extern "C" {
std::uint64_t* peers_protected = &tutti::bench::data.value;
}
