// SPDX-License-Identifier: BSD-3-Clause
// atomics.S, every operation in every width and order, by single instructions if the CPU has them and by loops: against
// plain arithmetic, and with all CPUs at once, half of them each way.
#include <atomic>
#include <utility>

#include "arch/cpu.hpp"
#include "base/random.hpp"
#include "harness/test.hpp"
#include "smp/context/context.hpp"

extern "C" tutti::u8 aarch64_has_lse;

namespace tutti::arch {
namespace {

constexpr std::memory_order kOrders[] = {std::memory_order_relaxed, std::memory_order_acquire, std::memory_order_release,
                                         std::memory_order_acq_rel, std::memory_order_seq_cst};

// A word between two others, which must not change.
template <class T>
struct Place {
    T before = T(~T{0});
    std::atomic<T> word{0};
    T after = T(~T{0});
};

// The order is a constant, so that each has its own function.
template <class T, std::memory_order order>
void check_operations(SplitMix64& random) {
    Place<T> place;
    T const start = static_cast<T>(random.next());
    T const operand = static_cast<T>(random.next());
    auto const expect = [&](T found, T left) {
        EXPECT_EQ(u64{found}, u64{start});
        EXPECT_EQ(u64{place.word.load()}, u64{left});
        place.word.store(start);
    };
    place.word.store(start);
    expect(place.word.fetch_add(operand, order), static_cast<T>(start + operand));
    expect(place.word.fetch_sub(operand, order), static_cast<T>(start - operand));
    expect(place.word.fetch_and(operand, order), static_cast<T>(start & operand));
    expect(place.word.fetch_or(operand, order), static_cast<T>(start | operand));
    expect(place.word.fetch_xor(operand, order), static_cast<T>(start ^ operand));
    expect(place.word.exchange(operand, order), operand);
    T expected = start;
    EXPECT(place.word.compare_exchange_strong(expected, operand, order));
    expect(expected, operand);
    expected = static_cast<T>(start + 1);
    EXPECT(!place.word.compare_exchange_strong(expected, operand, order));
    expect(expected, start);
    EXPECT(place.before == T(~T{0}) && place.after == T(~T{0}));
}

template <class T>
void check_width(SplitMix64& random) {
    [&]<size_t... i>(std::index_sequence<i...>) {
        (check_operations<T, kOrders[i]>(random), ...);
    }(std::make_index_sequence<std::size(kOrders)>{});
}

void check_all(SplitMix64& random) {
    for (int round = 0; round < 50; ++round) {
        check_width<u8>(random);
        check_width<u16>(random);
        check_width<u32>(random);
        check_width<u64>(random);
    }
}

TEST(atomics, do_what_plain_arithmetic_does) {
    EXPECT_EQ(aarch64_has_lse != 0, (read_isar0() >> 20 & 0xf) >= 2);
    auto random = harness::random();
    check_all(random);
    u8 const before = std::exchange(aarch64_has_lse, u8{0});
    check_all(random);
    aarch64_has_lse = before;
}

// Both ways work on the same words, so the flag may change under those who use it: loops only, then both.
TEST_ALL_CPUS(atomics, lose_nothing, .min_cpus = 2) {
    static constinit std::atomic<u64> sum{0};
    static constinit std::atomic<u32> exchanged{0};
    constexpr u64 kRounds = 300000;
    u8 const has = (read_isar0() >> 20 & 0xf) >= 2;
    for (bool const mixed : {false, true}) {
        if (cpu.value() == 0) {
            sum.store(0);
            exchanged.store(0);
            aarch64_has_lse = 0;
        }
        harness::meet();
        for (u64 i = 0; i < kRounds; ++i) {
            if (mixed && cpu.value() == 0) aarch64_has_lse = i % 2 == 0 ? has : 0;
            sum.fetch_add(1, std::memory_order_relaxed);
            u32 value = exchanged.load(std::memory_order_relaxed);
            while (!exchanged.compare_exchange_strong(value, value + 1, std::memory_order_relaxed)) {}
        }
        harness::meet();
        if (cpu.value() == 0) {
            EXPECT_EQ(sum.load(), kRounds * cpus);
            EXPECT_EQ(u64{exchanged.load()}, kRounds * cpus);
        }
        harness::meet();
    }
    if (cpu.value() == 0) aarch64_has_lse = has;
}

}  // namespace
}  // namespace tutti::arch
