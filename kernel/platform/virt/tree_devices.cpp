// SPDX-License-Identifier: BSD-3-Clause
#include "platform/virt/tree_devices.hpp"

#include "base/log.hpp"
#include "platform/virt/flat_tree.hpp"

namespace tutti::platform {
namespace {

constexpr u64 kBusSize = u64{1} << 20;  // ECAM: 32 devices of 8 functions of 4 KiB
constexpr size_t kCell = 4;
constexpr size_t kPciAddressCells = 3;

// Takes cells off the front of a property.
class Cells {
  public:
    explicit Cells(std::span<u8 const> bytes) : bytes_{bytes} {}
    [[nodiscard]] bool has(size_t cells) const { return bytes_.size() / kCell >= cells; }
    // At most two cells; fewer than that left read as 0.
    u64 take(size_t cells) {
        if (!has(cells)) return 0;
        u64 const value = FlatTree::number(bytes_.first(cells * kCell));
        bytes_ = bytes_.subspan(cells * kCell);
        return value;
    }

  private:
    std::span<u8 const> bytes_;
};

class Reader {
  public:
    Reader(std::span<u8 const> blob, DeviceTree const& tree, TreeDevices& out) : tree_{blob}, facts_{tree}, out_{out} {}

    void read() {
        tree_.for_each_child(tree_.root(), [&](int node) {
            if (is_gic(node)) gic_ = node;
        });
        if (gic_ < 0) return;
        gic_phandle_ = fdt_get_phandle(tree_.blob(), gic_);
        tree_.for_each_child(gic_, [&](int node) {
            if (!tree_.is_enabled(node)) return;
            if (tree_.is_compatible(node, "arm,gic-v2m-frame")) read_message_frame(node);
            if (tree_.is_compatible(node, "arm,gic-v3-its")) read_translation_service(node);
        });
        tree_.for_each_child(tree_.root(), [&](int node) {
            if (!tree_.is_enabled(node)) return;
            if (tree_.is_compatible(node, "virtio,mmio")) read_slot(node);
            if (tree_.is_compatible(node, "pci-host-ecam-generic")) read_host(node);
        });
    }

  private:
    [[nodiscard]] std::string_view name(int node) const {
        char const* const text = fdt_get_name(tree_.blob(), node, nullptr);
        return text == nullptr ? "?" : text;
    }
    // The controller that DeviceTree tells of, by its address.
    [[nodiscard]] bool is_gic(int node) const {
        if (fdt_getprop(tree_.blob(), node, "interrupt-controller", nullptr) == nullptr) return false;
        return RegisterList{tree_, tree_.root(), node}[0].base == facts_.gic.distributor.base;
    }
    [[nodiscard]] bool is_usable(PhysRange range) const {
        if (range.size == 0) return false;
        for (size_t i = 0; i < facts_.ram_count; ++i)
            if (range.base < facts_.ram[i].end() && facts_.ram[i].base < range.end()) return false;
        return true;
    }
    [[nodiscard]] bool goes_to_gic(int node) const {
        std::span<u8 const> parent = tree_.property(node, "interrupt-parent");
        if (parent.empty()) parent = tree_.property(tree_.root(), "interrupt-parent");
        return parent.size() == kCell && gic_phandle_ != 0 && FlatTree::number(parent) == gic_phandle_;
    }
    // Three cells: kind, number, flags.
    [[nodiscard]] static std::optional<hal::InterruptLine> interrupt(Cells cells) {
        if (!cells.has(3)) return std::nullopt;
        u64 const kind = cells.take(1);
        u64 const number = cells.take(1);
        u64 const trigger = cells.take(1) & 0xf;
        constexpr u64 kShared = 0;
        constexpr u64 kRisingEdge = 1;
        constexpr u64 kHighLevel = 4;  // the controller has no other two
        if (kind != kShared || number >= kEndOfSharedInterrupts - kFirstSharedInterrupt) return std::nullopt;
        if (trigger != kRisingEdge && trigger != kHighLevel) return std::nullopt;
        return hal::InterruptLine{.gsi = kFirstSharedInterrupt + static_cast<u32>(number),
                                  .mode = trigger == kRisingEdge ? hal::TriggerMode::Edge : hal::TriggerMode::Level};
    }

