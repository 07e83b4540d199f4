// SPDX-License-Identifier: BSD-3-Clause
// What a disk refuses, on a fake; and the first real disks, where there are any. Suite `disk_with_host` needs somebody who does
// what its notes say (tests/system/check_linuxu_devices), and disks made for it: disk0 and disk1 with the sectors of pattern(),
// the second read-only; disk2; disk3, for which the host has too little space.
#include "drivers/blk/block_device.hpp"

#include <algorithm>

#include "base/string.hpp"
#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "sched/timers/sleep.hpp"
#include "sched/wait/semaphore.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::drivers {
namespace {

class FakeDisk final : public BlockDevice {
  public:
    FakeDisk(u64 sectors, bool read_only) : BlockDevice{512, sectors, read_only} {}
    std::string_view name() const override { return "fake"; }

    u32 started = 0;
    BlockRequest* held = nullptr;
    void finish(Result<> result) {
        held->result = result;
        complete(*std::exchange(held, nullptr));
    }

  private:
    void start(BlockRequest& request) override {
        ++started;
        held = &request;
    }
};

struct Told : BlockRequest {
    u32 times = 0;
    Result<> outcome;

    Told(BlockOperation wanted, u64 first, std::span<u8> memory) {
        operation = wanted;
        sector = first;
        bytes = memory;
        done = [](BlockRequest& request, Result<> how) ISR_SAFE_LAMBDA {
            auto& self = static_cast<Told&>(request);
            ++self.times;
            self.outcome = how;
        };
    }
};

alignas(512) constinit u8 memory[4096]{};

TEST(block_device, refuses_sectors_that_it_does_not_have) {
    FakeDisk disk{8, false};
    auto const refused = [&](u64 sector, size_t size) {
        Told request{BlockOperation::Read, sector, {memory, size}};
        EXPECT_ERROR(disk.submit(request), Error::OutOfRange);
    };
    refused(8, 512);
    refused(7, 1024);
    refused(~u64{0}, 512);
    refused(~u64{0} - 1, 1024);
    FakeDisk small{4, false};
    Told request{BlockOperation::Read, 0, {memory, 8 * 512}};
    EXPECT_ERROR(small.submit(request), Error::OutOfRange);
    EXPECT_EQ(disk.started + small.started, 0u);
}

TEST(block_device, refuses_half_sectors) {
    FakeDisk disk{8, false};
    for (size_t const size : {size_t{0}, size_t{1}, size_t{511}, size_t{513}}) {
        Told request{BlockOperation::Write, 0, {memory, size}};
        EXPECT_ERROR(disk.submit(request), Error::InvalidArgument);
    }
    Told request{BlockOperation::Flush, 0, {memory, 512}};
    EXPECT_ERROR(disk.submit(request), Error::InvalidArgument);
    EXPECT_EQ(disk.started, 0u);
}

TEST(block_device, refuses_to_write_what_is_read_only) {
    FakeDisk disk{8, true};
    Told write{BlockOperation::Write, 0, {memory, 512}};
    EXPECT_ERROR(disk.submit(write), Error::ReadOnly);
    EXPECT_EQ(disk.started, 0u);
    Told read{BlockOperation::Read, 0, {memory, 512}};
    EXPECT(disk.submit(read).has_value());
    EXPECT_EQ(disk.started, 1u);
}

TEST(block_device, tells_of_a_request_once) {
    FakeDisk disk{8, false};
    Told request{BlockOperation::Write, 0, {memory, 8 * 512}};
    REQUIRE(disk.submit(request).has_value());
    EXPECT_EQ(request.times, 0u);
    disk.finish(fail(Error::NoSpace));
    EXPECT_EQ(request.times, 1u);
    EXPECT_ERROR(request.outcome, Error::NoSpace);
    request.operation = BlockOperation::Flush;
    request.bytes = {};
    REQUIRE(disk.submit(request).has_value());
    disk.finish({});
    EXPECT_EQ(request.times, 2u);
    EXPECT(request.outcome.has_value());
}

TEST_DEATH(block_device, one_request_twice_at_a_time, "while it was under way") {
    FakeDisk disk{8, false};
    Told request{BlockOperation::Read, 0, {memory, 512}};
    (void)disk.submit(request);
    (void)disk.submit(request);
}

// --- real disks ---------------------------------------------------------------------------------------------------------

constexpr char kNoDisk[] = "no such disk (linuxu has those of --disk, with the word devices=yes)";

template <class Condition>
BlockDevice* find_disk(Condition&& condition) {
    for (BlockDevice& disk : block_devices())
        if (condition(disk)) return &disk;
    return nullptr;
}
BlockDevice* disk_called(std::string_view name) {
    return find_disk([&](BlockDevice const& disk) { return disk.name() == name; });
}

// A request that a thread waits for. Counts what its completion got wrong.
struct Transfer : BlockRequest {
    sched::Semaphore* finished = nullptr;
    Result<> outcome;
    bool in_place = false;  // in an interrupt handler of the CPU that submitted

