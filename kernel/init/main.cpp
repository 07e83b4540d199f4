// SPDX-License-Identifier: BSD-3-Clause
// The boot CPU's way from the platform to the first program: each layer in its order (docs/boot.md). Between two
// milestones only what the earlier ones gave may be used.
#include "base/assert.hpp"
#include "base/log.hpp"
#include "drivers/devices.hpp"
#include "hal/boot_info.hpp"
#include "hal/entry.hpp"
#include "init/core.hpp"
#include "init/crash.hpp"
#include "linux_abi/proc/process_source.hpp"
#include "linux_abi/start.hpp"
#include "vfs/cpio/cpio_loader.hpp"
#include "vfs/devfs/devfs.hpp"
#include "vfs/namespace.hpp"
#include "vfs/procfs/procfs.hpp"
#include "vfs/ramfs/ram_node.hpp"
#include "vfs/sysfs/sysfs.hpp"
#include "vm/address_space.hpp"

namespace tutti::harness {
// tests/harness; only in the test image.
[[noreturn, gnu::weak]] void run_all(std::string_view filter, u64 seed);
}  // namespace tutti::harness

namespace tutti::init {
namespace {

// Devices are found before the other CPUs start: that moves their registers about in the address space, and QEMU before
// 8.2 crashes when a CPU touches device registers (its local APIC's, say) while another does so.
void start_devices(CommandLine const& command_line) {
    drivers::initialize_devices();
    if (!command_line.link_on_console) return;
    if (Result<> const started = drivers::start_link_on_console(); !started)
        log_error("host link on the console: {}", started.error());
}

// The root filesystem in memory, with what the initial archive holds.
void start_files() {
    Result<Ref<vfs::Inode>> root = vfs::make_ram_filesystem(0755);
    CHECK(root, "no memory for the root filesystem: give the machine more memory");
    vfs::set_root_namespace(std::move(*root));
    vfs::Namespace& names = vfs::root_namespace();
    if (hal::boot_info().initrd.size == 0)
        refuse("no initial archive: start programs with `tutti run`");
    if (Result<vfs::CpioSummary> const loaded = vfs::load_cpio(names, hal::boot_info().initrd); !loaded) {
        log_error("initial archive: {}", loaded.error());
        refuse(loaded.error() == Error::NoMemory ? "no memory for the initial archive: give the machine more memory"
                                                 : "the initial archive is damaged");
    }
    CHECK(vfs::mount_devfs(names), "no memory for /dev: give the machine more memory");
}

// /proc and /sys tell about what the layers above the filesystems have.
void start_information() {
    vfs::Namespace& names = vfs::root_namespace();
    CHECK(vfs::mount_procfs(names, linux_abi::process_source()), "no memory for /proc: give the machine more memory");
    CHECK(vfs::mount_sysfs(names), "no memory for /sys: give the machine more memory");
}

}  // namespace
}  // namespace tutti::init

void tutti::hal::kernel_main() {
    using namespace tutti::init;
    CommandLine const command_line = read_command_line();
    start_memory(command_line);
    start_smp_core();
    start_threads();
    vm::init();
    drivers::initialize_entropy();
    bool const is_test_image = harness::run_all != nullptr;
    if (!is_test_image || command_line.devices_in_tests) start_devices(command_line);
    start_other_cpus();
    if (!command_line.crash.empty()) {
        wait_for_all_cpus();
        crash_on_purpose(command_line.crash);
    }
    if (is_test_image) {
        wait_for_all_cpus();
        harness::run_all(command_line.tests, command_line.seed);
    }
    start_files();
    CHECK(linux_abi::initialize(), "no memory for the system call layer: give the machine more memory");
    start_information();
    wait_for_all_cpus();
    linux_abi::run_program();
}
