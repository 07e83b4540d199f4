// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.hpp"

#include "base/assert.hpp"

namespace tutti {
namespace {

// Written once or twice during boot, read everywhere: relaxed loads suffice because a sink needs no data beyond the
// pointer itself; set_log_sink's release pairs with log_line's acquire for the sink's own tables.
constinit std::atomic<LogSink> g_sink{nullptr};
constinit std::atomic<LogLevel> g_level{LogLevel::Warn};
constinit std::atomic<PanicHandler> g_panic_handler{nullptr};

}  // namespace

void set_log_sink(LogSink sink) { g_sink.store(sink, std::memory_order_release); }
void set_log_level(LogLevel most_verbose) { g_level.store(most_verbose, std::memory_order_relaxed); }
ISR_SAFE bool log_enabled(LogLevel level) { return level <= g_level.load(std::memory_order_relaxed); }

ISR_SAFE void detail::log_line(LogLevel level, std::string_view line) {
    // Pairs with the release in set_log_sink.
    if (LogSink const sink = g_sink.load(std::memory_order_acquire)) sink(level, line);
}

PanicHandler set_panic_handler(PanicHandler handler) {
    // release: pairs with the acquire in panic_formatted; acquire: whoever set the one before has prepared it.
    return g_panic_handler.exchange(handler, std::memory_order_acq_rel);
}

NOINLINE void panic_formatted(std::string_view message, char const* file, int line) {
    ISR_NOTE("ends-machine", "a bug was found: what follows is the report and the end");
    // Pairs with the release in set_panic_handler.
    if (PanicHandler const handler = g_panic_handler.load(std::memory_order_acquire)) handler(message, file, line);
    detail::log_line(LogLevel::Error, message);
    __builtin_trap();
}

}  // namespace tutti
