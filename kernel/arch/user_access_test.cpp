// SPDX-License-Identifier: BSD-3-Clause
// The exception table: every access that may fail, at every place where it can.
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/user_access.hpp"
#include "harness/test.hpp"
#include "smp/context/context.hpp"
#include "vm/address_space.hpp"

namespace tutti::arch {
namespace {

constexpr u64 kNonCanonical = u64{1} << 63;

// Two accessible pages at kPages; nothing before and behind them.
constexpr VirtAddr kPages{0x10000000};
constexpr u64 kSize = 2 * kPageSize;
constexpr VirtAddr kEnd = kPages + kSize;

class Pages {
  public:
    Pages() {
        auto space = vm::AddressSpace::create();
        if (!EXPECT(space.has_value())) return;
        space_ = *space;
        EXPECT(space_->map({.address = kPages, .length = kSize, .protection = {.read = true, .write = true},
                            .placement = vm::Placement::Fixed})
                   .has_value());
        space_->activate();
    }
    ~Pages() {
        smp::PreemptGuard const guard;
        vm::deactivate();
    }

  private:
    smp::PinGuard pin_;
    Ref<vm::AddressSpace> space_;
};

template <class T = void>
T* at(VirtAddr address) { return reinterpret_cast<T*>(address.value()); }

TEST(user_access, copies_end_exactly_where_memory_ends) {
    Pages const pages;
    static constinit u8 out[512]{};
    static constinit u8 in[512]{};
    for (size_t i = 0; i < sizeof out; ++i) out[i] = static_cast<u8>(i * 7 + 1);
    EXPECT_EQ(user_copy_raw(at(kEnd - sizeof out), out, sizeof out), u64{0});
    // Every length across the end, so that the fault hits each instruction of the loops.
    for (u64 inside = 0; inside <= 200; ++inside)
        for (u64 const beyond : {u64{0}, u64{1}, u64{3}, u64{8}, u64{31}, u64{64}, u64{100}}) {
            std::memset(in, 0, sizeof in);
            u64 const left = user_copy_raw(in, at(kEnd - inside), inside + beyond);
            bool ok = EXPECT_EQ(left, beyond);
            ok = EXPECT(std::memcmp(in, out + sizeof out - inside, inside) == 0 && in[inside] == 0) && ok;
            ok = EXPECT_EQ(user_copy_raw(at(kEnd - inside), out + sizeof out - inside, inside + beyond), beyond) && ok;
            ok = EXPECT(user_memory_is_closed()) && ok;
            if (!ok) return harness::note("{} bytes inside, {} beyond", inside, beyond);
        }
    for (u64 inside = 0; inside <= 40; ++inside) {
        EXPECT_EQ(user_zero_raw(at(kEnd - inside), inside + 5), u64{5});
        EXPECT(user_memory_is_closed());
    }
}

TEST(user_access, bad_addresses_are_return_values) {
    Pages const pages;
    u32 value = 0;
    EXPECT_EQ(user_store32_raw(at<u32>(kPages), 5), u64{0});
    EXPECT_EQ(user_load32_raw(at<u32>(kPages), &value), u64{0});
    EXPECT_EQ(value, 5u);
    EXPECT_EQ(user_compare_exchange32_raw(at<u32>(kPages), 5, 6, &value), u64{0});
    EXPECT_EQ(value, 5u);
    EXPECT_EQ(user_compare_exchange32_raw(at<u32>(kPages), 5, 7, &value), u64{0});
    EXPECT_EQ(value, 6u);
    for (VirtAddr const bad : {kEnd, VirtAddr{0}, VirtAddr{arch::kUserEnd}, VirtAddr{kNonCanonical}}) {
        EXPECT_EQ(user_load32_raw(at<u32>(bad), &value), u64{1});
        EXPECT_EQ(user_store32_raw(at<u32>(bad), 5), u64{1});
        EXPECT_EQ(user_compare_exchange32_raw(at<u32>(bad), 5, 6, &value), u64{1});
        EXPECT_EQ(user_copy_raw(&value, at(bad), sizeof value), u64{sizeof value});
        EXPECT_EQ(user_zero_raw(at(bad), 4), u64{4});
        EXPECT(user_memory_is_closed());
    }
}

// With interrupts off a page is not fetched: the access fails and is to be tried again outside.
TEST(user_access, nothing_is_fetched_with_interrupts_off) {
    Pages const pages;
    u32 value = 0;
    {
        smp::IrqOffGuard const off;
        EXPECT_EQ(user_load32_raw(at<u32>(kPages), &value), u64{1});
    }
    EXPECT_EQ(user_store32_raw(at<u32>(kPages), 9), u64{0});
    smp::IrqOffGuard const off;
    EXPECT_EQ(user_load32_raw(at<u32>(kPages), &value), u64{0});
    EXPECT_EQ(value, 9u);
}

TEST(user_access, probes_of_kernel_addresses_do_not_crash) {
    u64 word = 0;
    u64 const here = 0x1234;
    EXPECT_EQ(copy_probe(&word, reinterpret_cast<u64>(&here), sizeof word), u64{0});
    EXPECT_EQ(word, here);
    for (u64 const bad : {arch::kKernelMapEnd - kPageSize, kNonCanonical, u64{0}, ~u64{0} - 3})
        EXPECT(copy_probe(&word, bad, sizeof word) != 0);
}

}  // namespace
}  // namespace tutti::arch
