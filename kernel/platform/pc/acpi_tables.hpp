// SPDX-License-Identifier: BSD-3-Clause
// The few ACPI tables that a virtual machine's boot needs, read with suspicion: every length is checked, every checksum
// verified, and nothing is followed out of the memory that the reader offers. Source: ACPI specification 6.4, chapter 5.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"
#include "hal/virtio_mmio.hpp"
#include "platform/pc/start_info.hpp"

namespace tutti::platform {

struct IoApicDescription {
    u8 id;
    PhysAddr address;
    u32 first_gsi;
};

struct PciSegment {
    PhysAddr ecam_base;  // configuration space of first_bus
    u16 segment;
    u8 first_bus;
    u8 last_bus;
};

// What is wanted of the tables; the callbacks see entries in table order.
class AcpiVisitor {
  public:
    // Enabled processors only; `processor_id` is the number that the rest of the tables knows it by.
    virtual void on_cpu(u32 apic_id, u32 processor_id) = 0;
    virtual void on_io_apic(IoApicDescription const& io_apic) = 0;
    // ISA interrupt `irq` arrives at `gsi`.
    virtual void on_isa_override(u8 irq, u32 gsi, bool level, bool active_low) = 0;
    virtual void on_pci_segment(PciSegment const& segment) = 0;
    // A memory-mapped virtio device that the DSDT describes (hardware id LNRO0005).
    virtual void on_virtio_mmio(hal::VirtioMmioSlot const& slot) = 0;

  protected:
    ~AcpiVisitor() = default;
};

struct AcpiFacts {
    PhysAddr local_apic{0xfee00000};
    u16 pm1a_control_port = 0;   // 0: none
    u16 pm_timer_port = 0;       // 0: none
    bool pm_timer_32bit = false;
    u16 sleep_type_s5 = 0;       // value for PM1a_CNT.SLP_TYP
    bool has_s5 = false;
    u64 reset_register = 0;      // address; see reset_in_io_space
    bool reset_in_io_space = false;
    u8 reset_value = 0;
    u64 sleep_control_register = 0;  // hardware-reduced ACPI; memory address
};

// Error::NotFound: no RSDP at `rsdp` and none in the BIOS area. Error::BadFormat: a table that lies.
[[nodiscard]] Result<AcpiFacts> read_acpi_tables(PhysAddr rsdp, PhysReader read, AcpiVisitor& visitor);

}  // namespace tutti::platform
