// SPDX-License-Identifier: BSD-3-Clause
// What a device tree says of devices: slots of virtio-mmio, PCI host bridges, and who turns their messages into interrupts.
// Children of the root only, as in device_tree.hpp. A device that is described wrongly is left out, and the log says why:
// the machine may do without. Bindings: virtio/mmio.yaml, pci/host-generic-pci.yaml, arm,gic.yaml, arm,gic-v3.yaml.
#pragma once

#include <optional>
#include <span>

#include "base/types.hpp"
#include "hal/interrupts.hpp"
#include "hal/pci.hpp"
#include "hal/virtio_mmio.hpp"
#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

inline constexpr u32 kFirstSharedInterrupt = 32;
inline constexpr u32 kEndOfSharedInterrupts = 1020;

struct PciHost {
    static constexpr size_t kMaxApertures = 4;
    static constexpr size_t kMaxPins = 128;
    static constexpr size_t kMaxMessageMaps = 4;

    // Function `first_requester` + i is device `first_device` + i to the one that takes its messages.
    struct MessageMap {
        u32 first_requester;
        u32 first_device;
        u32 count;
    };
    struct Pin {
        u8 device;
        u8 pin;
        hal::InterruptLine line;
    };

    PhysRange configuration;  // whole buses
    u16 segment = 0;
    u8 first_bus = 0;
    u8 last_bus = 0;
    hal::PciAperture apertures[kMaxApertures];
    size_t aperture_count = 0;
    MessageMap message_maps[kMaxMessageMaps];
    size_t message_map_count = 0;
    Pin pins[kMaxPins];
    size_t pin_count = 0;
    u8 device_mask = 0;  // bits of the device number, and of the pin, that `pins` go by
    u8 pin_mask = 0;

    [[nodiscard]] std::optional<hal::InterruptLine> pin_line(u8 device, u8 pin) const;
    [[nodiscard]] std::optional<u32> message_device(u16 requester) const;
};

// Registers that turn a write into a shared interrupt (GICv2m).
struct MessageFrame {
    PhysRange registers;
    u32 first = 0;  // of its interrupts; 0: its own register says
    u32 count = 0;
};

struct TreeDevices {
    static constexpr size_t kMaxSlots = 64;
    static constexpr size_t kMaxHosts = 4;
    static constexpr size_t kMaxFrames = 4;

    hal::VirtioMmioSlot slots[kMaxSlots];
    size_t slot_count = 0;
    PciHost hosts[kMaxHosts];
    size_t host_count = 0;
    MessageFrame frames[kMaxFrames];
    size_t frame_count = 0;
    PhysRange translation_service;  // ITS; size 0: none
};

// `blob` was read into `tree` without error. Nothing that is found lies in memory; interrupts are shared ones.
void read_tree_devices(std::span<u8 const> blob, DeviceTree const& tree, TreeDevices& out);

}  // namespace tutti::platform
