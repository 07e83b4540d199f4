// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/finish.hpp"

#include "base/assert.hpp"

namespace tutti::linux_abi {

namespace {

constinit ExitObserver exit_observer = nullptr;  // set once at boot

}  // namespace

void set_exit_observer(ExitObserver observer) { exit_observer = observer; }

void finish_process(Process& process) {
    process.timers().destroy_all();
    process.files().close_all();
    CHECK(exit_observer != nullptr, "a process ended and nobody waits for it");
    exit_observer(process, process.exit_status());
}

}  // namespace tutti::linux_abi
