// SPDX-License-Identifier: BSD-3-Clause
// What the sanitizers' runtimes ask of the program.
#include "platform/linuxu/sanitizer.hpp"

#include <atomic>

namespace tutti::platform {
namespace {
constinit std::atomic<u32> reports{0};
}
// relaxed: a count.
u32 sanitizer_reports() { return reports.load(std::memory_order_relaxed); }
}  // namespace tutti::platform

extern "C" {

// Called by ThreadSanitizer for each report.
void __tsan_on_report(void*) { tutti::platform::reports.fetch_add(1, std::memory_order_relaxed); }

// Crashes are ours to report; memory is the kernel's own, so there are no leaks to look for, and nobody takes the mark off
// the length of an array that is freed. Frames that the kernel abandons (a thread that ends) are no use after return.
char const* __tsan_default_options() {
    return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:report_signal_unsafe=0:history_size=4:"
           "second_deadlock_stack=1:detect_deadlocks=0";
}
char const* __asan_default_options() {
    return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:detect_leaks=0:"
           "detect_stack_use_after_return=0:use_sigaltstack=0:detect_odr_violation=0:poison_array_cookie=0";
}
char const* __ubsan_default_options() { return "print_stacktrace=1"; }
}
