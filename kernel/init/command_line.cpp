// SPDX-License-Identifier: BSD-3-Clause
#include "init/command_line.hpp"

#include "init/crash.hpp"

namespace tutti::init {
namespace {

bool parse_level(std::string_view text, LogLevel& level) {
    constexpr struct {
        std::string_view name;
        LogLevel level;
    } kLevels[] = {{"error", LogLevel::Error}, {"warn", LogLevel::Warn}, {"info", LogLevel::Info}, {"debug", LogLevel::Debug}};
    for (auto const& entry : kLevels)
        if (entry.name == text) {
            level = entry.level;
            return true;
        }
    return false;
}

bool parse_number(std::string_view text, u64& number) {
    if (text.empty()) return false;
    number = 0;
    for (char const c : text) {
        if (c < '0' || c > '9') return false;
        if (__builtin_mul_overflow(number, 10u, &number) || __builtin_add_overflow(number, static_cast<u64>(c - '0'), &number))
            return false;
    }
    return true;
}

}  // namespace

Result<CommandLine> parse_command_line(std::string_view text, FixedString<160>& complaint) {
    CommandLine line;
    char buffer[160];
    auto const refuse = [&](std::string_view word, std::string_view why) {
        complaint.assign(format_to(buffer, "kernel command line: '{}': {}", word, why));
        return fail(Error::InvalidArgument);
    };
    while (!text.empty()) {
        size_t const space = text.find(' ');
        std::string_view const word = text.substr(0, space);
        text = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
        if (word.empty()) continue;
        size_t const equals = word.find('=');
        std::string_view const key = word.substr(0, equals);
        std::string_view const value = equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
        if (key == "log") {
            if (!parse_level(value, line.log_level)) return refuse(word, "log is error, warn, info or debug");
        } else if (key == "heap") {
            line.heap = value;
        } else if (key == "link") {
            if (value != "console") return refuse(word, "link is console, or left out");
            line.link_on_console = true;
        } else if (key == "devices") {
            if (value != "yes") return refuse(word, "devices is yes, or left out");
            line.devices_in_tests = true;
        } else if (key == "tests") {
            line.tests = value;
        } else if (key == "seed") {
            if (!parse_number(value, line.seed)) return refuse(word, "seed is a decimal number");
        } else if (kDebugBuild && key == "crash") {
            if (!is_crash_kind(value)) return refuse(word, "unknown way to crash (kernel/init/crash.hpp)");
            line.crash = value;
        } else if (key == "virtio_mmio.device") {
            continue;  // QEMU microvm describes its devices this way; platform/pc reads it
        } else {
            return refuse(word, "unknown word; known are log, heap, link, devices, tests and seed");
        }
    }
    return line;
}

}  // namespace tutti::init
