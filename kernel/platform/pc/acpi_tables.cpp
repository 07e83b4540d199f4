// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/acpi_tables.hpp"

#include <algorithm>
#include <cstring>

#include "base/bits.hpp"
#include "base/log.hpp"

namespace tutti::platform {
namespace {

using Bytes = std::span<u8 const>;
constexpr size_t kHeaderSize = 36;
constexpr u32 kMaxTableSize = 1 << 20;

bool checksum_ok(Bytes bytes) {
    u8 sum = 0;
    for (u8 const byte : bytes) sum = static_cast<u8>(sum + byte);
    return sum == 0;
}
bool signature_is(Bytes table, char const* signature) { return std::memcmp(table.data(), signature, 4) == 0; }

// A whole table with a plausible length and a right checksum, or empty.
Bytes read_table(PhysAddr address, PhysReader read) {
    Bytes const header = read(address, kHeaderSize);
    if (header.empty()) return {};
    u32 const length = load_le<u32>(header.data() + 4);
    if (length < kHeaderSize || length > kMaxTableSize) return {};
    Bytes const table = read(address, length);
    return !table.empty() && checksum_ok(table) ? table : Bytes{};
}

Bytes find_rsdp(PhysAddr hint, PhysReader read) {
    auto const valid = [&](PhysAddr at) -> Bytes {
        Bytes const rsdp = read(at, 20);
        if (rsdp.empty() || std::memcmp(rsdp.data(), "RSD PTR ", 8) != 0 || !checksum_ok(rsdp)) return {};
        if (rsdp[15] < 2) return rsdp;
        return read(at, 36);
    };
    if (!hint.is_null())
        if (Bytes const rsdp = valid(hint); !rsdp.empty()) return rsdp;
    for (u64 at = 0xe0000; at < 0x100000; at += 16)
        if (Bytes const rsdp = valid(PhysAddr{at}); !rsdp.empty()) return rsdp;
    return {};
}

Result<> read_madt(Bytes table, AcpiFacts& facts, AcpiVisitor& visitor) {
    if (table.size() < 44) return fail(Error::BadFormat);
    facts.local_apic = PhysAddr{load_le<u32>(table.data() + 36)};
    for (size_t at = 44; at + 2 <= table.size();) {
        u8 const type = table[at];
        u8 const length = table[at + 1];
        if (length < 2 || at + length > table.size()) return fail(Error::BadFormat);
        u8 const* const entry = table.data() + at;
        constexpr u32 kEnabled = 1;  // others may be added to the running machine: they are not there yet
        if (type == 0 && length >= 8) {
            if ((load_le<u32>(entry + 4) & kEnabled) != 0) visitor.on_cpu(entry[3], entry[2]);
        } else if (type == 9 && length >= 16) {
            if ((load_le<u32>(entry + 8) & kEnabled) != 0)
                visitor.on_cpu(load_le<u32>(entry + 4), load_le<u32>(entry + 12));
        } else if (type == 1 && length >= 12) {
            visitor.on_io_apic({entry[2], PhysAddr{load_le<u32>(entry + 4)}, load_le<u32>(entry + 8)});
        } else if (type == 2 && length >= 10) {
            u16 const flags = load_le<u16>(entry + 8);
            visitor.on_isa_override(entry[3], load_le<u32>(entry + 4), (flags >> 2 & 3) == 3, (flags & 3) == 3);
        } else if (type == 5 && length >= 12) {
            facts.local_apic = PhysAddr{load_le<u64>(entry + 4)};
        }
        at += length;
    }
    return {};
}

// \_S5 is an AML package; a full interpreter for one number is out of proportion, so its well-known encoding is
// searched for: NameOp "_S5_" PackageOp PkgLength NumElements element...
void find_s5(Bytes dsdt, AcpiFacts& facts) {
    for (size_t at = kHeaderSize; at + 12 < dsdt.size(); ++at) {
        if (dsdt[at] != '_' || std::memcmp(dsdt.data() + at, "_S5_", 4) != 0 || dsdt[at + 4] != 0x12) continue;
        size_t cursor = at + 5;
        cursor += (dsdt[cursor] >> 6) + 2u;  // PkgLength bytes and NumElements
        if (cursor + 1 >= dsdt.size()) return;
        if (dsdt[cursor] == 0x0a) ++cursor;  // BytePrefix; otherwise ZeroOp or OneOp stand for themselves
        facts.sleep_type_s5 = dsdt[cursor] & 7;
        facts.has_s5 = true;
        return;
    }
}

// Virtio devices of machines without PCI are AML devices with _HID "LNRO0005" and a _CRS of one 32-bit memory range
// and one extended interrupt (ACPI 6.4, sections 6.4.3.4 and 6.4.3.6). As above, the encoding is searched for.
void find_virtio_mmio(Bytes dsdt, AcpiVisitor& visitor) {
    std::string_view const aml{reinterpret_cast<char const*>(dsdt.data()), dsdt.size()};
    constexpr std::string_view kHardwareId{"LNRO0005", 9};  // with its NUL
    constexpr std::string_view kMemory{"\x86\x09\x00", 3};
    constexpr std::string_view kInterrupt{"\x89\x06\x00", 3};
    constexpr size_t kMemorySize = 12;
    constexpr size_t kInterruptSize = 9;
    for (size_t at = aml.find(kHardwareId); at != aml.npos; at = aml.find(kHardwareId, at + 1)) {
        std::string_view const device = aml.substr(at, aml.find(kHardwareId, at + 1) - at);
        size_t const memory = device.find(kMemory);
        if (memory == device.npos || device.size() - memory < kMemorySize) continue;
        size_t const interrupt = device.find(kInterrupt, memory + kMemorySize);
        if (interrupt == device.npos || device.size() - interrupt < kInterruptSize) continue;
        u8 const flags = static_cast<u8>(device[interrupt + 3]);
        visitor.on_virtio_mmio({PhysAddr{load_le<u32>(device.data() + memory + 4)},
                                load_le<u32>(device.data() + memory + 8),
                                {.gsi = load_le<u32>(device.data() + interrupt + 5), .active_low = (flags & 4) != 0}});
    }
}

void read_fadt(Bytes table, PhysReader read, AcpiFacts& facts, AcpiVisitor& visitor) {
    if (table.size() < 116) return;
    facts.pm1a_control_port = load_le<u16>(table.data() + 64);
    facts.pm_timer_port = table[91] >= 4 ? load_le<u16>(table.data() + 76) : u16{0};
    facts.pm_timer_32bit = (load_le<u32>(table.data() + 112) & (1u << 8)) != 0;
    if (table.size() >= 129 && (load_le<u32>(table.data() + 112) & (1u << 10)) != 0) {
        facts.reset_in_io_space = table[116] == 1;
        facts.reset_register = load_le<u64>(table.data() + 120);
        facts.reset_value = table[128];
    }
    if (table.size() >= 256) facts.sleep_control_register = load_le<u64>(table.data() + 244 + 4);
    u64 dsdt = load_le<u32>(table.data() + 40);
    if (table.size() >= 148)
        if (u64 const wide = load_le<u64>(table.data() + 140); wide != 0) dsdt = wide;
    if (Bytes const aml = read_table(PhysAddr{dsdt}, read); !aml.empty()) {
        find_s5(aml, facts);
        find_virtio_mmio(aml, visitor);
    }
}

void read_mcfg(Bytes table, AcpiVisitor& visitor) {
    for (size_t at = 44; at + 16 <= table.size(); at += 16) {
        u8 const* const entry = table.data() + at;
        visitor.on_pci_segment({PhysAddr{load_le<u64>(entry)}, load_le<u16>(entry + 8), entry[10], entry[11]});
    }
}

}  // namespace

Result<AcpiFacts> read_acpi_tables(PhysAddr hint, PhysReader read, AcpiVisitor& visitor) {
    Bytes const rsdp = find_rsdp(hint, read);
    if (rsdp.empty()) return fail(Error::NotFound);
    bool const extended = rsdp.size() >= 36 && load_le<u64>(rsdp.data() + 24) != 0;
    PhysAddr const root{extended ? load_le<u64>(rsdp.data() + 24) : load_le<u32>(rsdp.data() + 16)};
    Bytes const list = read_table(root, read);
    if (list.empty()) return fail(Error::BadFormat);

    AcpiFacts facts;
    size_t const width = extended ? 8 : 4;
    for (size_t at = kHeaderSize; at + width <= list.size(); at += width) {
        PhysAddr const address{extended ? load_le<u64>(list.data() + at) : load_le<u32>(list.data() + at)};
        Bytes const table = read_table(address, read);
        if (table.empty()) {
            log_warn("ACPI: table at {} is unreadable or has a wrong checksum; ignored", address);
            continue;
        }
        if (signature_is(table, "APIC")) TRY(read_madt(table, facts, visitor));
        if (signature_is(table, "FACP")) read_fadt(table, read, facts, visitor);
        if (signature_is(table, "MCFG")) read_mcfg(table, visitor);
    }
    return facts;
}

}  // namespace tutti::platform