    void prepare(BlockOperation wanted, u64 first, std::span<u8> data, sched::Semaphore& semaphore) {
        operation = wanted;
        sector = first;
        bytes = data;
        finished = &semaphore;
        done = [](BlockRequest& request, Result<> how) ISR_SAFE_LAMBDA {
            auto& self = static_cast<Transfer&>(request);
            self.outcome = how;
            self.in_place = smp::in_isr() && smp::this_cpu_unstable() == self.cpu;
            (void)self.finished->up();
        };
    }
};

Result<> transfer(BlockDevice& disk, BlockOperation operation, u64 sector, std::span<u8> bytes) {
    sched::Semaphore finished{0};
    Transfer request;
    request.prepare(operation, sector, bytes, finished);
    TRY(disk.submit(request));
    finished.down();
    EXPECT(request.in_place);
    return request.outcome;
}

// Word `word` of sector `sector`.
constexpr u64 pattern(u64 sector, u64 word) { return (sector + 1) * 0x9e37'79b9'7f4a'7c15 + word; }

void fill(std::span<u8> bytes, u64 sector, size_t sector_size) {
    auto* const words = reinterpret_cast<u64*>(bytes.data());
    size_t const per_sector = sector_size / 8;
    for (size_t i = 0; i < bytes.size() / 8; ++i) words[i] = pattern(sector + i / per_sector, i % per_sector);
}
bool is_filled(std::span<u8 const> bytes, u64 sector, size_t sector_size) {
    auto const* const words = reinterpret_cast<u64 const*>(bytes.data());
    size_t const per_sector = sector_size / 8;
    for (size_t i = 0; i < bytes.size() / 8; ++i)
        if (words[i] != pattern(sector + i / per_sector, i % per_sector)) return false;
    return true;
}

// Several requests of one thread at a time, a page each, of every `step`-th page of a disk from page `first` on.
class Pages {
  public:
    explicit Pages(BlockDevice& disk) : disk_{disk}, per_page_{kPageSize / disk.sector_size()} {
        for (mem::FrameRef& frame : frames_) {
            Result<mem::FrameRef> made = mem::allocate_frame();
            CHECK(made);
            frame = std::move(*made);
        }
    }

    void transfer_all(BlockOperation operation, u64 first, u64 step) {
        u64 const pages = (disk_.sector_count() + per_page_ - 1) / per_page_;
        for (u64 page = first; page < pages;) {
            size_t count = 0;
            for (; count < kAtOnce && page < pages; ++count, page += step)
                submit(count, operation, page * per_page_);
            for (size_t i = 0; i < count; ++i) finished_.down();
            for (size_t i = 0; i < count; ++i) check(transfers_[i]);
        }
    }

  private:
    static constexpr size_t kAtOnce = 8;

    void submit(size_t index, BlockOperation operation, u64 sector) {
        size_t const sectors = std::min<u64>(per_page_, disk_.sector_count() - sector);
        std::span<u8> const bytes{frames_[index].data<u8>(), sectors * disk_.sector_size()};
        if (operation == BlockOperation::Write)
            fill(bytes, sector, disk_.sector_size());
        else
            std::ranges::fill(bytes, u8{0xee});
        transfers_[index].prepare(operation, sector, bytes, finished_);
        CHECK(disk_.submit(transfers_[index]));
    }
    void check(Transfer const& done) {
        EXPECT(done.outcome.has_value());
        EXPECT(done.in_place);
        EXPECT(is_filled(done.bytes, done.sector, disk_.sector_size()));
    }

    BlockDevice& disk_;
    u64 per_page_;
    sched::Semaphore finished_{0};
    mem::FrameRef frames_[kAtOnce];
    Transfer transfers_[kAtOnce];
};

// Each CPU writes pages of its own and reads its neighbour's.
TEST_ALL_CPUS(disk_with_host, keeps_what_all_cpus_write, .on_request = true) {
    BlockDevice* const disk = disk_called("disk0");
    if (disk == nullptr) SKIP(kNoDisk);
    EXPECT(!disk->is_read_only());
    Pages pages{*disk};
    pages.transfer_all(BlockOperation::Write, cpu.value(), cpus);
    EXPECT(transfer(*disk, BlockOperation::Flush, 0, {}).has_value());
    harness::meet();
    pages.transfer_all(BlockOperation::Read, (cpu.value() + 1) % cpus, cpus);
}

TEST_ALL_CPUS(disk_with_host, reads_what_the_host_has_written, .on_request = true) {
    BlockDevice* const disk = disk_called("disk1");
    if (disk == nullptr) SKIP(kNoDisk);
    Pages{*disk}.transfer_all(BlockOperation::Read, cpu.value(), cpus);
}

TEST(block_device, a_real_one_ends_where_it_ends) {
    BlockDevice* const disk = find_disk([](BlockDevice const&) { return true; });
    if (disk == nullptr) SKIP(kNoDisk);
    std::span<u8> const sector = std::span{memory}.first(disk->sector_size());
    EXPECT(transfer(*disk, BlockOperation::Read, disk->sector_count() - 1, sector).has_value());
    EXPECT_ERROR(transfer(*disk, BlockOperation::Read, disk->sector_count(), sector), Error::OutOfRange);
}

TEST(block_device, a_real_one_can_be_read_only) {
    BlockDevice* const disk = find_disk([](BlockDevice const& one) { return one.is_read_only(); });
    if (disk == nullptr) SKIP(kNoDisk);
    std::span<u8> const sector = std::span{memory}.first(disk->sector_size());
    EXPECT_ERROR(transfer(*disk, BlockOperation::Write, 0, sector), Error::ReadOnly);
    EXPECT(transfer(*disk, BlockOperation::Read, 0, sector).has_value());
    EXPECT(transfer(*disk, BlockOperation::Flush, 0, {}).has_value());
}

TEST(disk_with_host, tells_of_sectors_that_have_gone, .on_request = true) {
    BlockDevice* const disk = disk_called("disk2");
    if (disk == nullptr) SKIP(kNoDisk);
    std::span<u8> const sector = std::span{memory}.first(disk->sector_size());
    REQUIRE(transfer(*disk, BlockOperation::Read, disk->sector_count() - 1, sector).has_value());
    harness::note("host: cut disk2");
    Deadline const deadline = hal::now() + Nanoseconds::from_s(20);
    Result<> result;
    while (result && hal::now() < deadline) {
        (void)sched::sleep_for(Nanoseconds::from_ms(1));
        result = transfer(*disk, BlockOperation::Read, disk->sector_count() - 1, sector);
    }
    EXPECT_ERROR(result, Error::IoError);
    EXPECT(transfer(*disk, BlockOperation::Read, 0, sector).has_value());
}

TEST(disk_with_host, tells_of_a_host_without_space, .on_request = true) {
    BlockDevice* const disk = disk_called("disk3");
    if (disk == nullptr) SKIP(kNoDisk);
    Result<> result;
    for (u64 sector = 0; result && sector < disk->sector_count();
         sector += sizeof memory / disk->sector_size())
        result = transfer(*disk, BlockOperation::Write, sector, memory);
    EXPECT_ERROR(result, Error::NoSpace);
}

}  // namespace
}  // namespace tutti::drivers
