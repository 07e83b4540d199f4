// SPDX-License-Identifier: BSD-3-Clause
// Address spaces used from kernel threads: the program's side is played through user_copy.
#include "harness/test.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "sched/thread.hpp"
#include "smp/context/context.hpp"
#include "smp/debug/race_point.hpp"
#include "vm/address_space.hpp"
#include "vm/user_copy.hpp"

namespace tutti::vm {
namespace {

constexpr Protection kReadWrite{.read = true, .write = true};

// A space that is active on this CPU while the guard lives. The thread must stay on its CPU: tests use pinned threads.
class ActiveSpace {
  public:
    explicit ActiveSpace(Ref<AddressSpace> space) : space_{std::move(space)} { space_->activate(); }
    ~ActiveSpace() { deactivate(); }
    AddressSpace* operator->() const { return space_.get(); }

  private:
    smp::PinGuard pin_;
    Ref<AddressSpace> space_;
};

template <class T>
bool store(VirtAddr at, T value) { return copy_to_user(at, &value, sizeof value).has_value(); }
template <class T>
Result<T> load(VirtAddr at) {
    T value{};
    TRY(copy_from_user(&value, at, sizeof value));
    return value;
}

TEST(address_space, maps_on_demand_and_gives_everything_back) {
    u64 const before = mem::frame_statistics().free;
    {
        auto created = AddressSpace::create();
        REQUIRE(created.has_value());
        ActiveSpace space{*created};
        Result<VirtAddr> const base = space->map({.length = 64 * kPageSize, .protection = kReadWrite});
        REQUIRE(base.has_value());
        EXPECT_EQ(space->statistics().resident_pages, u64{0});
        EXPECT_EQ(load<u64>(*base + 8).value_or(1), u64{0});
        for (u64 page = 0; page < 64; ++page) EXPECT(store(*base + page * kPageSize, page));
        for (u64 page = 0; page < 64; ++page) EXPECT_EQ(load<u64>(*base + page * kPageSize).value_or(~page), page);
        EXPECT_EQ(space->statistics().resident_pages, u64{64});
        EXPECT(space->unmap(*base, 32 * kPageSize).has_value());
        EXPECT_ERROR(load<u64>(*base), Error::BadAddress);
        EXPECT_EQ(load<u64>(*base + 32 * kPageSize).value_or(0), u64{32});
        EXPECT_EQ(space->statistics().resident_pages, u64{32});
    }
    // The heap may have taken a frame for another CPU meanwhile; the pages are 64.
    EXPECT(mem::frame_statistics().free + 8 >= before);
}

// Notes where it was destroyed.
class Witness final : public Backing {
  public:
    enum class Death : u8 { None, MayBlock, MayNotBlock };
    explicit Witness(std::atomic<Death>& death) : death_{death} {}
    ~Witness() override { death_.store(smp::may_block() ? Death::MayBlock : Death::MayNotBlock); }
    Result<mem::FrameRef> page(u64) override { return fail(Error::OutOfRange); }
    Result<mem::FrameRef> try_page(u64) override { return fail(Error::OutOfRange); }
    void describe(BackingDescription&) const override {}

