// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/its.hpp"

#include <algorithm>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/mmio.hpp"
#include "base/log.hpp"
#include "hal/clock.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/gic.hpp"
#include "platform/virt/gic_v3.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::platform {
namespace {

// Registers of the service.
constexpr size_t kControl = 0x0000;
constexpr size_t kType = 0x0008;
constexpr size_t kCommandBase = 0x0080;
constexpr size_t kCommandWrite = 0x0088;
constexpr size_t kCommandRead = 0x0090;
constexpr size_t kTables = 0x0100;
constexpr unsigned kTableCount = 8;
constexpr u64 kRaise = 0x10040;  // GITS_TRANSLATER, from the first frame
constexpr size_t kFrame = 0x10000;
// Of a redistributor.
constexpr size_t kRedistributorControl = 0x0000;
constexpr size_t kRedistributorType = 0x0008;
constexpr size_t kPropertyBase = 0x0070;
constexpr size_t kPendingBase = 0x0078;

constexpr u64 kValid = u64{1} << 63;
constexpr u64 kShareable = u64{1} << 10;  // inner
constexpr u64 kShareableMask = u64{3} << 10;
constexpr u64 kTableCached = u64{7} << 59;
constexpr u64 kRedistributorCached = u64{7} << 7;
constexpr u64 kPendingIsZero = u64{1} << 62;
constexpr u64 kTableTypeDevices = 1;
constexpr u64 kTableTypeCollections = 4;

constexpr unsigned kInterruptBits = 14;  // 8192 of them are LPIs
constexpr unsigned kEventBits = 5;
constexpr u32 kEvents = 1u << kEventBits;
constexpr u8 kPriority = 0xa0;
constexpr u8 kEnabled = 1;
constexpr unsigned kPendingOrder = 4;  // the table is small, but aligned to 64 KiB
static_assert(kFirstMessageInterrupt + kMessageInterrupts <= 1u << kInterruptBits);

struct Device {
    u32 id;
    u32 used;  // events, as bits
    Device* next;
};
struct Message {
    Device* device = nullptr;
    u32 event = 0;
};

enum class State : u8 { Absent, Found, Usable, Unusable };
constinit State state = State::Absent;
constinit PhysAddr physical{};
constinit u8 volatile* registers = nullptr;
constinit u64* commands = nullptr;
constinit size_t next_command = 0;  // byte offset
constinit u32 device_count = 0;
constinit u32 collection_count = 0;
constinit u8* properties = nullptr;  // one byte for each LPI
constinit Device* devices = nullptr;
constinit Message messages[kMessageInterrupts]{};
// All of the above: drivers come and go rarely.
constinit smp::SpinLock lock{smp::LockRank::InterruptController, "interrupt translation service"};

u64 read(size_t at) { return arch::mmio_read<u64>(registers + at); }
void write(size_t at, u64 value) { arch::mmio_write<u64>(registers + at, value); }

// Memory that the service keeps for ever.
Result<PhysAddr> table(unsigned order) {
    mem::FrameRef frames = TRY(mem::allocate_frames(order, mem::FrameFill::Zero));
    PhysAddr const address = frames->address();
    (void)frames.leak();
    return address;
}

// Gives it the table at `index`, of one page of the size that it takes, and says for how many entries that is.
Result<u32> give_table(unsigned index) {
    constexpr u64 kPageSizeShift = 8;
    size_t const at = kTables + 8 * index;
    u64 const kind = read(at) & (u64{7} << 56 | u64{0x1f} << 48);
    // What it does not take reads back as something else: the page size, or that it shares our caches.
    write(at, kind | kShareable | kTableCached);
    unsigned const page_size = read(at) >> kPageSizeShift & 3;
    unsigned const order = std::min(2 * page_size, 4u);
    PhysAddr const address = TRY(table(order));
    write(at, kValid | kind | kShareable | kTableCached | u64{page_size} << kPageSizeShift | address.value());
    if ((read(at) & kShareableMask) == 0) return fail(Error::NotSupported);
    u64 const entry = (kind >> 48 & 0x1f) + 1;
    return static_cast<u32>((kPageSize << order) / entry);
}

Result<> start() {
    constexpr u64 kHasLpis = 1u << 17;
    if ((gic_v3_type() & kHasLpis) == 0 || (gic_v3_type() >> 19 & 0x1f) + 1 < kInterruptBits) return fail(Error::NotSupported);
    arch::mmio_write<u32>(registers + kControl, 0);
    for (unsigned i = 0; i < kTableCount; ++i) {
        u64 const kind = read(kTables + 8 * i) >> 56 & 7;
        if (kind == kTableTypeDevices) device_count = TRY(give_table(i));
        if (kind == kTableTypeCollections) collection_count = TRY(give_table(i));
    }
    u64 const type = read(kType);
    device_count = static_cast<u32>(std::min<u64>(device_count, u64{2} << (type >> 13 & 0x1f)));
    u64 const entry = (type >> 4 & 0xf) + 1;
    if ((type >> 8 & 0x1f) + 1 < kEventBits || entry * kEvents > kPageSize) return fail(Error::NotSupported);

    PhysAddr const ring = TRY(table(0));
    commands = arch::phys_to_virt<u64>(ring);
    write(kCommandBase, kValid | kTableCached | kShareable | ring.value());
    if ((read(kCommandBase) & kShareableMask) == 0) return fail(Error::NotSupported);
    write(kCommandWrite, 0);
    PhysAddr const property_table = TRY(table(1));
    properties = arch::phys_to_virt<u8>(property_table);
    std::fill_n(properties, kMessageInterrupts, kPriority);
    arch::mmio_write<u32>(registers + kControl, 1);
    return {};
}

struct Command {
    u64 words[4];
};
Command map_device(u32 device, PhysAddr translations) {
    return {{0x08 | u64{device} << 32, kEventBits - 1, kValid | translations.value(), 0}};
}
Command map_collection(u32 collection, u64 target) { return {{0x09, 0, kValid | target | collection, 0}}; }
Command map_event(Device const& device, u32 event, u32 interrupt, u32 collection) {
    return {{0x0a | u64{device.id} << 32, event | u64{interrupt} << 32, collection, 0}};
}
Command discard(Device const& device, u32 event) { return {{0x0f | u64{device.id} << 32, event, 0, 0}}; }
Command invalidate(Device const& device, u32 event) { return {{0x0c | u64{device.id} << 32, event, 0, 0}}; }
Command synchronise(u64 target) { return {{0x05, 0, target, 0}}; }

// Waits until it has been carried out.
Result<> send(Command const& command) {
    constexpr u64 kStalled = 1;
    constexpr Nanoseconds kPatience = Nanoseconds::from_ms(500);
    std::copy_n(command.words, 4, commands + next_command / sizeof(u64));
    next_command = (next_command + sizeof command) % kPageSize;
    arch::full_barrier();  // the service is no device of the bus that mmio_write() thinks of
    write(kCommandWrite, next_command);
    Nanoseconds const until = hal::now() + kPatience;
    for (;;) {
        bool const last_look = hal::now() > until;  // before it: a host may keep us from running any time
        u64 const done = read(kCommandRead);
        if ((done & kStalled) == 0 && (done & ~u64{0x1f}) == next_command) return {};
        if ((done & kStalled) != 0 || last_look) break;
        arch::pause();
    }
    log_error("interrupt translation: command {:#x} was not carried out; not used any more", command.words[0]);
    state = State::Unusable;
    return fail(Error::IoError);
}

// How commands name a CPU's redistributor.
u64 target_of(Redistributor const& redistributor) {
    constexpr u64 kByAddress = u64{1} << 19;
    if ((read(kType) & kByAddress) != 0) return redistributor.physical.value();
    return (arch::mmio_read<u64>(redistributor.registers + kRedistributorType) >> 8 & 0xffff) << 16;
}

// Lets the CPU have LPIs, and makes it the collection of its number.
Result<> prepare(CpuId cpu, Redistributor const& redistributor) {
    constexpr u32 kEnableLpis = 1;
    u32 const control = arch::mmio_read<u32>(redistributor.registers + kRedistributorControl);
    if ((control & kEnableLpis) != 0) return {};
    PhysAddr const pending = TRY(table(kPendingOrder));
    arch::mmio_write<u64>(redistributor.registers + kPropertyBase,
                          arch::virt_to_phys(properties).value() | kShareable | kRedistributorCached | (kInterruptBits - 1));
    arch::mmio_write<u64>(redistributor.registers + kPendingBase,
                          pending.value() | kShareable | kRedistributorCached | kPendingIsZero);
    arch::mmio_write<u32>(redistributor.registers + kRedistributorControl, control | kEnableLpis);
    arch::full_barrier();
    TRY(send(map_collection(cpu.value(), target_of(redistributor))));
    return send(synchronise(target_of(redistributor)));
}

Result<Device*> find_device(u32 id) {
    for (Device* device = devices; device != nullptr; device = device->next)
        if (device->id == id) return device;
    PhysAddr const translations = TRY(table(0));
    auto* const device = new (std::nothrow) Device{id, 0, devices};
    if (device == nullptr) return fail(Error::NoMemory);
    TRY(send(map_device(id, translations)));
    return devices = device;
}

}  // namespace

