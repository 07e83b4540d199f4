// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/time/timer_table.hpp"

#include <new>

#include "linux_abi/signal/send.hpp"

namespace tutti::linux_abi {

namespace {

constexpr size_t kMostTimers = 65536;

}  // namespace

TimerTable::~TimerTable() { destroy_all(); }

void TimerTable::destroy_all() {
    sched::MutexGuard guard{mutex_};
    for (SignalTimer*& timer : timers_) delete std::exchange(timer, nullptr);
    for (SignalTimer*& timer : intervals_) delete std::exchange(timer, nullptr);
}

Result<i32> TimerTable::create(i32 clock, SigInfo const& info, TimerValue value, bool notify, i32 target_tid) {
    sched::MutexGuard guard{mutex_};
    size_t id = 0;
    while (id < timers_.size() && timers_[id] != nullptr) ++id;
    if (id == kMostTimers) return fail(Error::WouldBlock);
    if (id == timers_.size()) TRY(timers_.try_push_back(nullptr));
    SigInfo named = info;
    named.fields.timer.timer_id = static_cast<i32>(id);
    if (value == TimerValue::Number) named.fields.timer.value = id;
    timers_[id] = new (std::nothrow) SignalTimer{process_, clock, named, notify, target_tid};
    if (timers_[id] == nullptr) return fail(Error::NoMemory);
    return static_cast<i32>(id);
}

Result<SignalTimer*> TimerTable::find(i32 id) {
    if (id < 0 || static_cast<size_t>(id) >= timers_.size() || timers_[static_cast<size_t>(id)] == nullptr)
        return fail(Error::InvalidArgument);
    return timers_[static_cast<size_t>(id)];
}

Result<> TimerTable::destroy(i32 id) {
    sched::MutexGuard guard{mutex_};
    TRY(find(id));
    delete std::exchange(timers_[static_cast<size_t>(id)], nullptr);
    return {};
}

Result<SignalTimer::Setting> TimerTable::set(i32 id, Nanoseconds first, Nanoseconds interval,
                                             SignalTimer::Start start) {
    sched::MutexGuard guard{mutex_};
    return TRY(find(id))->set(first, interval, start);
}

Result<SignalTimer::Setting> TimerTable::get(i32 id) {
    sched::MutexGuard guard{mutex_};
    return TRY(find(id))->get();
}

Result<i32> TimerTable::overrun(i32 id) {
    sched::MutexGuard guard{mutex_};
    return TRY(find(id))->overrun();
}

Result<SignalTimer::Setting> TimerTable::set_interval(IntervalTimer which, Nanoseconds first, Nanoseconds interval) {
    static constexpr struct {
        i32 clock;
        i32 signal;
    } kKinds[kIntervalTimers] = {
        {kClockMonotonic, kSIGALRM}, {kClockProcessCpu, kSIGVTALRM}, {kClockProcessCpu, kSIGPROF}};
    sched::MutexGuard guard{mutex_};
    auto const index = static_cast<size_t>(which);
    if (intervals_[index] == nullptr) {
        if (first == Nanoseconds{}) return SignalTimer::Setting{};
        intervals_[index] = new (std::nothrow)
            SignalTimer{process_, kKinds[index].clock, kernel_info(kKinds[index].signal), true, 0};
        if (intervals_[index] == nullptr) return fail(Error::NoMemory);
    }
    return intervals_[index]->set(first, interval, SignalTimer::Start::Relative);
}

SignalTimer::Setting TimerTable::get_interval(IntervalTimer which) {
    sched::MutexGuard guard{mutex_};
    SignalTimer* const timer = intervals_[static_cast<size_t>(which)];
    return timer == nullptr ? SignalTimer::Setting{} : timer->get();
}

}  // namespace tutti::linux_abi
