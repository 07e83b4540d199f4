// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/virtio/pci_transport.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "drivers/bus/pci_line.hpp"

namespace tutti::drivers {
namespace {

constexpr u16 kVirtioVendor = 0x1af4;
constexpr u16 kFirstTransitional = 0x1000;
constexpr u16 kFirstModern = 0x1040;
constexpr u16 kLastModern = 0x107f;
constexpr u8 kSubsystemId = 0x2e;

// Vendor capability, section 4.1.4: which structure lies where.
constexpr u8 kCapabilityLength = 2;
constexpr u8 kCapabilityType = 3;
constexpr u8 kCapabilityBar = 4;
constexpr u8 kCapabilityOffset = 8;
constexpr u8 kCapabilitySize = 12;
constexpr u8 kCapabilityMultiplier = 16;
constexpr u8 kStructureCommon = 1;
constexpr u8 kStructureNotify = 2;
constexpr u8 kStructureReasons = 3;
constexpr u8 kStructureDevice = 4;

// Common configuration, section 4.1.4.3.
constexpr size_t kDeviceFeatureSelect = 0x00;
constexpr size_t kDeviceFeature = 0x04;
constexpr size_t kDriverFeatureSelect = 0x08;
constexpr size_t kDriverFeature = 0x0c;
constexpr size_t kConfigVector = 0x10;
constexpr size_t kQueueCount = 0x12;
constexpr size_t kStatus = 0x14;
constexpr size_t kConfigGeneration = 0x15;
constexpr size_t kQueueSelect = 0x16;
constexpr size_t kQueueSize = 0x18;
constexpr size_t kQueueVector = 0x1a;
constexpr size_t kQueueEnable = 0x1c;
constexpr size_t kQueueNotifyOffset = 0x1e;
constexpr size_t kQueueDescriptors = 0x20;
constexpr size_t kQueueAvailable = 0x28;
constexpr size_t kQueueUsed = 0x30;
constexpr size_t kCommonSize = 0x38;
constexpr u16 kNoVector = 0xffff;

}  // namespace

bool PciTransport::matches(PciDevice const& device) {
    return device.vendor() == kVirtioVendor && device.device() >= kFirstTransitional && device.device() <= kLastModern;
}

Result<std::unique_ptr<VirtioTransport>> PciTransport::create(PciDevice device) {
    auto* const transport = new (std::nothrow) PciTransport{std::move(device)};
    if (transport == nullptr) return fail(Error::NoMemory);
    std::unique_ptr<VirtioTransport> owner{transport};
    TRY(transport->initialize());
    return owner;
}

Result<> PciTransport::initialize() {
    char text[16];
    name_.assign(device_.address().print(text));
    u16 const id = device_.device();
    type_ = VirtioType{id >= kFirstModern ? u32{id} - kFirstModern : device_.read16(kSubsystemId)};
    bool const messages = hal::has_interrupt_messages();
    if (messages) TRY(device_.initialize_messages());

    // The first capability of each type that we can map is the one to use (section 4.1.4.1).
    device_.for_each_capability([&](u8 offset, u8 capability) {
        if (capability != kPciCapabilityVendor || offset > kPciConfigSize - 16) return true;
        switch (device_.read8(offset + kCapabilityType)) {
            case kStructureCommon:
                if (!common_.is_mapped()) common_ = map_structure(offset).value_or(Registers{});
                break;
            case kStructureNotify:
                if (notify_.is_mapped() || offset > kPciConfigSize - 20) break;
                notify_ = map_structure(offset).value_or(Registers{});
                notify_multiplier_ = device_.read32(offset + kCapabilityMultiplier);
                break;
            case kStructureReasons:
                if (!messages && !reasons_.is_mapped()) reasons_ = map_structure(offset).value_or(Registers{});
                break;
            case kStructureDevice:
                if (!config_.is_mapped()) config_ = map_structure(offset).value_or(Registers{});
                break;
            default: break;
        }
        return true;
    });
    if (common_.size() < kCommonSize || !notify_.is_mapped()) return fail(Error::NotSupported);
    if (!messages && !reasons_.is_mapped()) return fail(Error::NotSupported);
    device_.enable(messages ? PciDevice::Interrupts::Messages : PciDevice::Interrupts::Pin);
    if (messages) device_.enable_messages();
    return {};
}

Result<Registers> PciTransport::map_structure(u8 capability) {
    if (device_.read8(capability + kCapabilityLength) < 16) return fail(Error::BadFormat);
    return device_.map_region(device_.read8(capability + kCapabilityBar), device_.read32(capability + kCapabilityOffset),
                              device_.read32(capability + kCapabilitySize));
}

PciTransport::~PciTransport() {
    if (common_.is_mapped()) set_status(0);
    device_.disable();
    if (has_pin_) disconnect_pin(this);
    for (hal::InterruptHandle const handle : interrupts_) hal::free_interrupt(handle);
}

u8 PciTransport::status() { return common_.read8(kStatus); }
void PciTransport::set_status(u8 status) { common_.write8(kStatus, status); }

u64 PciTransport::offered_features() {
    common_.write32(kDeviceFeatureSelect, 0);
    u64 const low = common_.read32(kDeviceFeature);
    common_.write32(kDeviceFeatureSelect, 1);
    return u64{common_.read32(kDeviceFeature)} << 32 | low;
}

void PciTransport::set_accepted_features(u64 features) {
    common_.write32(kDriverFeatureSelect, 0);
    common_.write32(kDriverFeature, static_cast<u32>(features));
    common_.write32(kDriverFeatureSelect, 1);
    common_.write32(kDriverFeature, static_cast<u32>(features >> 32));
}

u16 PciTransport::max_queue_size(u16 index) {
    if (index >= common_.read16(kQueueCount)) return 0;
    common_.write16(kQueueSelect, index);
    return common_.read16(kQueueSize);
}

Result<> PciTransport::connect_queue(u16 index, SplitQueue const& queue, QueueHandler handler, CpuId cpu) {
    bool const interrupts = handler.function != nullptr;
    common_.write16(kQueueSelect, index);
    u64 const offset = u64{common_.read16(kQueueNotifyOffset)} * notify_multiplier_;
    if (!range_within(offset, 2, notify_.size()) || offset % 2 != 0) return fail(Error::BadFormat);
    if (notify_offsets_.size() <= index) TRY(notify_offsets_.try_resize(size_t{index} + 1));
    notify_offsets_[index] = static_cast<u32>(offset);

    if (reasons_.is_mapped()) {
        if (interrupts) TRY(connect_to_pin(cpu, handler));
    } else {
        // Entry i of the table serves the i-th queue with a handler; changes of the configuration raise no interrupt.
        u16 const vector = interrupts ? static_cast<u16>(interrupts_.size()) : kNoVector;
        if (interrupts) TRY(connect_message(cpu, handler));
        common_.write16(kConfigVector, kNoVector);
        common_.write16(kQueueVector, vector);
        if (common_.read16(kQueueVector) != vector) return fail(Error::NoSpace);  // the device has no room for it
    }

    common_.write16(kQueueSize, queue.size());
    common_.write64_in_halves(kQueueDescriptors, queue.descriptor_address().value());
    common_.write64_in_halves(kQueueAvailable, queue.available_address().value());
    common_.write64_in_halves(kQueueUsed, queue.used_address().value());
    common_.write16(kQueueEnable, 1);
    return {};
}

Result<> PciTransport::connect_message(CpuId cpu, QueueHandler handler) {
    size_t const entry = interrupts_.size();
    if (entry >= device_.message_count()) return fail(Error::NotSupported);
    TRY(interrupts_.try_reserve(entry + 1));
    hal::InterruptHandle const handle = TRY(hal::allocate_interrupt(cpu, handler.function, handler.argument));
    TRY(interrupts_.try_push_back(handle));
    device_.set_message(static_cast<u16>(entry), TRY(hal::interrupt_message(handle, device_.message_source())));
    return {};
}

// One line for all queues: the first queue's CPU has it. The device raises none before DRIVER_OK.
Result<> PciTransport::connect_to_pin(CpuId cpu, QueueHandler handler) {
    TRY(handlers_.try_push_back(handler));
    if (has_pin_) return {};
    TRY(connect_pin(device_.address(), cpu, &PciTransport::pin_interrupt, this));
    has_pin_ = true;
    return {};
}

ISR_SAFE void PciTransport::pin_interrupt(void* self) {
    constexpr u8 kQueueInterrupt = 1;
    auto& transport = *static_cast<PciTransport*>(self);
    // The read takes the reasons and lowers the line, before the queues are looked at: what comes later raises it again.
    if ((transport.reasons_.read8(0) & kQueueInterrupt) == 0) return;
    for (QueueHandler const& handler : transport.handlers_) handler.function(handler.argument);
}

ISR_SAFE void PciTransport::notify(u16 index) { notify_.write16(notify_offsets_[index], index); }

Result<> PciTransport::read_config(size_t offset, std::span<u8> out) {
    if (!range_within(offset, out.size(), config_.size())) return fail(Error::OutOfRange);
    for (int attempt = 0; attempt < 100; ++attempt) {
        u8 const generation = common_.read8(kConfigGeneration);
        for (size_t i = 0; i < out.size(); ++i) out[i] = config_.read8(offset + i);
        if (common_.read8(kConfigGeneration) == generation) return {};
    }
    return fail(Error::Busy);
}

}  // namespace tutti::drivers
