// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/virtio/mmio_transport.hpp"

namespace tutti::drivers {
namespace {

// Register layout, section 4.2.2.
constexpr size_t kMagic = 0x000;
constexpr size_t kVersion = 0x004;
constexpr size_t kDeviceId = 0x008;
constexpr size_t kDeviceFeatures = 0x010;
constexpr size_t kDeviceFeaturesSelect = 0x014;
constexpr size_t kDriverFeatures = 0x020;
constexpr size_t kDriverFeaturesSelect = 0x024;
constexpr size_t kQueueSelect = 0x030;
constexpr size_t kQueueSizeMax = 0x034;
constexpr size_t kQueueSize = 0x038;
constexpr size_t kQueueReady = 0x044;
constexpr size_t kQueueNotify = 0x050;
constexpr size_t kInterruptStatus = 0x060;
constexpr size_t kInterruptAcknowledge = 0x064;
constexpr size_t kStatus = 0x070;
constexpr size_t kQueueDescriptors = 0x080;
constexpr size_t kQueueAvailable = 0x090;
constexpr size_t kQueueUsed = 0x0a0;
constexpr size_t kConfigGeneration = 0x0fc;
constexpr size_t kConfig = 0x100;

constexpr u32 kMagicValue = 0x74726976;  // "virt"
constexpr u32 kModernVersion = 2;
constexpr u32 kQueueInterrupt = 1;

}  // namespace

Result<std::unique_ptr<VirtioTransport>> MmioTransport::create(hal::VirtioMmioSlot const& slot) {
    Registers const registers = TRY(Registers::map(slot.base, slot.size));
    if (registers.size() < kConfig || registers.read32(kMagic) != kMagicValue) return fail(Error::NoDevice);
    u32 const type = registers.read32(kDeviceId);
    if (type == 0) return fail(Error::NoDevice);  // a slot with nothing in it
    if (registers.read32(kVersion) != kModernVersion) return fail(Error::NotSupported);

    auto* const transport = new (std::nothrow) MmioTransport{slot, registers};
    if (transport == nullptr) return fail(Error::NoMemory);
    std::unique_ptr<VirtioTransport> owner{transport};
    char text[24];
    transport->name_.assign(format_to(text, "mmio {:#x}", slot.base.value()));
    transport->type_ = VirtioType{type};
    return owner;
}

MmioTransport::~MmioTransport() {
    set_status(0);
    if (!routed_) return;
    hal::mask_line(slot_.line.gsi);
    hal::free_interrupt(interrupt_);
}

u8 MmioTransport::status() { return static_cast<u8>(registers_.read32(kStatus)); }
void MmioTransport::set_status(u8 status) { registers_.write32(kStatus, status); }

u64 MmioTransport::offered_features() {
    registers_.write32(kDeviceFeaturesSelect, 0);
    u64 const low = registers_.read32(kDeviceFeatures);
    registers_.write32(kDeviceFeaturesSelect, 1);
    return u64{registers_.read32(kDeviceFeatures)} << 32 | low;
}

void MmioTransport::set_accepted_features(u64 features) {
    registers_.write32(kDriverFeaturesSelect, 0);
    registers_.write32(kDriverFeatures, static_cast<u32>(features));
    registers_.write32(kDriverFeaturesSelect, 1);
    registers_.write32(kDriverFeatures, static_cast<u32>(features >> 32));
}

u16 MmioTransport::max_queue_size(u16 index) {
    registers_.write32(kQueueSelect, index);
    u32 const size = registers_.read32(kQueueSizeMax);
    return static_cast<u16>(size > 32768 ? 32768 : size);
}

Result<> MmioTransport::connect_queue(u16 index, SplitQueue const& queue, QueueHandler handler, CpuId cpu) {
    if (handler.function != nullptr) TRY(handlers_.try_push_back(handler));
    TRY(route_interrupt(cpu));
    registers_.write32(kQueueSelect, index);
    if (registers_.read32(kQueueReady) != 0) return fail(Error::Busy);
    registers_.write32(kQueueSize, queue.size());
    registers_.write64_in_halves(kQueueDescriptors, queue.descriptor_address().value());
    registers_.write64_in_halves(kQueueAvailable, queue.available_address().value());
    registers_.write64_in_halves(kQueueUsed, queue.used_address().value());
    registers_.write32(kQueueReady, 1);
    return {};
}

// One line for all queues: the first queue's CPU has it. The device raises none before DRIVER_OK.
Result<> MmioTransport::route_interrupt(CpuId cpu) {
    if (routed_) return {};
    interrupt_ = TRY(hal::allocate_interrupt(cpu, &MmioTransport::interrupt, this));
    if (auto const routed = hal::route_line(slot_.line, interrupt_); !routed) {
        hal::free_interrupt(interrupt_);
        return routed;
    }
    routed_ = true;
    return {};
}

ISR_SAFE void MmioTransport::interrupt(void* self) {
    auto& transport = *static_cast<MmioTransport*>(self);
    u32 const reasons = transport.registers_.read32(kInterruptStatus);
    // Acknowledged before the queues are looked at: what comes later raises the line again.
    transport.registers_.write32(kInterruptAcknowledge, reasons);
    if ((reasons & kQueueInterrupt) == 0) return;
    for (QueueHandler const& handler : transport.handlers_) handler.function(handler.argument);
}

ISR_SAFE void MmioTransport::notify(u16 index) { registers_.write32(kQueueNotify, index); }

Result<> MmioTransport::read_config(size_t offset, std::span<u8> out) {
    if (!range_within(offset, out.size(), registers_.size() - kConfig)) return fail(Error::OutOfRange);
    for (int attempt = 0; attempt < 100; ++attempt) {
        u32 const generation = registers_.read32(kConfigGeneration);
        for (size_t i = 0; i < out.size(); ++i) out[i] = registers_.read8(kConfig + offset + i);
        if (registers_.read32(kConfigGeneration) == generation) return {};
    }
    return fail(Error::Busy);
}

}  // namespace tutti::drivers
