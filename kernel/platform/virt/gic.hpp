// SPDX-License-Identifier: BSD-3-Clause
// The interrupt controller, version 2 or 3 (Arm IHI 0048, IHI 0069). All interrupts are in group 1, which comes in as IRQ;
// one software interrupt is in group 0, which comes in as FIQ, which the kernel never masks: the non-maskable interrupt.
// Where a secure world keeps group 0 for itself, that one is masked like the others.
#pragma once

#include "base/types.hpp"
#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

inline constexpr u32 kRescheduleInterrupt = 0;
inline constexpr u32 kCallInterrupt = 1;
inline constexpr u32 kNonMaskableInterrupt = 7;
inline constexpr u32 kFirstSpurious = 1020;

// What an acknowledged interrupt is ended with; holds more than its number on version 2.
struct Acknowledged {
    u32 raw;
    [[nodiscard]] u32 number() const { return raw & 0x3ff; }
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
};
extern GicOperations const kGicV2;
extern GicOperations const kGicV3;

}  // namespace tutti::platform
