// SPDX-License-Identifier: BSD-3-Clause
// The vDSO's code: runs in the program, at the program's privilege, in the program's address space. Position-independent
// without relocations; built as a shared object of its own (CMakeLists.txt) and embedded in the kernel.
//
// What it cannot answer it passes on to the system call of the same meaning, so callers see one behaviour.
#include "linux_abi/vdso/vdso_data.hpp"
#include "linux_abi/vdso/machine/machine.hpp"

namespace {

using tutti::linux_abi::vdso::Data;

struct TimeSpec {
    std::int64_t seconds;
    std::int64_t nanoseconds;
};
struct TimeVal {
    std::int64_t seconds;
    std::int64_t microseconds;
};
struct TimeZone {
    std::int32_t minutes_west;
    std::int32_t dst_time;
};

constexpr int kRealtime = 0;
constexpr int kMonotonic = 1;
constexpr int kMonotonicRaw = 4;
constexpr int kRealtimeCoarse = 5;
constexpr int kMonotonicCoarse = 6;
constexpr int kBoottime = 7;
constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

// The data page lies directly before the image; vdso.lds says so. The program may only read it. Not const: the kernel
// changes it, and the compiler must not think otherwise.
extern "C" [[gnu::visibility("hidden")]] Data vdso_data;

namespace {

// Relaxed: the sequence orders the fields.
template <class T>
[[gnu::always_inline]] inline T load(T const& field) {
    return __atomic_load_n(&field, __ATOMIC_RELAXED);
}

// Nanoseconds on the monotonic clock plus, for realtime, the offset; false when the kernel must be asked.
[[gnu::always_inline]] inline bool read_clock(bool realtime, std::int64_t& nanoseconds) {
    for (;;) {
        std::uint32_t const before = __atomic_load_n(&vdso_data.sequence, __ATOMIC_ACQUIRE);
        if ((before & 1) != 0) {
            machine::relax();
            continue;
        }
        bool const valid = (load(vdso_data.flags) & tutti::linux_abi::vdso::kCounterValid) != 0;
        std::uint64_t const elapsed = machine::read_counter() - load(vdso_data.counter_base);
        auto const scaled = static_cast<unsigned __int128>(elapsed) * load(vdso_data.multiplier) >> load(vdso_data.shift);
        std::int64_t const offset = realtime ? load(vdso_data.wall_offset) : 0;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);  // the reads above come before the second look
        if (__atomic_load_n(&vdso_data.sequence, __ATOMIC_RELAXED) != before) continue;
        nanoseconds = static_cast<std::int64_t>(scaled) + offset;
        return valid;
    }
}

// The clocks that read_clock() knows. The coarse ones are as good as the fine ones here.
[[gnu::always_inline]] inline bool is_known(int clock, bool& realtime) {
    realtime = clock == kRealtime || clock == kRealtimeCoarse;
    return realtime || clock == kMonotonic || clock == kMonotonicRaw || clock == kMonotonicCoarse || clock == kBoottime;
}

// Division of a time since 1970 or boot into seconds and the rest; negative before 1970 only.
[[gnu::always_inline]] inline void split(std::int64_t nanoseconds, std::int64_t& seconds, std::int64_t& rest) {
    seconds = nanoseconds / kSecond;
    rest = nanoseconds % kSecond;
    if (rest < 0) {
        rest += kSecond;
        --seconds;
    }
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] int VDSO_FUNCTION(clock_gettime)(int clock, TimeSpec* time) {
    bool realtime = false;
    std::int64_t nanoseconds = 0;
    if (!is_known(clock, realtime) || !read_clock(realtime, nanoseconds))
        return static_cast<int>(machine::call(machine::kClockGettime, clock, reinterpret_cast<long>(time)));
    split(nanoseconds, time->seconds, time->nanoseconds);
    return 0;
}

[[gnu::visibility("default")]] int VDSO_FUNCTION(clock_getres)(int clock, TimeSpec* resolution) {
    return static_cast<int>(machine::call(machine::kClockGetres, clock, reinterpret_cast<long>(resolution)));
}

[[gnu::visibility("default")]] int VDSO_FUNCTION(gettimeofday)(TimeVal* time, TimeZone* zone) {
    std::int64_t nanoseconds = 0;
    if (!read_clock(true, nanoseconds))
        return static_cast<int>(
            machine::call(machine::kGettimeofday, reinterpret_cast<long>(time), reinterpret_cast<long>(zone)));
    if (time != nullptr) {
        split(nanoseconds, time->seconds, time->microseconds);
        time->microseconds /= 1000;
    }
    if (zone != nullptr) *zone = TimeZone{};
    return 0;
}

[[gnu::visibility("default")]] long VDSO_FUNCTION(time)(long* result) {
    TimeSpec now;
    if (int const error = VDSO_FUNCTION(clock_gettime)(kRealtimeCoarse, &now); error != 0) return error;
    if (result != nullptr) *result = now.seconds;
    return now.seconds;
}

// The third argument is a relic that the kernel ignores too.
[[gnu::visibility("default")]] long VDSO_FUNCTION(getcpu)(unsigned* cpu, unsigned* node, void*) {
    if ((load(vdso_data.flags) & tutti::linux_abi::vdso::kCpuNumberValid) == 0)
        return machine::call(machine::kGetcpu, reinterpret_cast<long>(cpu), reinterpret_cast<long>(node));
    if (cpu != nullptr) *cpu = machine::cpu_number();
    if (node != nullptr) *node = 0;
    return 0;
}

}  // extern "C"