  private:
    std::atomic<Death>& death_;
};

// The switch to a thread of another program may drop the last reference to the space before, with interrupts off.
TEST(address_space, what_dies_at_a_switch_is_freed_where_that_may_block) {
    using Death = Witness::Death;
    std::atomic<Death> death{Death::None};
    auto dying = AddressSpace::create();
    auto next = AddressSpace::create();
    REQUIRE(dying.has_value() && next.has_value());
    Ref<Backing> witness = Ref<Backing>::adopt(new (std::nothrow) Witness{death});
    REQUIRE(static_cast<bool>(witness));
    REQUIRE((*dying)->map({.length = kPageSize, .protection = kReadWrite, .backing = std::move(witness)}).has_value());
    smp::PinGuard const pin;
    (*dying)->activate();
    {
        smp::IrqOffGuard const off;  // as in Scheduler::switch_away()
        dying->reset();
        (*next)->activate();
        EXPECT(death.load() == Death::None);
    }
    deactivate();
    EXPECT(death.load() == Death::MayBlock);
}

TEST(address_space, protection_is_enforced_and_changes) {
    auto created = AddressSpace::create();
    REQUIRE(created.has_value());
    ActiveSpace space{*created};
    VirtAddr const base = space->map({.length = 4 * kPageSize, .protection = kReadWrite}).value_or(VirtAddr{});
    REQUIRE(store(base, u64{7}));
    EXPECT(space->protect(base, kPageSize, {.read = true}).has_value());
    EXPECT(!store(base, u64{8}));
    EXPECT_EQ(load<u64>(base).value_or(0), u64{7});
    EXPECT(store(base + kPageSize, u64{9}));
    EXPECT(space->protect(base, kPageSize, {}).has_value());
    EXPECT_ERROR(load<u64>(base), Error::BadAddress);
    EXPECT(space->protect(base, kPageSize, kReadWrite).has_value());
    EXPECT_EQ(load<u64>(base).value_or(0), u64{7});
    EXPECT(store(base, u64{10}));
    EXPECT_ERROR(space->protect(base, 16 * kPageSize, kReadWrite), Error::NoMemory);
    EXPECT(space->handle_fault(VirtAddr{0x1000}, {.user = true}) == FaultResult::NoMapping);
}

TEST(address_space, placement_rules) {
    auto created = AddressSpace::create();
    REQUIRE(created.has_value());
    AddressSpace& space = **created;
    VirtAddr const wanted{0x10000000};
    MapRequest request{.address = wanted, .length = 2 * kPageSize, .protection = kReadWrite, .placement = Placement::Fixed};
    EXPECT_EQ(space.map(request).value_or(VirtAddr{}).value(), wanted.value());
    request.placement = Placement::FixedIfFree;
    EXPECT_ERROR(space.map(request), Error::Exists);
    request.placement = Placement::Anywhere;
    EXPECT(space.map(request).value_or(wanted) != wanted);
    EXPECT_ERROR(space.map({.length = 0}), Error::InvalidArgument);
    EXPECT_ERROR(space.map({.length = u64{1} << 50, .protection = {.read = true}, .no_reserve = true}), Error::NoMemory);
    EXPECT_ERROR(space.unmap(VirtAddr{0x123}, kPageSize), Error::InvalidArgument);
    EXPECT(space.unmap(VirtAddr{0x40000000}, kPageSize).has_value());
}

TEST(address_space, neighbours_merge) {
    auto created = AddressSpace::create();
    REQUIRE(created.has_value());
    AddressSpace& space = **created;
    VirtAddr const base{0x20000000};
    for (u64 i : {0u, 2u, 1u})
        REQUIRE(space.map({.address = base + i * kPageSize, .length = kPageSize, .protection = kReadWrite,
                           .placement = Placement::Fixed}).has_value());
    EXPECT_EQ(space.statistics().areas, u64{1});
    EXPECT(space.protect(base + kPageSize, kPageSize, {.read = true}).has_value());
    EXPECT_EQ(space.statistics().areas, u64{3});
    EXPECT(space.protect(base + kPageSize, kPageSize, kReadWrite).has_value());
    EXPECT_EQ(space.statistics().areas, u64{1});
}

TEST(address_space, remap_grows_moves_and_keeps_contents) {
    auto created = AddressSpace::create();
    REQUIRE(created.has_value());
    ActiveSpace space{*created};
    VirtAddr const base{0x30000000};
    REQUIRE(space->map({.address = base, .length = 2 * kPageSize, .protection = kReadWrite, .placement = Placement::Fixed}).has_value());
    REQUIRE(store(base, u64{1}) && store(base + kPageSize, u64{2}));
    Result<VirtAddr> grown = space->remap({.old_address = base, .old_length = 2 * kPageSize, .new_length = 8 * kPageSize});
    REQUIRE(grown.has_value());
    EXPECT_EQ(grown->value(), base.value());
    REQUIRE(space->map({.address = base + 8 * kPageSize, .length = kPageSize, .protection = {}, .placement = Placement::Fixed}).has_value());
    EXPECT_ERROR(space->remap({.old_address = base, .old_length = 8 * kPageSize, .new_length = 16 * kPageSize}), Error::NoMemory);
    Result<VirtAddr> moved =
        space->remap({.old_address = base, .old_length = 8 * kPageSize, .new_length = 16 * kPageSize, .may_move = true});
    REQUIRE(moved.has_value());
    EXPECT(*moved != base);
    EXPECT_EQ(load<u64>(*moved).value_or(0), u64{1});
    EXPECT_EQ(load<u64>(*moved + kPageSize).value_or(0), u64{2});
    EXPECT_ERROR(load<u64>(base), Error::BadAddress);
}

// Like realloc() of a large block, again and again: the new place may be the one just below the old.
TEST(address_space, remap_moves_next_to_the_old_place) {
    auto created = AddressSpace::create();
    REQUIRE(created.has_value());
    ActiveSpace space{*created};
    u64 length = 4 * kPageSize;
    // Nothing grows where it is: this is above.
    REQUIRE(space->map({.length = kPageSize}).has_value());
    VirtAddr place = space->map({.length = length, .protection = kReadWrite}).value_or(VirtAddr{});
    REQUIRE(store(place, u64{7}) && store(place + length - 8, u64{8}));
    for (u32 i = 0; i < 5; ++i) {
        Result<VirtAddr> const moved =
            space->remap({.old_address = place, .old_length = length, .new_length = 2 * length, .may_move = true});
        REQUIRE(moved.has_value());
        EXPECT_EQ(load<u64>(*moved).value_or(0), u64{7});
        EXPECT_EQ(load<u64>(*moved + length - 8).value_or(0), u64{8});
        place = *moved;
        length *= 2;
        REQUIRE(store(place + length - 8, u64{8}));
        EXPECT_EQ(space->statistics().virtual_bytes, length + kPageSize);
    }
    // Exactly before itself.
    Result<VirtAddr> const before = space->remap({.old_address = place, .old_length = kPageSize, .new_length = kPageSize,
                                                  .may_move = true, .fixed = true, .new_address = place - kPageSize});
    REQUIRE(before.has_value());
    EXPECT_EQ(load<u64>(*before).value_or(0), u64{7});
    EXPECT_EQ(load<u64>(place + length - 8).value_or(0), u64{8});
}

TEST(address_space, break_moves_both_ways) {
    auto created = AddressSpace::create();
    REQUIRE(created.has_value());
    ActiveSpace space{*created};
    VirtAddr const start{0x50000000};
    space->set_break_start(start);
    EXPECT_EQ(space->set_break(VirtAddr{}).value(), start.value());
    EXPECT_EQ(space->set_break(start + 5000).value(), start.value() + 5000);
    EXPECT(store(start + 4096, u64{3}));
    EXPECT_EQ(space->set_break(start + 100).value(), start.value() + 100);
    EXPECT(!store(start + 4096, u64{3}));
}

// One space on every CPU: each faults in pages of its own and of everybody, while others unmap theirs.
TEST_ALL_CPUS(address_space, storm_of_faults_and_unmaps) {
    static Ref<AddressSpace> shared;
    if (cpu.value() == 0) shared = *AddressSpace::create();
    harness::meet();
    {
        ActiveSpace space{shared};
        SplitMix64 random = harness::random(cpu.value());
        for (u32 round = 0; round < harness::rounds_each(60, cpus); ++round) {
            u64 const pages = 1 + random.below(40);
            Result<VirtAddr> const base = space->map({.length = pages * kPageSize, .protection = kReadWrite});
            if (!EXPECT(base.has_value())) break;
            for (u64 i = 0; i < pages; ++i) {
                VirtAddr const at = *base + i * kPageSize;
                // A page that another CPU freed must come back zeroed, and nobody may write into ours.
                if (!EXPECT_EQ(load<u64>(at).value_or(~u64{0}), u64{0})) break;
                if (!EXPECT(store(at, at.value() ^ cpu.value()))) break;
            }
            if (random.below(2) == 0) sched::yield();
            for (u64 i = 0; i < pages; ++i) {
                VirtAddr const at = *base + i * kPageSize;
                if (!EXPECT_EQ(load<u64>(at).value_or(0), at.value() ^ cpu.value())) break;
            }
            EXPECT(space->unmap(*base, pages * kPageSize).has_value());
            // With others, somebody may have mapped the same place already.
            if (cpus == 1) EXPECT_ERROR(load<u64>(*base), Error::BadAddress);
        }
        harness::meet();
    }
    harness::meet();
    if (cpu.value() == 0) {
        EXPECT_EQ(shared->statistics().resident_pages, u64{0});
        shared.reset();
    }
}

// No stale translation: a page that one CPU makes read-only cannot be written by any other afterwards.
TEST_ALL_CPUS(address_space, protection_reaches_every_cpu) {
    static Ref<AddressSpace> shared;
    static VirtAddr page;
    if (cpu.value() == 0) {
        shared = *AddressSpace::create();
        page = shared->map({.length = kPageSize, .protection = kReadWrite}).value_or(VirtAddr{});
    }
    harness::meet();
    {
        ActiveSpace space{shared};
        for (u32 round = 0; round < harness::rounds_each(40, cpus); ++round) {
            EXPECT(store(page + 8 * cpu.value(), u64{round}));  // everybody has the translation
            harness::meet();
            if (round % cpus == cpu.value()) EXPECT(space->protect(page, kPageSize, {.read = true}).has_value());
            harness::meet();
            EXPECT(!store(page + 8 * cpu.value(), ~u64{0}));
            harness::meet();
            if (round % cpus == cpu.value()) EXPECT(space->protect(page, kPageSize, kReadWrite).has_value());
            harness::meet();
        }
    }
    harness::meet();
    if (cpu.value() == 0) shared.reset();
}

// Pages move to a place that other CPUs touch all the time: what they got there goes, and everybody sees what came.
TEST_ALL_CPUS(address_space, pages_move_onto_others, .min_cpus = 2) {
    constexpr u64 kPages = 4;
    static Ref<AddressSpace> shared;
    static VirtAddr place;
    static constinit std::atomic<u32> moved{0};
    if (cpu.value() == 0) {
        shared = *AddressSpace::create();
        place = shared->map({.length = kPages * kPageSize, .protection = kReadWrite}).value_or(VirtAddr{});
        moved.store(0);
    }
    harness::meet();
    {
        ActiveSpace space{shared};
        u32 const rounds = harness::rounds_each(40, cpus);
        for (u32 round = 1; round <= rounds; ++round) {
            if (cpu.value() == 0) {
                Result<VirtAddr> const source = space->map({.length = kPages * kPageSize, .protection = kReadWrite});
                REQUIRE(source.has_value());
                for (u64 page = 0; page < kPages; ++page) EXPECT(store(*source + page * kPageSize, u64{round}));
                EXPECT(space->remap({.old_address = *source,
                                     .old_length = kPages * kPageSize,
                                     .new_length = kPages * kPageSize,
                                     .may_move = true,
                                     .fixed = true,
                                     .new_address = place}).has_value());
                moved.store(round, std::memory_order_release);
            } else {
                // Never the word that is looked at below.
                while (moved.load(std::memory_order_acquire) != round)
                    for (u64 page = 0; page < kPages; ++page) (void)store(place + page * kPageSize + 8 * cpu.value(), u64{1});
            }
            for (u64 page = 0; page < kPages; ++page) EXPECT_EQ(load<u64>(place + page * kPageSize).value_or(0), u64{round});
            harness::meet();
        }
        harness::meet();
        if (cpu.value() == 0) {
            EXPECT(space->unmap(place, kPages * kPageSize).has_value());
            EXPECT_EQ(space->statistics().resident_pages, u64{0});
        }
        harness::meet();
    }
    harness::meet();
    if (cpu.value() == 0) shared.reset();
}

// A few pages, each with its number in the first word.
class NumberedPages final : public Backing {
  public:
    static constexpr u64 kPages = 4;
    bool fill() {
        for (u64 i = 0; i < kPages; ++i) {
            Result<mem::FrameRef> frame = mem::allocate_frame(mem::FrameFill::Zero);
            if (!frame) return false;
            *static_cast<u64*>((*frame)->data()) = number(i);
            frames_[i] = std::move(*frame);
        }
        return true;
    }
    static constexpr u64 number(u64 page) { return 0x7000 + page; }
    mem::Frame const& frame(u64 page) const { return *frames_[page]; }
    Result<mem::FrameRef> page(u64 index) override { return try_page(index); }
    Result<mem::FrameRef> try_page(u64 index) override {
        if (index >= kPages) return fail(Error::OutOfRange);
        return frames_[index];
    }
    void describe(BackingDescription&) const override {}

