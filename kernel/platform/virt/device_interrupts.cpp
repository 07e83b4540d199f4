// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/device_interrupts.hpp"

#include <atomic>

#include "arch/mmio.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/cpu.hpp"
#include "hal/interrupts.hpp"
#include "platform/virt/boot_memory.hpp"
#include "platform/virt/devices.hpp"
#include "platform/virt/its.hpp"

namespace tutti::platform {
namespace {

// A place is free when handler is null and argument too. The argument is written before the handler (release) and read
// after it (acquire, in device_interrupt()), so an interrupt never sees a handler with another's argument.
struct Place {
    std::atomic<hal::InterruptHandler> handler{nullptr};
    std::atomic<void*> argument{nullptr};
    std::atomic<u32> interrupt{0};  // the one that leads here; 0: none yet
};
constexpr size_t kPlaces = 1024;
constinit Place places[kPlaces]{};

// For each shared interrupt, its place plus one; 0: nobody's. Then the same for those that are messages only.
constexpr u32 kShared = kEndOfSharedInterrupts - kFirstSharedInterrupt;
constinit std::atomic<u16> place_of[kShared + kMessageInterrupts]{};

constinit GicOperations const* gic = nullptr;
constinit u32 shared_end = 0;

struct Frame {
    PhysAddr registers;
    u32 first;
    u32 end;
};
constinit Frame frames[TreeDevices::kMaxFrames]{};
constinit size_t frame_count = 0;

// GICv2m (Arm Server Base System Architecture, appendix E): MSI_TYPER names the interrupts, a write of a number to
// MSI_SETSPI_NS raises it.
constexpr size_t kFrameType = 0x008;
constexpr size_t kFrameRaise = 0x040;

void add_frame(MessageFrame const& found) {
    u32 first = found.first;
    u32 count = found.count;
    if (count == 0) {
        auto* const registers = static_cast<u8 volatile*>(boot_map_device(found.registers.base, kPageSize));
        u32 const type = arch::mmio_read<u32>(registers + kFrameType);
        first = type >> 16 & 0x3ff;
        count = type & 0x3ff;
    }
    if (first < kFirstSharedInterrupt || count == 0 || first + count > shared_end) {
        log_warn("GICv2m: interrupts {} to {} that the controller does not have; not used", first, first + count);
        return;
    }
    frames[frame_count++] = {found.registers.base, first, first + count};
}

bool is_line(u32 number) { return number >= kFirstSharedInterrupt && number < shared_end; }
ISR_SAFE bool is_message(u32 number) {
    return number >= kFirstMessageInterrupt && number < kFirstMessageInterrupt + kMessageInterrupts;
}
// Of an interrupt that is one of the two.
ISR_SAFE std::atomic<u16>& place_for(u32 number) {
    return place_of[is_message(number) ? kShared + number - kFirstMessageInterrupt : number - kFirstSharedInterrupt];
}

// Makes `interrupt` lead to a place, if it leads nowhere yet.
bool bind(u32 interrupt, u16 place) {
    u16 nobody = 0;
    // relaxed: the place itself publishes its handler.
    if (!place_for(interrupt).compare_exchange_strong(nobody, place + 1, std::memory_order_relaxed))
        return false;
    places[place].interrupt.store(interrupt, std::memory_order_relaxed);
    return true;
}

void unbind(u32 interrupt) {
    if (is_message(interrupt))
        its_unmap(interrupt - kFirstMessageInterrupt);
    else
        gic->disable(interrupt);
    u16 const place = place_for(interrupt).exchange(0, std::memory_order_relaxed);
    if (place != 0) places[place - 1].interrupt.store(0, std::memory_order_relaxed);
}

}  // namespace

void device_interrupts_init(GicOperations const& operations, TreeDevices const& devices) {
    gic = &operations;
    shared_end = gic->shared_end();
    for (size_t i = 0; i < devices.frame_count; ++i) add_frame(devices.frames[i]);
    if (frame_count == 0 && devices.translation_service.size != 0) its_found(devices.translation_service);
}

ISR_SAFE void device_interrupt(u32 number) {
    u16 const place = is_line(number) || is_message(number) ? place_for(number).load(std::memory_order_relaxed) : 0;
    if (place != 0) {
        // Pairs with the release in allocate_interrupt().
        if (auto const handler = places[place - 1].handler.load(std::memory_order_acquire)) {
            handler(places[place - 1].argument.load(std::memory_order_relaxed));
            return;
        }
    }
    log_warn("interrupt {} that nobody wanted", number);
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

Result<InterruptHandle> allocate_interrupt(CpuId target, InterruptHandler handler, void* argument) {
    CHECK(target.value() < cpu_count() && handler != nullptr);
    if (!gic->reaches(target)) return fail(Error::NotSupported);
    for (size_t i = 0; i < kPlaces; ++i) {
        Place& place = places[i];
        if (place.handler.load(std::memory_order_relaxed) != nullptr) continue;
        // The argument claims the place (a unique non-null marker), the handler opens it to interrupts.
        void* expected = nullptr;
        void* const claim = argument != nullptr ? argument : &place;
        if (!place.argument.compare_exchange_strong(expected, claim, std::memory_order_relaxed)) continue;
        place.handler.store(handler, std::memory_order_release);
        return InterruptHandle{static_cast<u16>(i), target};
    }
    return fail(Error::Busy);
}

void free_interrupt(InterruptHandle handle) {
    Place& place = places[handle.vector];
    if (u32 const interrupt = place.interrupt.load(std::memory_order_relaxed)) unbind(interrupt);
    place.handler.store(nullptr, std::memory_order_relaxed);
    // release: a new owner that claims the argument finds the handler gone.
    place.argument.store(nullptr, std::memory_order_release);
}

bool has_interrupt_messages() { return frame_count != 0 || its_is_usable(); }

Result<InterruptMessage> interrupt_message(InterruptHandle handle, MessageSource source) {
    for (size_t i = 0; i < frame_count; ++i)
        for (u32 interrupt = frames[i].first; interrupt < frames[i].end; ++interrupt)
            if (bind(interrupt, handle.vector)) {
                gic->route(interrupt, handle.cpu, TriggerMode::Edge);
                return InterruptMessage{(frames[i].registers + kFrameRaise).value(), interrupt};
            }
    if (frame_count != 0) return fail(Error::Busy);
    auto const device = message_device(source);
    if (!device) return fail(Error::NotSupported);
    for (u32 index = 0; index < kMessageInterrupts; ++index) {
        u32 const interrupt = kFirstMessageInterrupt + index;
        if (!bind(interrupt, handle.vector)) continue;
        auto const message = its_map(index, *device, handle.cpu);
        if (!message) unbind(interrupt);
        return message;
    }
    return fail(Error::Busy);
}

Result<> route_line(InterruptLine line, InterruptHandle handle) {
    if (!is_line(line.gsi) || line.active_low) return fail(Error::NotFound);
    if (!bind(line.gsi, handle.vector)) return fail(Error::Busy);
    gic->route(line.gsi, handle.cpu, line.mode);
    return {};
}

void mask_line(u32 gsi) {
    if (is_line(gsi)) unbind(gsi);
}

}  // namespace tutti::hal
