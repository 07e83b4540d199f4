// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/bus/pci_line.hpp"

#include <atomic>
#include <memory>

#include "hal/pci.hpp"

namespace tutti::drivers {
namespace {

// Both are kept for ever: an interrupt may be looking at them.
struct Sharer {
    std::atomic<hal::InterruptHandler> handler;
    void* argument;
    Sharer* next;
};
struct Line {
    hal::InterruptLine line;
    std::atomic<Sharer*> first{nullptr};
    Line* next = nullptr;
};
constinit Line* g_lines = nullptr;

ISR_SAFE void call_sharers(void* argument) {
    // acquire: pairs with the release in connect_pin().
    for (Sharer* sharer = static_cast<Line*>(argument)->first.load(std::memory_order_acquire); sharer != nullptr;
         sharer = sharer->next)
        if (auto const handler = sharer->handler.load(std::memory_order_relaxed)) handler(sharer->argument);
}

Result<Line*> find_or_route(hal::InterruptLine wanted, CpuId cpu) {
    for (Line* line = g_lines; line != nullptr; line = line->next)
        if (line->line == wanted) return line;
    std::unique_ptr<Line> line{new (std::nothrow) Line};
    if (line == nullptr) return fail(Error::NoMemory);
    line->line = wanted;
    hal::InterruptHandle const handle = TRY(hal::allocate_interrupt(cpu, call_sharers, line.get()));
    if (auto const routed = hal::route_line(wanted, handle); !routed) {
        hal::free_interrupt(handle);
        return fail(routed.error());
    }
    line->next = g_lines;
    return g_lines = line.release();
}

}  // namespace

Result<> connect_pin(PciAddress address, CpuId cpu, hal::InterruptHandler handler, void* argument) {
    constexpr u8 kInterruptPin = 0x3d;
    u8 const pin = pci_read8(address, kInterruptPin);
    if (pin < 1 || pin > 4) return fail(Error::NotSupported);
    auto const wanted = hal::pci_pin_line(address.segment, address.device, pin);
    if (!wanted) return fail(Error::NotSupported);
    Line* const line = TRY(find_or_route(*wanted, cpu));
    auto* const sharer = new (std::nothrow) Sharer{handler, argument, line->first.load(std::memory_order_relaxed)};
    if (sharer == nullptr) return fail(Error::NoMemory);
    line->first.store(sharer, std::memory_order_release);
    return {};
}

void disconnect_pin(void* argument) {
    for (Line* line = g_lines; line != nullptr; line = line->next)
        for (Sharer* sharer = line->first.load(std::memory_order_relaxed); sharer != nullptr; sharer = sharer->next)
            if (sharer->argument == argument) sharer->handler.store(nullptr, std::memory_order_relaxed);
}

}  // namespace tutti::drivers
