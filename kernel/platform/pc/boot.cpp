// SPDX-License-Identifier: BSD-3-Clause
// The boot CPU's path from the PVH entry to init::main(): hand-over structures, tables, memory, per-CPU areas, traps.
#include "arch/cpu.hpp"
#include "arch/fpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "arch/traps.hpp"
#include "base/log.hpp"
#include "hal/boot_info.hpp"
#include "hal/entry.hpp"
#include "platform/pc/acpi_tables.hpp"
#include "platform/pc/boot_memory.hpp"
#include "platform/pc/clock.hpp"
#include "platform/pc/cpus.hpp"
#include "platform/pc/interrupts.hpp"
#include "platform/pc/local_apic.hpp"
#include "platform/pc/pci_segments.hpp"
#include "platform/pc/power.hpp"
#include "platform/pc/start_info.hpp"
#include "platform/pc/virtio_mmio.hpp"
#include "platform/startup/boot_allocator.hpp"
#include "platform/startup/boot_info.hpp"
#include "platform/startup/early_report.hpp"
#include "platform/xen/event_channels.hpp"
#include "platform/xen/shared_info.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform {
namespace {

// The boot page tables map the first 4 GiB; nothing of interest lies above.
std::span<u8 const> read_low_memory(PhysAddr address, u64 size) {
    constexpr u64 kMapped = u64{4} << 30;
    if (address.is_null() || address.value() >= kMapped || size > kMapped - address.value()) return {};
    return {arch::phys_to_virt<u8 const>(address), size};
}

class TableReader final : public AcpiVisitor {
  public:
    void on_cpu(u32 apic_id, u32 processor_id) override { add_cpu(apic_id, processor_id); }
    void on_io_apic(IoApicDescription const& io_apic) override { add_io_apic(io_apic); }
    void on_isa_override(u8 irq, u32 gsi, bool level, bool active_low) override {
        add_isa_override(irq, gsi, level, active_low);
    }
    void on_pci_segment(PciSegment const& segment) override { add_pci_segment(segment); }
    void on_virtio_mmio(hal::VirtioMmioSlot const& slot) override { add_virtio_mmio(slot); }
};

}  // namespace

extern "C" [[noreturn]] void pc_boot(u64 start_info_address) {
    u64 const entry_counter = arch::read_tsc();
    xen::detect();
    early_reports_init();
    Result<StartInfo> const start = parse_start_info(PhysAddr{start_info_address}, read_low_memory, xen::memory_map());
    if (!start) stop("the hypervisor's PVH start information is not valid; version 1 is needed, or Xen");
    boot_memory_init(*start);
    if (xen::present()) {
        xen::shared_info_init();
        set_platform_name("xen");
    }
    boot_info_init({start->ram, start->ram_count}, start->initrd, start->command_line);
    // Firmware tables and the hand-over structures live in the first megabyte; it is left alone.
    add_reserved({PhysAddr{0}, 0x100000});

    TableReader reader;
    Result<AcpiFacts> const acpi = read_acpi_tables(start->rsdp, read_low_memory, reader);
    if (!acpi && acpi.error() == Error::BadFormat) stop("the firmware's ACPI tables are broken");
    if (!acpi) log_warn("no ACPI tables: one CPU, no I/O APIC");
    AcpiFacts const facts = acpi.value_or(AcpiFacts{});
    Calibration calibration;
    calibration.begin(facts);
    add_virtio_mmio_from(hal::boot_info().command_line);

    arch::traps_init();
    kernel_tables_init(*start);  // from here on the text is read-only
    cpus_init();                 // from here on exceptions are reported
    local_apic::init(facts.local_apic);
    local_apic::init_cpu();
    interrupts_init();
    power_init(facts);
    arch::fpu_init();
    clock_init(calibration, entry_counter);
    clock_init_cpu();
    if (xen::present()) {
        xen::event_channels_init();
        xen::event_channels_init_cpu(processor_id_of(CpuId{0}), local_apic::kEventVector);
    }
    boot_allocator_finish();
    hal::kernel_main();
}

}  // namespace tutti::platform
