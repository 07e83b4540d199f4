// SPDX-License-Identifier: BSD-3-Clause
// timerfd(2): a timer that is read like a file.
#pragma once

#include "vfs/file.hpp"

namespace tutti::vfs {

enum class TimerClock : u8 { Monotonic, Realtime };

struct TimerSetting {
    Nanoseconds value;     // until the first expiry; zero: not armed
    Nanoseconds interval;  // zero: once
};

class TimerFile : public File {
  public:
    [[nodiscard]] static Result<Ref<TimerFile>> create(TimerClock clock, OpenFlags flags);

    // Replaces the setting and returns the earlier one. With `absolute` value is a time on the file's clock.
    [[nodiscard]] virtual TimerSetting set(TimerSetting setting, bool absolute) = 0;
    [[nodiscard]] virtual TimerSetting get() = 0;

  protected:
    using File::File;
};

// The timer behind a file, or null.
[[nodiscard]] TimerFile* timer_of(File& file);

}  // namespace tutti::vfs
