// SPDX-License-Identifier: BSD-3-Clause
// Whatever the tables say, the reader stays inside them, ends, and reports only what can be used.
//
// The first byte chooses: 0 uses the rest as memory as it is; otherwise the rest is a list of tables (u16 length, then
// the table from its signature on) for which the pointers, lengths and checksums are made right, so that the inside of
// the tables is reached.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/bits.hpp"
#include "platform/pc/acpi_tables.hpp"

namespace {

using tutti::PhysAddr;
using tutti::u16;
using tutti::u32;
using tutti::u64;
using tutti::u8;

constexpr u64 kBase = 0x100000;
std::vector<u8> memory;

std::span<u8 const> read(PhysAddr address, u64 size) {
    if (!tutti::range_within(address.value(), size, kBase + memory.size()) || address.value() < kBase) return {};
    return {memory.data() + (address.value() - kBase), size};
}

// Exactly 16-byte aligned pieces, so that addresses stay small and stable.
u32 place(std::vector<u8> const& bytes) {
    memory.resize((memory.size() + 15) / 16 * 16);
    u32 const address = static_cast<u32>(kBase + memory.size());
    memory.insert(memory.end(), bytes.begin(), bytes.end());
    return address;
}
void fix_checksum(std::vector<u8>& table, std::size_t at, std::size_t size) {
    table[at] = 0;
    u8 sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum = static_cast<u8>(sum + table[i]);
    table[at] = static_cast<u8>(-sum);
}
void finish_table(std::vector<u8>& table) {
    if (table.size() < 36) table.resize(36);
    tutti::store_le<u32>(table.data() + 4, static_cast<u32>(table.size()));
    fix_checksum(table, 9, table.size());
}

void build(std::span<u8 const> list) {
    memory.assign(48, 0);  // the RSDP, filled in at the end
    std::vector<u8> root(36);
    u32 dsdt = 0;
    while (list.size() >= 2) {
        std::size_t const length = std::min<std::size_t>(tutti::load_le<u16>(list.data()), list.size() - 2);
        std::vector<u8> table(list.begin() + 2, list.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        list = list.subspan(2 + length);
        if (table.size() >= 148 && std::memcmp(table.data(), "FACP", 4) == 0 && dsdt != 0) {
            tutti::store_le<u32>(table.data() + 40, dsdt);
            tutti::store_le<u64>(table.data() + 140, dsdt);
        }
        finish_table(table);
        u32 const address = place(table);
        if (std::memcmp(table.data(), "DSDT", 4) == 0) {
            dsdt = address;
            continue;
        }
        root.resize(root.size() + 4);
        tutti::store_le<u32>(root.data() + root.size() - 4, address);
    }
    finish_table(root);
    std::vector<u8> rsdp(20);
    std::memcpy(rsdp.data(), "RSD PTR ", 8);
    tutti::store_le<u32>(rsdp.data() + 16, place(root));
    fix_checksum(rsdp, 8, 20);
    std::memcpy(memory.data(), rsdp.data(), rsdp.size());
}

class Visitor final : public tutti::platform::AcpiVisitor {
  public:
    void on_cpu(u32, u32) override { count(); }
    void on_io_apic(tutti::platform::IoApicDescription const&) override { count(); }
    void on_isa_override(u8, u32, bool, bool) override { count(); }
    void on_pci_segment(tutti::platform::PciSegment const&) override { count(); }
    void on_virtio_mmio(tutti::hal::VirtioMmioSlot const&) override { count(); }

  private:
    // No entry takes less than two bytes of a table, and a table is read once for each pointer to it.
    void count() {
        if (++seen_ > memory.size() * memory.size()) std::abort();
    }
    u64 seen_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(u8 const* data, std::size_t size) {
    if (size == 0 || size > 16384) return 0;
    std::span<u8 const> const input{data + 1, size - 1};
    if (data[0] == 0)
        memory.assign(input.begin(), input.end());
    else
        build(input);
    memory.shrink_to_fit();  // an access behind it is one behind the allocation
    Visitor visitor;
    auto const facts = tutti::platform::read_acpi_tables(PhysAddr{kBase}, read, visitor);
    if (facts && facts->sleep_type_s5 > 7) std::abort();
    return 0;
}