    void read_message_frame(int node) {
        MessageFrame frame{.registers = RegisterList{tree_, gic_, node}[0]};
        std::span<u8 const> const first = tree_.property(node, "arm,msi-base-spi");
        std::span<u8 const> const count = tree_.property(node, "arm,msi-num-spis");
        if (first.size() == kCell && count.size() == kCell) {
            u64 const from = FlatTree::number(first);
            u64 const number = FlatTree::number(count);
            if (from < kFirstSharedInterrupt || !range_within(from, number, kEndOfSharedInterrupts)) frame.registers.size = 0;
            frame.first = static_cast<u32>(from);
            frame.count = static_cast<u32>(number);
        }
        if (frame.registers.size < kPageSize || !is_usable(frame.registers))
            log_warn("device tree: {}: no valid place or interrupts; not used", name(node));
        else if (out_.frame_count == TreeDevices::kMaxFrames)
            log_warn("device tree: {}: more than {} of its kind; not used", name(node), TreeDevices::kMaxFrames);
        else
            out_.frames[out_.frame_count++] = frame;
    }

    void read_translation_service(int node) {
        constexpr u64 kSize = 0x20000;
        PhysRange const registers = RegisterList{tree_, gic_, node}[0];
        if (registers.size < kSize || !is_usable(registers)) {
            log_warn("device tree: {}: no valid place; not used", name(node));
        } else if (out_.translation_service.size == 0) {
            out_.translation_service = registers;
            service_phandle_ = fdt_get_phandle(tree_.blob(), node);
        }
    }

    void read_slot(int node) {
        PhysRange const registers = RegisterList{tree_, tree_.root(), node}[0];
        auto const line = interrupt(Cells{tree_.property(node, "interrupts")});
        constexpr u64 kMaxSize = u64{1} << 20;
        if (!is_usable(registers) || registers.size > kMaxSize)
            log_warn("device tree: {}: no valid place; not used", name(node));
        else if (!line || !goes_to_gic(node))
            log_warn("device tree: {}: no interrupt that we know; not used", name(node));
        else if (out_.slot_count == TreeDevices::kMaxSlots)
            log_warn("device tree: {}: more than {} of its kind; not used", name(node), TreeDevices::kMaxSlots);
        else
            out_.slots[out_.slot_count++] = {registers.base, registers.size, *line};
    }

    void read_host(int node) {
        if (out_.host_count == TreeDevices::kMaxHosts) {
            log_warn("device tree: {}: more than {} of its kind; not used", name(node), TreeDevices::kMaxHosts);
            return;
        }
        PciHost& host = out_.hosts[out_.host_count];
        host = {};
        u64 last_bus = 0xff;
        if (std::span<u8 const> const range = tree_.property(node, "bus-range"); !range.empty()) {
            Cells cells{range};
            u64 const first = cells.take(1);
            last_bus = cells.take(1);
            if (range.size() != 2 * kCell || first > last_bus || last_bus > 0xff) {
                log_warn("device tree: {}: no valid range of buses; not used", name(node));
                return;
            }
            host.first_bus = static_cast<u8>(first);
        }
        if (std::span<u8 const> const domain = tree_.property(node, "linux,pci-domain"); domain.size() == kCell)
            host.segment = static_cast<u16>(FlatTree::number(domain));
        for (size_t i = 0; i < out_.host_count; ++i)
            if (out_.hosts[i].segment == host.segment) {
                log_warn("device tree: {}: a second bridge of PCI segment {}; not used", name(node), host.segment);
                return;
            }
        host.configuration = RegisterList{tree_, tree_.root(), node}[0];
        u64 const buses = host.configuration.size / kBusSize;
        if (buses == 0 || !is_usable(host.configuration)) {
            log_warn("device tree: {}: no valid configuration space; not used", name(node));
            return;
        }
        last_bus = std::min(last_bus, host.first_bus + buses - 1);
        host.last_bus = static_cast<u8>(last_bus);
        host.configuration.size = (last_bus - host.first_bus + 1) * kBusSize;
        if (tree_.cells(node, "#size-cells", 0) != 2 || address_cells(node) != kPciAddressCells) {
            log_warn("device tree: {}: not the cells of PCI; not used", name(node));
            return;
        }
        read_apertures(node, host);
        if (host.aperture_count == 0) {
            log_warn("device tree: {}: no room for device memory; not used", name(node));
            return;
        }
        read_pins(node, host);
        read_message_maps(node, host);
        ++out_.host_count;
    }

    [[nodiscard]] size_t address_cells(int node) const {
        std::span<u8 const> const value = tree_.property(node, "#address-cells");
        return value.size() == kCell ? FlatTree::number(value) : 0;
    }

