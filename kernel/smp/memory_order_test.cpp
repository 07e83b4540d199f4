// SPDX-License-Identifier: BSD-3-Clause
// What the machine owes to the orders of docs/memory-model.md, on the machine itself.
#include <array>
#include <atomic>

#include "base/types.hpp"
#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::smp {
namespace {

constexpr u32 kRounds = 20'000;

struct alignas(kCacheLine) Side {
    std::atomic<u32> word{0};
    alignas(kCacheLine) std::atomic<u32> arrived{0};
    std::array<bool, kRounds + 1> missed{};  // in which rounds it did not see the other's word
};

// "Store, then look": of two CPUs that each write their word and then read the other's, one sees the other's. With a
// sequentially consistent store in place of the exchange this fails under QEMU's TCG on aarch64.
TEST_ALL_CPUS(memory_order, one_of_two_sees_the_other, .min_cpus = 2) {
    static constinit Side sides[2];
    static constinit std::atomic<u32> end{0};  // the round that is not played
    if (cpu.value() < 2) {
        sides[cpu.value()].word.store(0, std::memory_order_relaxed);
        sides[cpu.value()].arrived.store(0, std::memory_order_relaxed);
        end.store(kRounds + 1, std::memory_order_relaxed);
    }
    harness::meet();
    if (cpu.value() < 2) {
        Side& own = sides[cpu.value()];
        Side& other = sides[1 - cpu.value()];
        // Where the CPUs share one of the host's, rounds are long.
        Deadline const enough = hal::now() + Nanoseconds::from_ms(300);
        for (u32 round = 1; round <= kRounds; ++round) {
            if (cpu == CpuId{0} && hal::now() > enough) end.store(round, std::memory_order_relaxed);
            // release, acquire: with the end. Both start a round as close to each other as they can.
            own.arrived.store(round, std::memory_order_release);
            while (other.arrived.load(std::memory_order_acquire) < round) {
            }
            if (end.load(std::memory_order_relaxed) == round) break;
            own.word.exchange(round, std::memory_order_seq_cst);
            own.missed[round] = other.word.load(std::memory_order_seq_cst) < round;
        }
    }
    harness::meet();
    if (cpu != CpuId{0}) return;
    u32 const played = end.load(std::memory_order_relaxed) - 1;
    u32 both = 0;
    for (u32 round = 1; round <= played; ++round) both += sides[0].missed[round] && sides[1].missed[round] ? 1 : 0;
    EXPECT(played > 0);
    EXPECT_EQ(both, u32{0});
    harness::note("{} rounds", played);
}

}  // namespace
}  // namespace tutti::smp
