// SPDX-License-Identifier: BSD-3-Clause
// The raw locks as aarch64 code: a Linux program that runs under qemu-aarch64, four threads, plain counters. That every guard
// compiles is checked by instantiating them; the ways through interrupts are not run here.
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "smp/spin/big_reader_lock.hpp"

namespace tutti {
[[noreturn]] void panic_formatted(std::string_view message, char const*, int) {
    std::fprintf(stderr, "panic: %.*s\n", static_cast<int>(message.size()), message.data());
    std::abort();
}
namespace arch {
u32 percpu_own_index;
}
namespace hal {
u32 cpu_count() { return 4; }
void* percpu_area(CpuId) { return nullptr; }
}  // namespace hal
namespace smp {
namespace detail {
u32 preempt_state;
u32 isr_depth;
u32 pin_depth;
void preempt_now() {}
}  // namespace detail
void queued_lock::lock_slow(std::atomic<u32>&) { std::abort(); }
template class LockGuard<QueuedSpinLock, PreemptGuard>;
template class LockGuard<TicketLock, IrqOffGuard>;
template class LockGuard<TasSpinLock, IrqsOnToOffGuard>;
template class TryLockGuard<QueuedSpinLock, IrqOffGuard>;
template class SharedLockGuard<BigReaderLock, PreemptGuard>;
template class TrySharedLockGuard<SpinRwLock, IrqOffGuard>;

namespace {

constexpr unsigned kThreads = 4;
// Each hand-over of a fair lock may cost a time slice when the threads have fewer processors than they are.
constexpr unsigned kManyRounds = 20000;
constexpr unsigned kFairRounds = 400;

// What the kernel's lock_slow() does, with a node for each thread.
class QueuedLockOfThreads {
  public:
    void lock() {
        if (queued_lock::try_lock(word_) || queued_lock::compete_briefly(word_)) return;
        queued_lock::wait_in_queue(word_, nodes_[self], queued_lock::encode_tail(self, 0),
                                   [this](u32 tail) -> SpinQueueNode& { return nodes_[queued_lock::tail_cpu(tail)]; });
    }
    bool try_lock() { return queued_lock::try_lock(word_); }
    void unlock() { queued_lock::unlock(word_); }
    static thread_local unsigned self;

  private:
    std::atomic<u32> word_{0};
    SpinQueueNode nodes_[kThreads];
};
thread_local unsigned QueuedLockOfThreads::self = 0;

template <class Lock, class Body>
void run(char const* name, Lock& lock, unsigned rounds, Body&& body) {
    unsigned long counters[2] = {0, 0};
    std::atomic<unsigned long> expected{0};
    std::vector<std::thread> threads;
    for (unsigned id = 0; id < kThreads; ++id)
        threads.emplace_back([&, id] {
            QueuedLockOfThreads::self = id;
            for (unsigned i = 0; i < rounds; ++i) expected += body(lock, counters, i);
        });
    for (auto& thread : threads) thread.join();
    std::printf("%s: %lu sections\n", name, counters[0]);
    std::fflush(stdout);
    if (counters[0] != expected || counters[1] != expected || expected == 0) {
        std::printf("%s: expected %lu, found %lu and %lu\n", name, expected.load(), counters[0], counters[1]);
        std::exit(1);
    }
}

auto const exclusive = [](auto& lock, unsigned long* counters, unsigned i) -> unsigned long {
    if (i % 4 == 0) {
        if (!lock.try_lock()) return 0;
    } else {
        lock.lock();
    }
    ++counters[0];
    ++counters[1];
    lock.unlock();
    return 1;
};
auto const shared = [](auto& lock, unsigned long* counters, unsigned i) -> unsigned long {
    if (i % 4 == 0) {
        if (i % 8 != 0) lock.lock();
        else if (!lock.try_lock()) return 0;
        ++counters[0];
        ++counters[1];
        lock.unlock();
        return 1;
    }
    if (i % 4 == 1) {
        if (!lock.try_lock_shared()) return 0;
    } else {
        lock.lock_shared();
    }
    if (*static_cast<unsigned long volatile*>(&counters[0]) != *static_cast<unsigned long volatile*>(&counters[1]))
        std::abort();
    lock.unlock_shared();
    return 0;
};

}  // namespace
}  // namespace smp
}  // namespace tutti

int main() {
    using namespace tutti::smp;
    static RawTasLock tas;
    static RawTicketLock ticket;
    static QueuedLockOfThreads queued;
    static RawPhaseFairLock phase_fair;
    run("test-and-set", tas, kManyRounds, exclusive);
    run("ticket", ticket, kFairRounds, exclusive);
    run("queued", queued, kFairRounds, exclusive);
    run("phase-fair", phase_fair, kFairRounds, shared);
}