void its_found(PhysRange found) {
    physical = found.base;
    registers = static_cast<u8 volatile*>(boot_map_device(found.base, kFrame));
    state = State::Found;
}

bool its_is_usable() {
    smp::SpinIrqGuard const guard{lock};
    if (state == State::Found) {
        auto const started = start();
        if (!started) log_warn("interrupt translation service: not used: {}", started.error());
        state = started ? State::Usable : State::Unusable;
    }
    return state == State::Usable;
}

Result<hal::InterruptMessage> its_map(u32 index, u32 id, CpuId target) {
    if (!its_is_usable()) return fail(Error::NotSupported);
    smp::SpinIrqGuard const guard{lock};
    Redistributor const redistributor = redistributor_of(target);
    if (id >= device_count || target.value() >= collection_count || redistributor.registers == nullptr)
        return fail(Error::NotSupported);
    TRY(prepare(target, redistributor));
    Device* const device = TRY(find_device(id));
    if (device->used == ~u32{0}) return fail(Error::Busy);
    u32 const event = static_cast<u32>(__builtin_ctz(~device->used));
    properties[index] = kPriority | kEnabled;
    TRY(send(map_event(*device, event, kFirstMessageInterrupt + index, target.value())));
    TRY(send(invalidate(*device, event)));
    TRY(send(synchronise(target_of(redistributor))));
    device->used |= 1u << event;
    messages[index] = {device, event};
    return hal::InterruptMessage{(physical + kRaise).value(), event};
}

void its_unmap(u32 index) {
    smp::SpinIrqGuard const guard{lock};
    Message& message = messages[index];
    if (message.device == nullptr || state != State::Usable) return;
    properties[index] = kPriority;
    if (send(invalidate(*message.device, message.event)) && send(discard(*message.device, message.event)))
        message.device->used &= ~(1u << message.event);
    message = {};
}

}  // namespace tutti::platform
