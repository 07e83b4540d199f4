// SPDX-License-Identifier: BSD-3-Clause
// The bell of poll(): one thread that looks at several sources, each with a flag of its own.
#include "engine/interleave.hpp"
#include "machine/threads.hpp"
#include "sched/park.hpp"
#include "vfs/poll/bell.hpp"

namespace tutti::interleave {
namespace {

struct Source {
    std::atomic<bool> ready{false};
    void raise(vfs::Bell& bell) {
        ready.store(true, std::memory_order_relaxed);
        smp::WakePath const path;
        bell.ring();
    }
};

// As poll_files() does, until all are ready.
template <class... Sources>
void poll(vfs::Bell& bell, Sources&... sources) {
    for (;;) {
        bell.reset();
        if ((... && sources.ready.load(std::memory_order_relaxed))) return;
        REQUIRE(sched::park_until([&] { return bell.rung(); }).has_value());
    }
}

}  // namespace

INTERLEAVE(one_source, {.preemptions = 4}) {
    start_threads(2);
    vfs::Bell bell;
    Source source;
    auto const poller = [&] { poll(bell, source); };
    auto const raiser = [&] { source.raise(bell); };
    run_on_cpus(poller, raiser);
}
INTERLEAVE(two_sources, {.preemptions = 3}) {
    start_threads(3);
    vfs::Bell bell;
    Source first, second;
    auto const poller = [&] { poll(bell, first, second); };
    auto const raise_first = [&] { first.raise(bell); };
    auto const raise_second = [&] { second.raise(bell); };
    run_on_cpus(poller, raise_first, raise_second);
}
INTERLEAVE(one_after_the_other, {.preemptions = 4}) {
    start_threads(2);
    vfs::Bell bell;
    Source first, second;
    auto const poller = [&] { poll(bell, first, second); };
    auto const raiser = [&] {
        first.raise(bell);
        second.raise(bell);
    };
    run_on_cpus(poller, raiser);
}

}  // namespace tutti::interleave
