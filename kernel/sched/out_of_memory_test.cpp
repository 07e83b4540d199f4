// SPDX-License-Identifier: BSD-3-Clause
// Every allocation of an operation fails once: the operation says so, changes nothing and keeps nothing.
#include "mem/allocation_fault.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "mem/heap/heap.hpp"
#include "sched/timers/sleep.hpp"
#include "sched/wait/barrier.hpp"
#include "sched/wait/condition_variable.hpp"
#include "sched/wait/crew_test.hpp"
#include "sched/wait/event.hpp"
#include "sched/wait/once.hpp"
#include "sched/wait/rw_lock.hpp"
#include "sched/wait/semaphore.hpp"
#include "smp/lockfree/mpmc_queue.hpp"
#include "smp/lockfree/spsc_ring.hpp"
#include "smp/percpu/cpu_set.hpp"
#include "smp/rcu/rcu_hash_table.hpp"
#include "smp/spin/big_reader_lock.hpp"

namespace tutti::sched {
namespace {

void const* who() { return current_or_null(); }

u64 heap_in_use() { return mem::heap_statistics().bytes_in_use; }

// operation() returns whether it succeeded, and has given back what it took. `least`: how many allocations it has at least.
template <class Operation>
void survives(u32 least, Operation&& operation) {
    if (!kDebugBuild) SKIP("allocations fail on demand in debug builds only");
    REQUIRE(operation());  // whatever is set up by a first use is there now
    for (u32 n = 1;; ++n) {
        REQUIRE(n < 1000);
        u64 const before = heap_in_use();
        bool happened = false;
        for (u32 again = 0; again < 3; ++again) {
            bool succeeded = false;
            {
                mem::AllocationFault const fault{n, &who};
                succeeded = operation();
                happened = fault.happened();
            }
            EXPECT_EQ(succeeded, !happened);
        }
        // Less when threads of earlier cases are freed meanwhile.
        EXPECT(heap_in_use() <= before);
        if (happened) continue;
        EXPECT(n > least);
        return;
    }
}

TEST(out_of_memory, thread_creation) {
    survives(1, [] { return Thread::create({.name = "never"}, [](void*) {}, nullptr).has_value(); });
}

TEST(out_of_memory, cpu_set) {
    survives(1, [] { return smp::CpuSet::create(1000).has_value(); });
    survives(0, [] { return smp::CpuSet::create(64).has_value(); });
}
TEST(out_of_memory, dynamic_percpu) {
    survives(1, [] { return smp::DynamicPerCpu<u64>::create().has_value(); });
}
TEST(out_of_memory, big_reader_lock) {
    survives(1, [] { return smp::BigReaderLock::create(smp::LockRank::Driver, "test").has_value(); });
}
TEST(out_of_memory, lock_free_queues) {
    survives(1, [] { return smp::MpmcQueue<u64>::create(100).has_value(); });
    survives(1, [] { return smp::SpscRing<u64>::create(100).has_value(); });
}
struct Keyed {
    u64 key = 0;
    smp::RcuHashNode node;
};
struct KeyTraits {
    static u64 hash(u64 key) { return key; }
    static u64 const& key(Keyed const& keyed) { return keyed.key; }
};
using KeyedTable = smp::RcuHashTable<Keyed, &Keyed::node, KeyTraits>;
TEST(out_of_memory, rcu_hash_table) {
    survives(2, [] { return KeyedTable::create(100).has_value(); });
}
// What was there is found afterwards, and the table takes more.
TEST(out_of_memory, rcu_hash_table_resize) {
    auto table = KeyedTable::create(2);
    REQUIRE(table);
    static Keyed elements[40];
    for (u64 i = 0; i < 40; ++i) {
        elements[i].key = i;
        smp::rcu::ReadGuard const reading;
        EXPECT(table->insert(elements[i], reading) == nullptr);
    }
    REQUIRE(table->resize(2));
    survives(1, [&] {
        u64 const before = table->buckets();
        Result<> const grown = table->resize(1000);
        if (!grown) EXPECT_EQ(table->buckets(), before);
        for (u64 i = 0; i < 40; ++i) {
            smp::rcu::ReadGuard const reading;
            EXPECT(table->find(i, reading) == &elements[i]);
        }
        EXPECT(table->resize(2));
        return grown.has_value();
    });
    for (u64 i = 0; i < 40; ++i) {
        smp::rcu::ReadGuard const reading;
        EXPECT(table->remove(i, reading) == &elements[i]);
    }
}
TEST(out_of_memory, frames_and_heap) {
    survives(1, [] { return mem::allocate_frame().has_value(); });
    survives(1, [] { return mem::allocate_frames(3).has_value(); });
    survives(1, [] {
        void* const memory = mem::heap_allocate(100'000);
        mem::heap_free(memory);
        return memory != nullptr;
    });
}
TEST(out_of_memory, reallocation_keeps_the_old_block) {
    auto* const memory = static_cast<u8*>(mem::heap_allocate(64));
    REQUIRE(memory != nullptr);
    memory[5] = 42;
    if (kDebugBuild) {
        mem::AllocationFault const fault{1, &who};
        EXPECT(mem::heap_reallocate(memory, 5000) == nullptr);
        EXPECT(fault.happened());
    }
    EXPECT_EQ(memory[5], u8{42});
    mem::heap_free(memory);
}
TEST(out_of_memory, vector_keeps_its_elements) {
    survives(1, [] {
        Vector<u64> vector;
        for (u64 i = 0; i < 100; ++i) {
            if (vector.try_push_back(i)) continue;
            for (u64 j = 0; j < i; ++j) EXPECT_EQ(vector[j], j);
            return false;
        }
        return true;
    });
}

// Waiting and waking do not allocate, contended or not: nothing here can fail for want of memory.
TEST(out_of_memory, blocking_primitives_allocate_nothing) {
    if (!kDebugBuild) SKIP("allocations fail on demand in debug builds only");
    Mutex mutex;
    RwLock rw_lock;
    ConditionVariable condition;
    Semaphore semaphore{0};
    Event event;
    Barrier barrier{2};
    Once once;
    WaitQueue queue;
    std::atomic<u32> step{0};
    auto const reach = [&](u32 n) { yield_until([&] { return step.load() >= n; }); };
    Crew partner{1, [&](u32) {
        reach(1);
        lock(mutex);
        lock(rw_lock);
        step.store(2);
        (void)sleep_until(soon());
        unlock(rw_lock);
        unlock(mutex);
        reach(3);
        (void)sleep_until(soon());
        (void)semaphore.up();
        event.set();
        barrier.arrive_and_wait();
        {
            MutexGuard guard{mutex};
            condition.notify_all();
        }
        step.store(5);
        queue.wake_all();
    }};
    {
        mem::AllocationFault const fault{1, &who};
        step.store(1);
        reach(2);
        lock(mutex);
        unlock(mutex);
        lock(rw_lock);
        unlock(rw_lock);
        step.store(3);
        semaphore.down();
        (void)event.wait();
        once.call([] {});
        {
            MutexGuard guard{mutex};
            barrier.arrive_and_wait();  // the notice comes when we have let the mutex go
            EXPECT(condition.wait(mutex).has_value());
        }
        EXPECT(queue.wait_until([&] { return step.load() >= 5; }).has_value());
        EXPECT_ERROR(semaphore.down_until(soon(), WaitMode::Interruptible), Error::TimedOut);
        EXPECT(!fault.happened());
    }
}

}  // namespace
}  // namespace tutti::sched
