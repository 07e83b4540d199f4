// SPDX-License-Identifier: BSD-3-Clause
// Virtio over PCI, the modern form (Virtio 1.2, section 4.1). With MSI-X one interrupt for each queue, on the CPU that the
// driver chose; where the machine has no messages, the function's pin for all queues.
#pragma once

#include <memory>

#include "base/string.hpp"
#include "base/vector.hpp"
#include "drivers/bus/pci_device.hpp"
#include "drivers/virtio/transport.hpp"

namespace tutti::drivers {

class PciTransport final : public VirtioTransport {
  public:
    // True when the function is a virtio device (of any kind, transitional ones included).
    [[nodiscard]] static bool matches(PciDevice const& device);
    // Error::NotSupported: no modern interface, or no MSI-X where the machine has messages. Thread context.
    [[nodiscard]] static Result<std::unique_ptr<VirtioTransport>> create(PciDevice device);

    explicit PciTransport(PciDevice device) : device_{std::move(device)} {}
    ~PciTransport() override;

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
    [[nodiscard]] Result<> initialize();
    [[nodiscard]] Result<Registers> map_structure(u8 capability);
    static void pin_interrupt(void* self);
    [[nodiscard]] Result<> connect_message(CpuId cpu, QueueHandler handler);
    [[nodiscard]] Result<> connect_to_pin(CpuId cpu, QueueHandler handler);

    PciDevice device_;
    VirtioType type_{};
    FixedString<24> name_;
    Registers common_;
    Registers notify_;
    Registers config_;  // not mapped: the device has none
    Registers reasons_;  // why the pin interrupts; not mapped: messages are used
    u32 notify_multiplier_ = 0;
    Vector<u32> notify_offsets_;  // by queue, into notify_
    Vector<hal::InterruptHandle> interrupts_;
    bool has_pin_ = false;
    // Of the pin; filled before the device is live, constant when interrupts come.
    Vector<QueueHandler> handlers_;
};

}  // namespace tutti::drivers
