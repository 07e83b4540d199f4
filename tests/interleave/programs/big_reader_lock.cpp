// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/big_reader_lock.hpp"

#include "programs/locks.hpp"

namespace tutti::interleave {

namespace {
void read(smp::BigReaderLock& lock, Halves const& data) NO_THREAD_SAFETY_ANALYSIS {
    smp::SpinReadGuard guard{lock};
    data.read();
}
void write(smp::BigReaderLock& lock, Halves& data) NO_THREAD_SAFETY_ANALYSIS {
    smp::SpinWriteGuard guard{lock};
    data.write();
}
}  // namespace

INTERLEAVE(big_reader_two, {.preemptions = 3}) {
    auto lock = smp::BigReaderLock::create(smp::LockRank::Driver, "test");
    Halves data;
    auto const reader = [&] {
        read(*lock, data);
        read(*lock, data);
    };
    auto const writer = [&] {
        write(*lock, data);
        write(*lock, data);
    };
    run_on_cpus(reader, writer);
    REQUIRE(data.first == 2);
}
INTERLEAVE(big_reader_three, {.preemptions = 2, .cpus = 3}) {
    auto lock = smp::BigReaderLock::create(smp::LockRank::Driver, "test");
    Halves data;
    auto const reader = [&] { read(*lock, data); };
    auto const writer = [&] { write(*lock, data); };
    run_on_cpus(reader, writer, writer);
    REQUIRE(data.first == 2);
}

}  // namespace tutti::interleave
