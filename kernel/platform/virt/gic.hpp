// SPDX-License-Identifier: BSD-3-Clause
// The interrupt controller, version 2 or 3 (Arm IHI 0048, IHI 0069). All interrupts are in group 1, which comes in as IRQ;
// one software interrupt is in group 0, which comes in as FIQ, which the kernel never masks: the non-maskable interrupt.
// Where a secure world keeps group 0 for itself, that one is masked like the others.
#pragma once

#include "base/types.hpp"
#include "hal/interrupts.hpp"
#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

inline constexpr u32 kRescheduleInterrupt = 0;
inline constexpr u32 kCallInterrupt = 1;
inline constexpr u32 kNonMaskableInterrupt = 7;
inline constexpr u32 kFirstSpurious = 1020;

// First number of those that exist as messages only (LPIs, version 3).
inline constexpr u32 kFirstMessageInterrupt = 8192;

// What an acknowledged interrupt is ended with; holds more than its number on version 2.
struct Acknowledged {
    u32 raw;
    u32 number;
    [[nodiscard]] bool is_spurious() const { return number >= kFirstSpurious && number < kFirstSpurious + 4; }
};

struct GicOperations {
    void (*init)(GicDescription const&);
    // Of the calling CPU: software interrupts and `timer`.
    void (*init_cpu)(u32 timer);
    Acknowledged (*acknowledge)();
    void (*end)(Acknowledged);
    // In a FIQ: takes the non-maskable interrupt if it is what came.
    bool (*take_non_maskable)();
    void (*send)(CpuId target, u32 interrupt);

    // Shared interrupts: from 32 to this number.
    u32 (*shared_end)();
    // Whether they can be sent to this CPU: version 2 knows those that have run init_cpu.
    bool (*reaches)(CpuId);
    // Sets trigger and CPU of one that is disabled, forgets what is pending, and enables it.
    void (*route)(u32 interrupt, CpuId target, hal::TriggerMode mode);
    // When it returns, no CPU takes it any more.
    void (*disable)(u32 interrupt);
    // As its device would.
    void (*raise)(u32 interrupt);
};
extern GicOperations const kGicV2;
extern GicOperations const kGicV3;

}  // namespace tutti::platform
