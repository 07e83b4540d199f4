// SPDX-License-Identifier: BSD-3-Clause
#include "smp/context/irq_off_watch.hpp"

#include <atomic>

#include "base/log.hpp"
#include "base/symbol_table.hpp"
#include "hal/clock.hpp"
#include "hal/cpu.hpp"

namespace tutti::smp {
namespace {

constexpr Nanoseconds kBareLimit = Nanoseconds::from_ms(2);
constexpr Nanoseconds kVirtualLimit = Nanoseconds::from_ms(500);
constexpr u32 kMaxPlaces = 64;

// relaxed everywhere: numbers for messages.
constinit std::atomic<i64> g_limit{0};
constinit std::atomic<u32> g_reports{0};
constinit std::atomic<void const*> g_places[kMaxPlaces]{};

// Once for each place; once for all when there are too many.
ISR_SAFE void report(void const* place, Nanoseconds duration) {
    for (auto& slot : g_places) {
        void const* seen = slot.load(std::memory_order_relaxed);
        if (seen == nullptr && slot.compare_exchange_strong(seen, place, std::memory_order_relaxed)) {
            g_reports.fetch_add(1, std::memory_order_relaxed);
            SymbolLookup const symbol = lookup_symbol(reinterpret_cast<u64>(place) - 1);
            log_warn("interrupts were off for {} us until {}+{:#x}", duration.count() / 1000,
                     symbol.name != nullptr ? symbol.name : "?", symbol.offset + 1);
            if (&slot == &g_places[kMaxPlaces - 1]) log_warn("further places that keep interrupts off are not reported");
            return;
        }
        if (seen == place) return;
    }
}

}  // namespace

ISR_SAFE void IrqOffWatchOn::start() { since_ = hal::now(); }

ISR_SAFE void IrqOffWatchOn::stop_at(void const* place) {
    Nanoseconds const duration = hal::now() - since_;
    Nanoseconds limit{g_limit.load(std::memory_order_relaxed)};
    if (limit == Nanoseconds{}) {
        if (duration < kBareLimit) [[likely]] return;
        limit = hal::is_virtual_machine() ? kVirtualLimit : kBareLimit;
    }
    if (duration > limit && since_ != Nanoseconds{}) [[unlikely]] report(place, duration);
}

Nanoseconds set_irq_off_limit(Nanoseconds limit) {
    return Nanoseconds{g_limit.exchange(limit.count(), std::memory_order_relaxed)};
}

u32 irq_off_reports() { return g_reports.load(std::memory_order_relaxed); }

}  // namespace tutti::smp
