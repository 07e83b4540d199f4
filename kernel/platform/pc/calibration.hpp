// SPDX-License-Identifier: BSD-3-Clause
// Measuring the CPU counter (TSC) and the local APIC timer against a clock of known frequency: the ACPI PM timer, or the
// PIT where there is none.
//
// Each end of the measurement reads the reference between two readings of the counter, several times; the tightest pair
// counts, so that a host that takes the CPU away in between does not matter. The boot goes on between the two ends.
#pragma once

#include "platform/pc/acpi_tables.hpp"

namespace tutti::platform {

struct Frequencies {
    u64 counter;     // Hz
    u64 apic_timer;  // Hz
};

// Ticks a second of the local APIC timer, against a counter of known frequency. The timer is used and left stopped.
[[nodiscard]] u64 measure_apic_timer(u64 counter_frequency);

class Calibration {
  public:
    // The first end. Boot CPU, as early as the tables are known.
    void begin(AcpiFacts const& acpi);
    // The second end, a few milliseconds after the first: waits for what is left of them. The local APIC is ready; its
    // timer is used and left stopped. Panics when no clock runs.
    [[nodiscard]] Frequencies finish();

  private:
    struct Reference {
        u32 (*read)(u16 port);
        u16 port;
        u64 frequency;
        u32 mask;
        bool counts_down;
    };
    struct Sample {
        u64 counter;
        u32 reference;
    };
    [[nodiscard]] Sample sample() const;
    void restart();
    [[nodiscard]] bool is_pit() const { return reference_.counts_down; }

    Reference reference_{};
    Sample first_{};
};

}  // namespace tutti::platform
