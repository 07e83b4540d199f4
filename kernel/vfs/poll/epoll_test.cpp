// SPDX-License-Identifier: BSD-3-Clause
// Threads that look at an epoll instance do not hide from others what is ready in it.
#include <atomic>

#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "smp/debug/race_point.hpp"
#include "vfs/pipe/pipe_file.hpp"
#include "vfs/poll/epoll_file.hpp"

namespace tutti::vfs {

TEST_ALL_CPUS(epoll, is_ready_while_others_look, .min_cpus = 2) {
    static PipePair pipe;
    static Ref<EpollFile> epoll;
    if (cpu.value() == 0) {
        pipe = *make_pipe(OpenFlags{});
        epoll = *EpollFile::create();
        EXPECT(epoll->add(*pipe.writer, 0, {.events = kPollOut, .data = 7}).has_value());
    }
    static constinit std::atomic<bool> polling{false};
    polling.store(true, std::memory_order_relaxed);
    harness::meet();
    if (cpu.value() == 0) {
        smp::RaceAmplifier const amplifier{3000};
        for (u32 round = 0; round < 50; ++round) EXPECT_EQ(epoll->poll() & kPollIn, kPollIn);
        polling.store(false, std::memory_order_relaxed);
    } else {
        while (polling.load(std::memory_order_relaxed)) {
            EpollEvent event;
            EXPECT_EQ(epoll->wait({&event, 1}, hal::now()).value_or(0), size_t{1});
        }
    }
    harness::meet();
    if (cpu.value() == 0) {
        epoll.reset();
        pipe = {};
    }
}

}  // namespace tutti::vfs
