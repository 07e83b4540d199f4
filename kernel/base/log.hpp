// SPDX-License-Identifier: BSD-3-Clause
// Kernel messages. A line is formatted on the caller's stack and handed to the registered sink, which must be safe
// from any context (smp/debug keeps a lock-free ring; before that the early console writes directly).
#pragma once

#include <atomic>

#include "base/format.hpp"

namespace tutti {

enum class LogLevel : u8 { Error, Warn, Info, Debug };

using LogSink = void (*)(LogLevel level, std::string_view line);
void set_log_sink(LogSink sink);
void set_log_level(LogLevel most_verbose);
[[nodiscard]] bool log_enabled(LogLevel level);

namespace detail {
void log_line(LogLevel level, std::string_view line);
}

template <class... Args>
ISR_SAFE void log(LogLevel level, FormatString<Args...> format, Args const&... args) {
    if (!log_enabled(level)) return;
    char buffer[256];
    detail::log_line(level, format_to(buffer, format, args...));
}
template <class... Args>
ISR_SAFE void log_error(FormatString<Args...> format, Args const&... args) { log<Args...>(LogLevel::Error, format, args...); }
template <class... Args>
ISR_SAFE void log_warn(FormatString<Args...> format, Args const&... args) { log<Args...>(LogLevel::Warn, format, args...); }
template <class... Args>
ISR_SAFE void log_info(FormatString<Args...> format, Args const&... args) { log<Args...>(LogLevel::Info, format, args...); }
template <class... Args>
ISR_SAFE void log_debug(FormatString<Args...> format, Args const&... args) { log<Args...>(LogLevel::Debug, format, args...); }

}  // namespace tutti
