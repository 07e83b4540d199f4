// SPDX-License-Identifier: BSD-3-Clause
// The boot CPU's way from the platform to the first program: each layer in its order (docs/boot.md).
#include "arch/cpu.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/boot_info.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "hal/cpu.hpp"
#include "hal/entry.hpp"
#include "hal/power.hpp"
#include "init/command_line.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "mem/heap/heap.hpp"
#include "mem/paging/kernel_map.hpp"
#include "smp/context/context.hpp"
#include "smp/debug/log_ring.hpp"
#include "smp/debug/panic.hpp"
#include "smp/ipi/call.hpp"

namespace tutti::init {
namespace {

[[noreturn]] void refuse(std::string_view why) {
    hal::early_console_write("tutti: ");
    hal::early_console_write(why);
    hal::early_console_write("\n");
    hal::debug_exit(0x31);
}

}  // namespace
}  // namespace tutti::init

void tutti::hal::kernel_main() {
    FixedString<160> complaint;
    Result<init::CommandLine> const command_line = init::parse_command_line(boot_info().command_line, complaint);
    if (!command_line) init::refuse(complaint);
    set_log_level(command_line->log_level);

    mem::frame_init();
    if (!mem::heap_init(command_line->heap)) init::refuse("kernel command line: unknown heap; known is slab");
    mem::kernel_map_init();

    smp::log_init();
    smp::panic_init();
    smp::wrap_interrupt_hook();
    CHECK(smp::calls_init());
    smp::set_online(CpuId{0});
    auto t0 = now();
    start_secondary_cpus([] { smp::set_online(this_cpu()); arch::enable_interrupts(); for (;;) asm volatile("hlt"); });
    arch::enable_interrupts();
    auto t1 = now();
    while (smp::online_count() < cpu_count()) arch::pause();
    std::atomic<u32> hits{0};
    for (int i = 0; i < 1000; ++i) smp::call_on_all([](void* p) { static_cast<std::atomic<u32>*>(p)->fetch_add(1, std::memory_order_relaxed); }, &hits);
    auto t2 = now();
    auto st = mem::frame_statistics();
    log_error("cpus {} boot {} calls {} in {} ns; frames {} free {} at {}", smp::online_count(), t1 - t0, hits.load(std::memory_order_relaxed), t2 - t1, st.total, st.free, now());
    void* p = mem::heap_allocate(100); void* q = mem::heap_allocate(100000); mem::heap_free(p); mem::heap_free(q);
    log_error("heap {} {}", mem::heap_statistics().bytes_in_use, mem::heap_statistics().bytes_reserved);
    power_off();
}
