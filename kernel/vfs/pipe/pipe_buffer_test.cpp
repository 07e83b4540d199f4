// SPDX-License-Identifier: BSD-3-Clause
// A pipe between two CPUs: small writes are whole, and whoever waits hears of all that is in it.
#include "harness/test.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "sched/wait/wake_ups_test.hpp"
#include "smp/debug/race_point.hpp"
#include "vfs/pipe/pipe_buffer.hpp"

namespace tutti::vfs {
namespace {

constexpr u64 kRecord = PipeBuffer::kAtomicWrite;
constexpr u64 kRecords = 20;

}  // namespace

TEST_ALL_CPUS(pipe_buffer, small_writes_are_whole, .min_cpus = 2) {
    static PipeBuffer* pipe;
    if (cpu.value() == 0) {
        pipe = (*PipeBuffer::create()).leak();
        pipe->add_reader();
        pipe->add_writer();
        // Each record begins in one page and ends in the next.
        u8 bytes[100] = {};
        vm::IoBuffer from = vm::IoBuffer::kernel(std::span<u8 const>{bytes});
        vm::IoBuffer to = vm::IoBuffer::kernel(std::span<u8>{bytes});
        EXPECT_EQ(pipe->write(from, true).value_or(0), sizeof bytes);
        EXPECT_EQ(pipe->read(to, true).value_or(0), sizeof bytes);
    }
    harness::meet();
    if (cpu.value() == 0) {
        smp::RaceAmplifier const amplifier{3000};
        static u8 const record[kRecord] = {};
        for (u64 i = 0; i < kRecords; ++i) {
            vm::IoBuffer from = vm::IoBuffer::kernel(record);
            EXPECT_EQ(pipe->write(from, false).value_or(0), kRecord);
        }
    } else if (cpu.value() == 1) {
        static u8 bytes[kRecord];
        for (u64 received = 0; received < kRecords * kRecord;) {
            vm::IoBuffer to = vm::IoBuffer::kernel(std::span<u8>{bytes});
            u64 const available = pipe->available();
            EXPECT_EQ(available % kRecord, u64{0});
            if (available != 0) received += pipe->read(to, true).value_or(0);
        }
    }
    harness::meet();
    if (cpu.value() == 0) pipe->put();
}

TEST(pipe_buffer, announces_what_was_written_before_memory_ran_out) {
    if (!kDebugBuild) return;
    static u8 const bytes[3 * kPageSize] = {};
    for (u32 attempt = 0; attempt < 4; ++attempt) {
        Ref<PipeBuffer> const pipe = *PipeBuffer::create();
        pipe->add_reader();
        pipe->add_writer();
        sched::WakeUps const wake_ups{pipe->queue()};
        vm::IoBuffer from = vm::IoBuffer::kernel(bytes);
        mem::set_allocation_fault_period(2);
        Result<u64> const written = pipe->write(from, true);
        mem::set_allocation_fault_period(0);
        EXPECT_EQ(wake_ups.count != 0, written.has_value());
        EXPECT_EQ(pipe->available(), written.value_or(0));
    }
}

// A writer that was there when a reader came, or came later, and has left before the reader looks.
TEST(pipe_buffer, an_opening_counts_after_it_has_ended) {
    for (bool const waits_already : {true, false}) {
        Ref<PipeBuffer> const pipe = *PipeBuffer::create();
        if (waits_already) pipe->add_writer();
        u32 const before = pipe->count_writers();
        pipe->add_reader();
        if (!waits_already) pipe->add_writer();
        pipe->remove_writer();
        EXPECT(pipe->had_writer_since(before));
        EXPECT(!pipe->had_writer_since(pipe->count_writers()));
    }
}

}  // namespace tutti::vfs
