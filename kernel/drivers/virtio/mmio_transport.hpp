// SPDX-License-Identifier: BSD-3-Clause
// Virtio over memory-mapped registers, version 2 (Virtio 1.2, section 4.2): what QEMU's microvm and Arm machines have.
// One interrupt line for all queues.
#pragma once

#include <memory>

#include "base/string.hpp"
#include "base/vector.hpp"
#include "drivers/bus/registers.hpp"
#include "drivers/virtio/transport.hpp"
#include "hal/interrupts.hpp"
#include "hal/virtio_mmio.hpp"

namespace tutti::drivers {

class MmioTransport final : public VirtioTransport {
  public:
    // Error::NoDevice: an empty slot, or something else; NotSupported: the legacy interface. Thread context.
    [[nodiscard]] static Result<std::unique_ptr<VirtioTransport>> create(hal::VirtioMmioSlot const& slot);

    MmioTransport(hal::VirtioMmioSlot const& slot, Registers registers) : slot_{slot}, registers_{registers} {}
    ~MmioTransport() override;

    [[nodiscard]] VirtioType type() const override { return type_; }
    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] u8 status() override;
    void set_status(u8 status) override;
    [[nodiscard]] u64 offered_features() override;
    void set_accepted_features(u64 features) override;
    [[nodiscard]] u16 max_queue_size(u16 index) override;
    [[nodiscard]] Result<> connect_queue(u16 index, SplitQueue const& queue, QueueHandler handler,
                                         CpuId cpu) override;
    void notify(u16 index) override;
    [[nodiscard]] Result<> read_config(size_t offset, std::span<u8> out) override;

  private:
    static void interrupt(void* self);
    [[nodiscard]] Result<> route_interrupt(CpuId cpu);

    hal::VirtioMmioSlot slot_;
    Registers registers_;
    VirtioType type_{};
    FixedString<24> name_;
    bool routed_ = false;
    hal::InterruptHandle interrupt_;
    // Filled before the device is live; constant when interrupts come.
    Vector<QueueHandler> handlers_;
};

}  // namespace tutti::drivers