  private:
    mem::FrameRef frames_[kPages];
};

// Every CPU reads, writes and gives back the same private pages of a file: each copy is made from the file's page, and no
// reference is lost, whoever is in the middle of what.
TEST_ALL_CPUS(address_space, pages_are_copied_while_others_give_them_back) {
    constexpr u64 kPages = NumberedPages::kPages;
    static Ref<AddressSpace> shared;
    static Ref<NumberedPages> file;
    static VirtAddr base;
    if (cpu.value() == 0) {
        shared = *AddressSpace::create();
        file = Ref<NumberedPages>::adopt(new (std::nothrow) NumberedPages);
        REQUIRE(file.get() != nullptr && file->fill());
        base = shared->map({.length = kPages * kPageSize, .protection = kReadWrite, .backing = file}).value_or(VirtAddr{});
    }
    harness::meet();
    {
        ActiveSpace space{shared};
        SplitMix64 random = harness::random(cpu.value());
        smp::RaceAmplifier const amplifier{2000};
        for (u32 round = 0; round < harness::rounds_each(arch::kFlushReachesAllCpus ? 5'000 : 2'000, cpus); ++round) {
            u64 const page = random.below(kPages);
            VirtAddr const at = base + page * kPageSize;
            switch (random.below(8)) {
                case 0: EXPECT(space->advise(at, kPageSize, Advice::DontNeed).has_value()); break;
                case 1:
                case 2:
                case 3: EXPECT(store(at + 8 + 8 * cpu.value(), u64{round})); break;
                default: EXPECT_EQ(load<u64>(at).value_or(0), NumberedPages::number(page));
            }
        }
    }
    harness::meet();
    if (cpu.value() == 0) {
        EXPECT(shared->unmap(base, kPages * kPageSize).has_value());
        EXPECT_EQ(shared->statistics().resident_pages, u64{0});
        for (u64 page = 0; page < kPages; ++page) {
            EXPECT_EQ(file->frame(page).references.load(std::memory_order_relaxed), u32{1});
            auto const* const words = static_cast<u64 const*>(file->frame(page).data());
            for (u32 i = 0; i <= cpus; ++i) EXPECT_EQ(words[i], i == 0 ? NumberedPages::number(page) : u64{0});
        }
        shared.reset();
        file.reset();
    }
}

// One CPU copies a page, another writes to the copy and says so, a third has read the page before: it sees what was written.
TEST_ALL_CPUS(address_space, a_copied_page_replaces_the_old_one_everywhere, .min_cpus = 3) {
    static Ref<AddressSpace> shared;
    static VirtAddr base;
    static constinit std::atomic<u32> written{0};
    if (cpu.value() == 0) {
        shared = *AddressSpace::create();
        Ref<NumberedPages> const file = Ref<NumberedPages>::adopt(new (std::nothrow) NumberedPages);
        REQUIRE(file.get() != nullptr && file->fill());
        base = shared->map({.length = kPageSize, .protection = kReadWrite, .backing = file}).value_or(VirtAddr{});
        written.store(0);
    }
    harness::meet();
    {
        ActiveSpace space{shared};
        smp::RaceAmplifier const amplifier{2000};
        u32 const rounds = harness::rounds_each(40, cpus);
        for (u32 round = 1; round <= rounds; ++round) {
            EXPECT_EQ(load<u64>(base).value_or(0), NumberedPages::number(0));
            harness::meet();
            if (cpu.value() == 0) {
                EXPECT(store(base + 8, u64{round}));
            } else if (cpu.value() == 1) {
                EXPECT(store(base + 16, u64{round}));
                written.store(round, std::memory_order_release);
            } else {
                while (written.load(std::memory_order_acquire) != round) arch::pause();
                EXPECT_EQ(load<u64>(base + 16).value_or(0), u64{round});
            }
            harness::meet();
            if (cpu.value() == 0) EXPECT(space->advise(base, kPageSize, Advice::DontNeed).has_value());
            harness::meet();
        }
    }
    harness::meet();
    if (cpu.value() == 0) shared.reset();
}

TEST(address_space, survives_failed_allocations) {
    if (!kDebugBuild) return;
    auto const use_a_space = [] {
        auto created = AddressSpace::create();
        if (!created) return;
        ActiveSpace space{*created};
        Result<VirtAddr> const base = space->map({.length = 8 * kPageSize, .protection = kReadWrite});
        if (!base) return;
        for (u64 i = 0; i < 8; ++i) (void)store(*base + i * kPageSize, i);
        (void)space->unmap(*base + kPageSize, 2 * kPageSize);
    };
    // What the heap keeps of it, on whichever CPU, is there after a time or two; what is lost is lost each time.
    i64 lost = 0;
    for (u32 attempt = 0; attempt < 5; ++attempt) {
        u64 const before = mem::frame_statistics().free;
        for (u32 period = 1; period < 12; ++period) {
            mem::set_allocation_fault_period(period);
            use_a_space();
            mem::set_allocation_fault_period(0);
        }
        lost = static_cast<i64>(before - mem::frame_statistics().free);
        if (lost == 0) break;
    }
    EXPECT_EQ(lost, i64{0});
}

}  // namespace
}  // namespace tutti::vm
