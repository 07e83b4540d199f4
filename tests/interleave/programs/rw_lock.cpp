// SPDX-License-Identifier: BSD-3-Clause
#include "smp/spin/rw_lock.hpp"

#include "programs/locks.hpp"

namespace tutti::interleave {

INTERLEAVE(phase_fair_reader_writer, {.preemptions = 4}) {
    smp::RawPhaseFairLock lock;
    Halves data;
    auto const reader = [&] {
        for (int i = 0; i < 2; ++i) {
            lock.lock_shared();
            data.read();
            lock.unlock_shared();
        }
    };
    auto const writer = [&] {
        for (int i = 0; i < 2; ++i) {
            lock.lock();
            data.write();
            lock.unlock();
        }
    };
    run_on_cpus(reader, writer);
    REQUIRE(data.first == 2);
}
INTERLEAVE(phase_fair_two_writers, {.preemptions = 3}) {
    smp::RawPhaseFairLock lock;
    Halves data;
    auto const writer = [&] {
        for (int i = 0; i < 2; ++i) {
            lock.lock();
            data.write();
            lock.unlock();
        }
    };
    run_on_cpus(writer, writer);
    REQUIRE(data.first == 4);
}
INTERLEAVE(phase_fair_three, {.preemptions = 2}) {
    smp::RawPhaseFairLock lock;
    Halves data;
    auto const reader = [&] {
        lock.lock_shared();
        data.read();
        lock.unlock_shared();
    };
    auto const writer = [&] {
        lock.lock();
        data.write();
        lock.unlock();
    };
    run_on_cpus(reader, writer, writer);
    REQUIRE(data.first == 2);
}

// A writer that only tries, between a reader and a writer that wait: it comes in alone or leaves no trace.
INTERLEAVE(phase_fair_try, {.preemptions = 3}) {
    smp::RawPhaseFairLock lock;
    Halves data;
    int written = 0;
    auto const reader = [&] {
        for (int i = 0; i < 2; ++i) {
            lock.lock_shared();
            data.read();
            lock.unlock_shared();
        }
    };
    auto const trier = [&] {
        if (lock.try_lock()) {
            data.write();
            ++written;
            lock.unlock();
        }
        if (lock.try_lock_shared()) {
            data.read();
            lock.unlock_shared();
        }
    };
    auto const writer = [&] {
        lock.lock();
        data.write();
        ++written;
        lock.unlock();
    };
    run_on_cpus(reader, trier, writer);
    REQUIRE(data.first == written);
}

}  // namespace tutti::interleave
