// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/time/signal_timer.hpp"

#include "hal/clock.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/time/clock.hpp"

namespace tutti::linux_abi {

namespace {

// A periodic timer expires at most this often: an absurd interval must not keep a CPU in its interrupt handler. What is
// left out is counted as overrun.
constexpr Nanoseconds kShortestPeriod = Nanoseconds::from_us(20);
// How long a CPU-time timer waits at least before it looks at the clock again.
constexpr Nanoseconds kCpuClockLook = Nanoseconds::from_ms(1);

}  // namespace

SignalTimer::SignalTimer(Process& process, i32 clock, SigInfo const& info, bool notify, i32 target_tid)
    : process_{process}, clock_{clock}, notify_{notify}, target_tid_{target_tid}, timer_{expired, this} {
    signal_.owner = QueuedSignal::Owner::Timer;
    signal_.info = info;
}

SignalTimer::~SignalTimer() {
    {
        smp::SpinIrqGuard guard{lock_};
        expiry_ = Nanoseconds{};
    }
    (void)timer_.cancel_and_wait();
    ThreadGroup& group = process_.threads();
    smp::SpinIrqGuard guard{group.lock()};
    if (signal_.queued && !group.pending.remove(signal_))
        group.for_each_locked([&](Task& task) { (void)(signal_.queued && task.pending.remove(signal_)); });
}

ISR_SAFE Nanoseconds SignalTimer::clock_now() {
    if (is_wall_clock(clock_)) return hal::now() + wall_clock_offset();
    if (!is_cpu_clock(clock_)) return hal::now();
    if (clock_ == kClockProcessCpu) return process_cpu_time(process_);
    return cpu_clock_of(process_, clock_);
}

ISR_SAFE Deadline SignalTimer::next_look() {
    if (expiry_ == Nanoseconds{}) return kNever;
    if (is_cpu_clock(clock_)) {
        // CPU time of n threads runs at most n times as fast as the wall clock.
        i64 const threads = std::max<i64>(process_.threads().count(), 1);
        Nanoseconds const wait{(expiry_ - clock_now()).count() / threads};
        return hal::now() + std::max(wait, kCpuClockLook);
    }
    return deadline_on_clock(clock_, expiry_);
}

ISR_SAFE void SignalTimer::expired(void* self) { static_cast<SignalTimer*>(self)->on_expiry(); }

// Isr context.
ISR_SAFE void SignalTimer::on_expiry() {
    Deadline next = kNever;
    i64 missed = -1;  // -1: not expired yet
    {
        smp::SpinIrqGuard guard{lock_};
        if (expiry_ == Nanoseconds{}) return;
        Nanoseconds const now = clock_now();
        if (now >= expiry_) {
            missed = 0;
            if (interval_ == Nanoseconds{}) {
                expiry_ = Nanoseconds{};
            } else {
                Nanoseconds const earliest = now + kShortestPeriod;
                i64 const periods = (earliest - expiry_).count() / interval_.count() + 1;
                bool const late = now - expiry_ >= interval_;
                missed = late || interval_ < kShortestPeriod ? (now - expiry_).count() / interval_.count() : 0;
                expiry_ += Nanoseconds{interval_.count() * (interval_ < kShortestPeriod ? periods : missed + 1)};
            }
        }
        next = next_look();
    }
    if (missed >= 0 && notify_) send_timer_signal(process_, target_tid_, signal_, static_cast<i32>(missed));
    if (next != kNever) timer_.start(next);
}

SignalTimer::Setting SignalTimer::setting_locked() {
    if (expiry_ == Nanoseconds{}) return {{}, interval_};
    // An armed timer never says 0.
    return {std::max(expiry_ - clock_now(), Nanoseconds{1}), interval_};
}

SignalTimer::Setting SignalTimer::set(Nanoseconds first, Nanoseconds interval, Start start) {
    Setting previous;
    {
        smp::SpinIrqGuard guard{lock_};
        previous = setting_locked();
        expiry_ = Nanoseconds{};  // a callback that runs now finds the timer disarmed
    }
    (void)timer_.cancel_and_wait();
    if (first == Nanoseconds{}) {
        smp::SpinIrqGuard guard{lock_};
        interval_ = interval;
        return previous;
    }
    Deadline next = kNever;
    {
        smp::SpinIrqGuard guard{lock_};
        expiry_ = start == Start::Absolute ? first : clock_now() + first;
        interval_ = interval;
        next = next_look();
    }
    if (next != kNever) timer_.start(next);
    return previous;
}

SignalTimer::Setting SignalTimer::get() {
    smp::SpinIrqGuard guard{lock_};
    return setting_locked();
}

i32 SignalTimer::overrun() {
    smp::SpinIrqGuard guard{process_.threads().lock()};
    return signal_.delivered_overrun;
}

}  // namespace tutti::linux_abi
