// SPDX-License-Identifier: BSD-3-Clause
// What base/ and hal/ ask of the platform, on the simulated machine.
#include "base/assert.hpp"
#include "base/log.hpp"
#include "engine/interleave.hpp"
#include "hal/cpu.hpp"
#include "hal/hooks.hpp"

namespace tutti {

namespace {
void report_panic(std::string_view message, char const* file, int line) {
    interleave::fail("panic", "%s:%d: %.*s", file != nullptr ? file : "?", line, static_cast<int>(message.size()), message.data());
}
[[gnu::constructor]] void catch_panics() { set_panic_handler(report_panic); }
}  // namespace

namespace hal {

Hooks hooks;
u32 cpu_count() { return interleave::cpu_count(); }
void* percpu_area(CpuId cpu) { return interleave::percpu_area(cpu.value()); }
bool is_virtual_machine() { return false; }

}  // namespace hal
}  // namespace tutti