    void read_apertures(int node, PciHost& host) {
        size_t const parent_cells = tree_.cells(tree_.root(), "#address-cells", 2);
        if (parent_cells == 0) return;
        Cells cells{tree_.property(node, "ranges")};
        while (cells.has(kPciAddressCells + parent_cells + 2)) {
            u64 const kind = cells.take(1) >> 24 & 3;
            u64 const bus_address = cells.take(2);
            u64 const base = cells.take(parent_cells);
            u64 const size = cells.take(2);
            constexpr u64 kMemory32 = 2;
            constexpr u64 kMemory64 = 3;
            if (kind != kMemory32 && kind != kMemory64) continue;  // x86 has ports, and no device that we drive needs one
            PhysRange const place{PhysAddr{base}, size};
            if (!range_within(base, size, kPhysicalEnd) || bus_address + size < bus_address || !is_usable(place))
                log_warn("device tree: {}: a range that cannot be", name(node));
            else if (host.aperture_count == PciHost::kMaxApertures)
                log_warn("device tree: {}: more than {} ranges; the rest is not used", name(node), PciHost::kMaxApertures);
            else
                host.apertures[host.aperture_count++] = {place.base, bus_address, size};
        }
    }

    // Entries: device address (3 cells), pin, controller, address there (as many cells as it wants), interrupt (3 cells).
    void read_pins(int node, PciHost& host) {
        std::span<u8 const> const mask = tree_.property(node, "interrupt-map-mask");
        if (mask.size() != 4 * kCell || gic_phandle_ == 0) return;
        Cells mask_cells{mask};
        host.device_mask = static_cast<u8>(mask_cells.take(1) >> 11 & 0x1f);
        (void)mask_cells.take(2);
        host.pin_mask = static_cast<u8>(mask_cells.take(1) & 7);
        size_t const gic_cells = address_cells(gic_);
        if (gic_cells > 2) return;
        Cells cells{tree_.property(node, "interrupt-map")};
        while (cells.has(kPciAddressCells + 2 + gic_cells + 3)) {
            u64 const device = cells.take(1) >> 11 & 0x1f;
            (void)cells.take(2);
            u64 const pin = cells.take(1);
            if (cells.take(1) != gic_phandle_) {
                log_warn("device tree: {}: interrupt pins go to a controller that we do not know", name(node));
                return;  // how long its entries are we do not know either
            }
            (void)cells.take(gic_cells);
            auto const line = interrupt(cells);
            (void)cells.take(2);
            (void)cells.take(1);
            if (!line) {
                log_warn("device tree: {}: an interrupt pin goes nowhere", name(node));
                continue;
            }
            if (host.pin_count == PciHost::kMaxPins) return;
            host.pins[host.pin_count++] = {static_cast<u8>(device & host.device_mask), static_cast<u8>(pin & host.pin_mask), *line};
        }
    }

    // msi-map: requester, controller, device there, count. msi-parent: all, under their own numbers.
    void read_message_maps(int node, PciHost& host) {
        constexpr u32 kRequesters = 0x10000;
        if (service_phandle_ == 0) return;
        if (std::span<u8 const> const parent = tree_.property(node, "msi-parent");
            parent.size() == kCell && FlatTree::number(parent) == service_phandle_)
            host.message_maps[host.message_map_count++] = {0, 0, kRequesters};
        Cells cells{tree_.property(node, "msi-map")};
        while (cells.has(4) && host.message_map_count < PciHost::kMaxMessageMaps) {
            u32 const requester = static_cast<u32>(cells.take(1));
            u64 const controller = cells.take(1);
            u32 const device = static_cast<u32>(cells.take(1));
            u32 const count = static_cast<u32>(cells.take(1));
            if (controller != service_phandle_) continue;
            if (!range_within(requester, count, kRequesters) || device + count < device)
                log_warn("device tree: {}: a map of messages that cannot be", name(node));
            else
                host.message_maps[host.message_map_count++] = {requester, device, count};
        }
    }

    FlatTree tree_;
    DeviceTree const& facts_;
    TreeDevices& out_;
    int gic_ = -1;
    u32 gic_phandle_ = 0;
    u32 service_phandle_ = 0;
};

}  // namespace

std::optional<hal::InterruptLine> PciHost::pin_line(u8 device, u8 pin) const {
    for (size_t i = 0; i < pin_count; ++i)
        if (pins[i].device == (device & device_mask) && pins[i].pin == (pin & pin_mask)) return pins[i].line;
    return std::nullopt;
}

std::optional<u32> PciHost::message_device(u16 requester) const {
    for (size_t i = 0; i < message_map_count; ++i) {
        MessageMap const& map = message_maps[i];
        if (requester >= map.first_requester && requester - map.first_requester < map.count)
            return map.first_device + (requester - map.first_requester);
    }
    return std::nullopt;
}

void read_tree_devices(std::span<u8 const> blob, DeviceTree const& tree, TreeDevices& out) {
    out.slot_count = out.host_count = out.frame_count = 0;
    out.translation_service = {};
    Reader{blob, tree, out}.read();
}

}  // namespace tutti::platform
