// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/cmos.hpp"

#include "arch/cpu.hpp"

namespace tutti::platform {
namespace {

u8 read_register(u8 index) {
    arch::out8(0x70, index);
    return arch::in8(0x71);
}

struct Reading {
    u8 second, minute, hour, day, month, year;
    friend bool operator==(Reading const&, Reading const&) = default;
};
Reading read_once() {
    return {read_register(0), read_register(2), read_register(4), read_register(7), read_register(8), read_register(9)};
}

// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
i64 days_from_civil(i64 year, unsigned month, unsigned day) {
    year -= month <= 2;
    i64 const era = year / 400;
    auto const year_of_era = static_cast<unsigned>(year - era * 400);
    unsigned const day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned const day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

}  // namespace

Nanoseconds read_cmos_clock() {
    u8 const status_b = read_register(0x0b);
    if (status_b == 0xff) return {};
    Reading reading = read_once();
    // Two equal readings outside an update are consistent; a clock that never settles is not worth waiting for.
    for (int attempt = 0; attempt < 1000; ++attempt) {
        if ((read_register(0x0a) & 0x80) != 0) continue;
        Reading const again = read_once();
        if (again == reading) break;
        reading = again;
    }
    auto const decode = [&](u8 value) -> unsigned {
        return (status_b & 4) != 0 ? value : (value & 0xf) + (value >> 4) * 10u;
    };
    bool const afternoon = (status_b & 2) == 0 && (reading.hour & 0x80) != 0;
    unsigned hour = decode(reading.hour & 0x7f);
    if ((status_b & 2) == 0) hour = hour % 12 + (afternoon ? 12 : 0);
    unsigned const month = decode(reading.month);
    if (month < 1 || month > 12) return {};
    i64 const days = days_from_civil(2000 + decode(reading.year), month, decode(reading.day));
    return Nanoseconds::from_s(days * 86400 + hour * 3600 + decode(reading.minute) * 60 + decode(reading.second));
}

}  // namespace tutti::platform
