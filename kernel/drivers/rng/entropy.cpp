// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/rng/entropy.hpp"

#include <atomic>

#include "arch/hardware_random.hpp"
#include "drivers/devices.hpp"
#include "drivers/rng/entropy_source.hpp"
#include "drivers/rng/generator.hpp"
#include "hal/clock.hpp"
#include "smp/percpu/percpu.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::drivers {
namespace {

struct CpuGenerator {
    KeyErasingGenerator generator;
    u64 generation = 0;  // of the pool, when the key was last mixed; 0: never
};
PERCPU_SECTION constinit smp::PerCpu<CpuGenerator> g_generators;

constinit smp::SpinLock g_pool_lock{smp::LockRank::EntropyPool, "entropy pool"};
constinit EntropyPool g_pool GUARDED_BY(g_pool_lock);
// Counts what entered the pool. A CPU that sees a new value takes a new key. Starts at 1: no CPU has that yet.
constinit std::atomic<u64> g_generation{1};
constinit std::atomic<u32> g_credited_bits{0};

constinit std::atomic<EntropyRefill> g_refill{nullptr};
constinit std::atomic<i64> g_next_refill{0};
constexpr Nanoseconds kRefillPeriod = Nanoseconds::from_s(60);

// One caller in a period wins and asks the device.
void refill_if_due() {
    // acquire: pairs with the release in set_entropy_refill(); what the driver set up is visible.
    EntropyRefill const refill = g_refill.load(std::memory_order_acquire);
    if (refill == nullptr) return;
    i64 due = g_next_refill.load(std::memory_order_relaxed);
    i64 const now = hal::now().count();
    // relaxed: the word itself decides who asks; nothing else is published by it.
    if (now >= due && g_next_refill.compare_exchange_strong(due, now + kRefillPeriod.count(),
                                                            std::memory_order_relaxed, std::memory_order_relaxed))
        refill();
}

// A key for one request, made on this CPU; the pool is touched only after something new entered it.
ChaChaKey take_key() {
    smp::IrqOffGuard const irq_off;
    CpuGenerator& own = g_generators.local(irq_off);
    // acquire: pairs with the release in entropy_add(); the lock below orders the pool itself.
    u64 const generation = g_generation.load(std::memory_order_acquire);
    if (own.generation != generation) [[unlikely]] {
        smp::SpinIrqGuard guard{g_pool_lock};
        own.generator.rekey(g_pool.extract());
        own.generation = generation;
    }
    return own.generator.next_key();
}

}  // namespace

void random_fill(std::span<u8> out) {
    refill_if_due();
    ChaChaKey key = take_key();
    KeyStream{key}.fill(out);
    wipe(key);
}

u64 random_u64() {
    u64 value = 0;
    random_fill({reinterpret_cast<u8*>(&value), sizeof value});
    return value;
}

ISR_SAFE void entropy_add(std::span<u8 const> bytes) {
    u64 const moment = arch::read_counter();
    smp::SpinIrqGuard guard{g_pool_lock};
    g_pool.add({reinterpret_cast<u8 const*>(&moment), sizeof moment});
    g_pool.add(bytes);
    // release: pairs with the acquire in take_key().
    g_generation.fetch_add(1, std::memory_order_release);
}

ISR_SAFE void entropy_credit(u32 bits) { g_credited_bits.fetch_add(bits, std::memory_order_relaxed); }

bool entropy_is_seeded() { return g_credited_bits.load(std::memory_order_relaxed) >= 256; }

void set_entropy_refill(EntropyRefill refill) { g_refill.store(refill, std::memory_order_release); }

void initialize_entropy() {
    for (int i = 0; i < 8; ++i) {
        if (auto const word = arch::hardware_random()) {
            entropy_add({reinterpret_cast<u8 const*>(&*word), sizeof *word});
            entropy_credit(64);
        }
    }
    // Timing of memory accesses and of the clocks against each other: some bits at best, and not counted.
    u64 jitter[16];
    for (u64& sample : jitter) sample = arch::read_counter() ^ static_cast<u64>(hal::now().count()) << 32;
    entropy_add({reinterpret_cast<u8 const*>(jitter), sizeof jitter});
    i64 const wall = hal::wall_clock_at_boot().count();
    entropy_add({reinterpret_cast<u8 const*>(&wall), sizeof wall});
}

}  // namespace tutti::drivers
