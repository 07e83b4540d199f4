// SPDX-License-Identifier: BSD-3-Clause
#include "arch/fpu.hpp"

#include <cstring>
#include <memory>
#include <new>

#include "arch/cpu.hpp"
#include "harness/test.hpp"
#include "smp/context/context.hpp"

namespace tutti::arch {
namespace {

class Area {
  public:
    Area() : bytes_{static_cast<u8*>(::operator new(fpu_area_size(), std::align_val_t{64}, std::nothrow))} {}
    ~Area() { ::operator delete(static_cast<void*>(bytes_), std::align_val_t{64}); }
    Area(Area const&) = delete;
    Area& operator=(Area const&) = delete;
    [[nodiscard]] u8* bytes() const { return bytes_; }
    template <class T>
    [[nodiscard]] T get(size_t offset) const {
        T value;
        std::memcpy(&value, bytes_ + offset, sizeof value);
        return value;
    }
    template <class T>
    void set(size_t offset, T value) { std::memcpy(bytes_ + offset, &value, sizeof value); }

  private:
    u8* bytes_;
};

constexpr size_t kMxcsr = 24;
constexpr size_t kXmm3 = 160 + 3 * 16;
constexpr size_t kHeader = 512;

TEST_ALL_CPUS(fpu, every_cpu_has_the_same_components) {
    if (fpu_features() == 0) {
        EXPECT_EQ(fpu_area_size(), size_t{512});
        return;
    }
    u32 low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    EXPECT_EQ(low | u64{high} << 32, fpu_features());
    EXPECT_EQ(u64{cpuid(0xd).ebx}, u64{fpu_area_size()});
    EXPECT_EQ(fpu_features() & 3, u64{3});
}

TEST(fpu, state_survives_a_save_and_a_restore) {
    Area first;
    Area second;
    REQUIRE(first.bytes() != nullptr && second.bytes() != nullptr);
    fpu_reset(first.bytes());
    EXPECT_EQ(first.get<u32>(kMxcsr), 0x1f80u);
    first.set<u64>(kXmm3, 0x1122334455667788);
    fpu_reset(second.bytes());
    {
        smp::IrqOffGuard const off;
        fpu_restore(first.bytes());
        fpu_save(second.bytes());
        fpu_restore(first.bytes());
    }
    EXPECT_EQ(second.get<u64>(kXmm3), u64{0x1122334455667788});
    EXPECT_EQ(second.get<u32>(kMxcsr), 0x1f80u);
}

// What a program wrote into a signal frame may be anything.
TEST(fpu, a_hand_made_area_can_be_restored_once_sanitized) {
    Area area;
    REQUIRE(area.bytes() != nullptr);
    auto random = harness::random();
    for (u32 round = 0; round < 200; ++round) {
        for (size_t i = 0; i + 8 <= fpu_area_size(); i += 8) area.set<u64>(i, random.next());
        fpu_sanitize(area.bytes());
        smp::IrqOffGuard const off;
        fpu_restore(area.bytes());  // a #GP here would be a crash
        fpu_reset(area.bytes());
        fpu_restore(area.bytes());
    }
}

TEST(fpu, sanitizing_keeps_what_is_valid) {
    Area area;
    REQUIRE(area.bytes() != nullptr);
    fpu_reset(area.bytes());
    u32 const wanted = 0x9fc0;  // denormals are zero, flush to zero, masks
    area.set<u32>(kMxcsr, wanted | 0x80000000);
    area.set<u64>(kXmm3, 77);
    fpu_sanitize(area.bytes());
    alignas(16) u8 legacy[512]{};
    asm volatile("fxsave64 (%0)" ::"r"(legacy) : "memory");
    u32 mask;
    std::memcpy(&mask, legacy + 28, sizeof mask);
    EXPECT_EQ(area.get<u32>(kMxcsr), wanted & (mask != 0 ? mask : 0xffbf));
    EXPECT_EQ(area.get<u64>(kXmm3), u64{77});
    if (fpu_features() != 0) {
        EXPECT_EQ(area.get<u64>(kHeader), u64{3});
        EXPECT_EQ(area.get<u64>(kHeader + 8), u64{0});
    }
}

}  // namespace
}  // namespace tutti::arch
