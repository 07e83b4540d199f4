// SPDX-License-Identifier: BSD-3-Clause
// The entry of images that hold the portable core only (linuxu under sanitizers or on Arm64): runs the unit tests.
#include "hal/entry.hpp"
#include "init/core.hpp"
#include "init/crash.hpp"

namespace tutti::harness {
[[noreturn, gnu::weak]] void run_all(std::string_view filter, u64 seed);
}  // namespace tutti::harness
namespace tutti::vm {
[[gnu::weak]] void init();  // where address spaces are in the image
}  // namespace tutti::vm

void tutti::hal::kernel_main() {
    using namespace tutti::init;
    CommandLine const command_line = read_command_line();
    start_memory(command_line);
    start_smp_core();
    start_threads();
    if (vm::init != nullptr) vm::init();
    start_other_cpus();
    wait_for_all_cpus();
    if (!command_line.crash.empty()) crash_on_purpose(command_line.crash);
    if (harness::run_all == nullptr) refuse("no tests in this image");
    harness::run_all(command_line.tests, command_line.seed);
}
