// SPDX-License-Identifier: BSD-3-Clause
// Checks of our own promises. What a program, a device or data can cause is an error value, never an assertion.
#pragma once

#include "base/compiler.hpp"
#include "base/format.hpp"

namespace tutti {

// Stops every CPU, prints the message, the backtraces of all CPUs and ends the machine. Callable from any context.
// The part that stops and prints is registered by smp/debug; before that the platform's own goes without other CPUs.
// `file` is null when the place says nothing (an exception).
[[noreturn]] void panic_formatted(std::string_view message, char const* file, int line);

using PanicHandler = void (*)(std::string_view message, char const* file, int line);
// The handler must not return. Returns the one before (null: none), which a handler that is not concerned calls.
PanicHandler set_panic_handler(PanicHandler handler);

template <class... Args>
[[noreturn]] NOINLINE ISR_SAFE void panic_at(char const* file, int line, FormatString<Args...> format, Args const&... args) {
    char buffer[256];
    panic_formatted(format_to(buffer, format, args...), file, line);
}

[[noreturn]] NOINLINE ISR_SAFE inline void check_failed(char const* file, int line, std::string_view condition) {
    panic_at(file, line, "check failed: {}", condition);
}
template <class... Args>
[[noreturn]] NOINLINE ISR_SAFE void check_failed(char const* file, int line, std::string_view condition,
                                        FormatString<Args...> format, Args const&... args) {
    char buffer[192];
    panic_at(file, line, "check failed: {}: {}", condition, format_to(buffer, format, args...));
}

}  // namespace tutti

#define panic(...) ::tutti::panic_at(TUTTI_FILE_NAME, __LINE__, __VA_ARGS__)

// Always checked. Use where continuing would destroy data.
#define CHECK(condition, ...)                                                                         \
    do {                                                                                              \
        if (!(condition)) [[unlikely]]                                                                \
            ::tutti::check_failed(TUTTI_FILE_NAME, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__);    \
    } while (false)

// Checked in debug builds (the whole test run), gone in release builds.
#define ASSERT(condition, ...)                                     \
    do {                                                           \
        if constexpr (::tutti::kDebugBuild) {                      \
            CHECK(condition __VA_OPT__(, ) __VA_ARGS__);           \
        }                                                          \
    } while (false)
