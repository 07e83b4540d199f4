// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/events/timer_file.hpp"

#include <algorithm>
#include <new>

#include "hal/clock.hpp"
#include "sched/timers/timer.hpp"
#include "smp/spin/spin.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::vfs {
namespace {

class TimerFileImpl final : public TimerFile {
  public:
    TimerFileImpl(OpenFlags flags, String name, TimerClock clock)
        : TimerFile{flags, {}, std::move(name)}, clock_{clock}, timer_{&on_expiry, this} {}
    ~TimerFileImpl() override {
        // The function may start the timer again until it has seen that there is nothing to start.
        {
            smp::SpinIrqGuard guard{lock_};
            next_ = kNever;
            interval_ = {};
        }
        (void)timer_.cancel_and_wait();
    }

    TimerSetting set(TimerSetting setting, bool absolute) override {
        smp::SpinIrqGuard guard{lock_};
        TimerSetting const before = remaining();
        // An expiry that runs now waits for the lock, and then goes by what it finds here.
        (void)timer_.cancel();
        expirations_ = 0;
        interval_ = setting.interval;
        if (setting.value.count() == 0) {
            next_ = kNever;
        } else {
            Nanoseconds const base = absolute ? (clock_ == TimerClock::Realtime ? Nanoseconds{} - wall_clock_offset() : Nanoseconds{})
                                              : hal::now();
            next_ = base + setting.value;
            timer_.start(next_);
        }
        return before;
    }
    TimerSetting get() override {
        smp::SpinIrqGuard guard{lock_};
        return remaining();
    }

    PollEvents poll() override {
        smp::SpinIrqGuard guard{lock_};
        return expirations_ != 0 ? kPollIn | kPollReadNormal : 0;
    }
    sched::WaitQueue* poll_queue() override { return &queue_; }
    TimerFile* timer() override { return this; }
    Attributes attributes() override {
        Attributes attributes;
        attributes.type = FileType::Unknown;
        attributes.permissions = 0600;
        return attributes;
    }
    Result<> synchronize() override { return fail(Error::InvalidArgument); }

  protected:
    Result<u64> do_read(u64, vm::IoBuffer& to) override {
        if (to.remaining() < sizeof(u64)) return fail(Error::InvalidArgument);
        for (;;) {
            u64 count = 0;
            {
                smp::SpinIrqGuard guard{lock_};
                count = std::exchange(expirations_, 0);
            }
            if (count != 0) return to.write_to(&count, sizeof count);
            if (is_nonblocking()) return fail(Error::WouldBlock);
            TRY(queue_.wait_until([this] { return poll() != 0; }, kNever, sched::WaitMode::Interruptible));
        }
    }

  private:
    // lock_ held.
    TimerSetting remaining() const REQUIRES(lock_) {
        if (next_ == kNever) return {{}, interval_};
        // An armed timer never reads as disarmed.
        return {std::max(next_ - hal::now(), Nanoseconds{1}), interval_};
    }
    ISR_SAFE static void on_expiry(void* argument) { static_cast<TimerFileImpl*>(argument)->expire(); }
    ISR_SAFE void expire() {
        {
            smp::SpinIrqGuard guard{lock_};
            Nanoseconds const now = hal::now();
            if (next_ == kNever) return;
            if (next_ > now) {
                timer_.start(next_);
                return;
            }
            if (interval_.count() == 0) {
                ++expirations_;
                next_ = kNever;
            } else {
                // Periods that passed unnoticed count too, and the grid stays where it was.
                i64 const periods = (now - next_).count() / interval_.count() + 1;
                expirations_ += static_cast<u64>(periods);
                next_ += Nanoseconds{periods * interval_.count()};
                timer_.start(next_);
            }
        }
        queue_.wake_all();
    }

    TimerClock const clock_;
    smp::SpinLock lock_{smp::LockRank::File, "timerfd"};
    Nanoseconds next_ GUARDED_BY(lock_) = kNever;
    Nanoseconds interval_ GUARDED_BY(lock_){};
    u64 expirations_ GUARDED_BY(lock_) = 0;
    sched::Timer timer_;
    sched::WaitQueue queue_;
};

}  // namespace

Result<Ref<TimerFile>> TimerFile::create(TimerClock clock, OpenFlags flags) {
    String name = TRY(String::create("anon_inode:[timerfd]"));
    auto* const file = new (std::nothrow)
        TimerFileImpl{OpenFlags{flags.bits() | OpenFlags::Read}, std::move(name), clock};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<TimerFile>::adopt(file);
}

TimerFile* timer_of(File& file) { return file.timer(); }

}  // namespace tutti::vfs
