// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/big_reader_lock.hpp"
#include "harness/test.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::smp {
namespace {

struct Guarded {
    u64 first = 0;
    u64 second = 0;
    void write() {
        *static_cast<u64 volatile*>(&first) = first + 1;
        *static_cast<u64 volatile*>(&second) = second + 1;
    }
    [[nodiscard]] bool is_whole() const {
        u64 const a = *static_cast<u64 const volatile*>(&first);
        return a == *static_cast<u64 const volatile*>(&second);
    }
};

// Of the case that runs; all CPUs work on them.
constinit SpinRwLock g_fair{LockRank::Driver, "phase-fair test"};
constinit Guarded g_fair_data{};
constinit std::atomic<u32> g_writes{0};
constinit BigReaderLock* g_big = nullptr;
constinit Guarded g_big_data{};

template <class Lock>
void storm(Lock& lock, Guarded& data, u32 cpu) {
    SplitMix64 random = harness::random(cpu);
    u32 writes = 0;
    for (u32 i = 0; i < 100; ++i) {
        switch (random.next() % 8) {
            case 0: {
                SpinWriteGuard guard{lock};
                EXPECT(data.is_whole());
                data.write();
                ++writes;
                break;
            }
            case 1: {
                SpinTryWriteGuard guard{lock};
                if (guard) data.write(), ++writes;
                break;
            }
            case 2: {
                SpinTryReadGuard guard{lock};
                if (guard) EXPECT(data.is_whole());
                break;
            }
            case 3: {
                PreemptGuard here;
                SpinReadPlainGuard guard{lock, here};
                EXPECT(data.is_whole());
                break;
            }
            default: {
                SpinReadGuard guard{lock};
                EXPECT(data.is_whole());
            }
        }
    }
    g_writes.fetch_add(writes, std::memory_order_relaxed);
}

TEST_ALL_CPUS(rw_lock, phase_fair_keeps_writers_alone) {
    if (cpu.value() == 0) {
        g_fair_data = {};
        g_writes.store(0, std::memory_order_relaxed);
    }
    harness::meet();
    storm(g_fair, g_fair_data, cpu.value());
    harness::meet();
    EXPECT(g_fair_data.is_whole());
    EXPECT_EQ(g_fair_data.first, u64{g_writes.load(std::memory_order_relaxed)});
}

TEST_ALL_CPUS(rw_lock, big_reader_keeps_writers_alone) {
    if (cpu.value() == 0) {
        auto made = BigReaderLock::create(LockRank::Driver, "big-reader test");
        g_big = made ? new (std::nothrow) BigReaderLock{std::move(*made)} : nullptr;
        g_big_data = {};
        g_writes.store(0, std::memory_order_relaxed);
    }
    harness::meet();
    if (EXPECT(g_big != nullptr)) storm(*g_big, g_big_data, cpu.value());
    harness::meet();
    if (cpu.value() != 0) return;
    EXPECT(g_big_data.is_whole());
    EXPECT_EQ(g_big_data.first, u64{g_writes.load(std::memory_order_relaxed)});
    delete g_big;
}

template <class Lock>
void check_try_forms(Lock& lock) NO_THREAD_SAFETY_ANALYSIS {
    PreemptGuard here;
    {
        SpinReadPlainGuard reader{lock, here};
        EXPECT(!lock.try_lock(here));
    }
    {
        SpinTryReadPlainGuard reader{lock, here};
        EXPECT(static_cast<bool>(reader));
    }
    {
        SpinPlainGuard writer{lock, here};
        EXPECT(!lock.try_lock_shared(here));
        EXPECT(!lock.try_lock(here));
    }
    for (u32 i = 0; i < 3; ++i) {
        {
            SpinTryPlainGuard writer{lock, here};
            EXPECT(static_cast<bool>(writer));
        }
        SpinTryReadPlainGuard reader{lock, here};
        EXPECT(static_cast<bool>(reader));
    }
}
TEST(rw_lock, phase_fair_try_forms_report) {
    SpinRwLock lock{LockRank::Driver, "phase-fair try"};
    check_try_forms(lock);
}
TEST(rw_lock, big_reader_try_forms_report) {
    auto lock = BigReaderLock::create(LockRank::Driver, "big-reader try");
    REQUIRE(lock);
    check_try_forms(*lock);
}

// Readers on every CPU without a gap, and writers: each side makes its rounds. With a lock that prefers one side this would
// run into the limit.
TEST_ALL_CPUS(rw_lock, neither_side_starves) {
    for (u32 i = 0; i < 200; ++i) {
        if (cpu.value() % 2 == 0) {
            SpinReadGuard guard{g_fair};
            EXPECT(g_fair_data.is_whole());
        } else {
            SpinWriteGuard guard{g_fair};
            g_fair_data.write();
        }
    }
}

// Handlers read what threads change with interrupts off.
constinit SpinRwLock g_irq_lock{LockRank::Driver, "phase-fair in handlers"};
constinit Guarded g_irq_data{};
TEST_ALL_CPUS(rw_lock, excludes_interrupt_handlers) {
    for (u32 i = 0; i < 8; ++i) {
        {
            SpinWriteIrqGuard guard{g_irq_lock};
            g_irq_data.write();
        }
        call_on_all(
            [](void*) ISR_SAFE_LAMBDA {
                SpinReadPlainGuard guard{g_irq_lock, AssumeIrqOff{}};
                EXPECT(g_irq_data.is_whole());
            },
            nullptr);
        SpinReadIrqGuard guard{g_irq_lock};
        EXPECT(g_irq_data.is_whole());
    }
}

}  // namespace
}  // namespace tutti::smp
