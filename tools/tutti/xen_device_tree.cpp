// SPDX-License-Identifier: BSD-3-Clause
#include "xen_device_tree.hpp"

#include <libfdt.h>

#include "cli_error.hpp"
#include "size.hpp"

namespace tutti::cli {
namespace {

// A tree that is written to; every call of libfdt either works or throws.
class Tree {
  public:
    explicit Tree(std::string_view blob) : bytes_(blob.size() + kRoom, '\0') {
        if (fdt_check_full(blob.data(), blob.size()) != 0) throw CliError("QEMU's device tree of the machine is damaged.");
        check(fdt_open_into(blob.data(), bytes_.data(), static_cast<int>(bytes_.size())));
    }
    int find(char const* path) { return check(fdt_path_offset(bytes_.data(), path)); }
    int add_node(int parent, std::string const& name) { return check(fdt_add_subnode(bytes_.data(), parent, name.c_str())); }
    void set_text(int node, char const* name, std::string const& text) {
        check(fdt_setprop_string(bytes_.data(), node, name, text.c_str()));
    }
    void set_texts(int node, char const* name, std::initializer_list<char const*> texts) {
        for (char const* text : texts) check(fdt_appendprop_string(bytes_.data(), node, name, text));
    }
    void set_cell(int node, char const* name, std::uint32_t value) {
        check(fdt_setprop_u32(bytes_.data(), node, name, value));
    }
    void set_numbers(int node, char const* name, std::initializer_list<std::uint64_t> numbers) {
        for (std::uint64_t number : numbers) check(fdt_appendprop_u64(bytes_.data(), node, name, number));
    }
    void set_flag(int node, char const* name) { check(fdt_setprop_empty(bytes_.data(), node, name)); }
    std::string packed() {
        check(fdt_pack(bytes_.data()));
        bytes_.resize(fdt_totalsize(bytes_.data()));
        return bytes_;
    }

  private:
    static constexpr std::size_t kRoom = 16384;
    static int check(int result) {
        if (result < 0) throw CliError(std::string("Cannot make the device tree for Xen: ") + fdt_strerror(result) + ".");
        return result;
    }
    std::string bytes_;
};

std::string hexadecimal(std::uint64_t value) {
    std::string digits;
    do {
        digits.insert(digits.begin(), "0123456789abcdef"[value % 16]);
        value /= 16;
    } while (value != 0);
    return digits;
}

}  // namespace

std::string xen_device_tree(std::string_view machine_tree, XenDomain const& config) {
    Tree tree(machine_tree);
    int const chosen = tree.find("/chosen");
    tree.set_cell(chosen, "#address-cells", 2);
    tree.set_cell(chosen, "#size-cells", 2);
    tree.set_text(chosen, "xen,xen-bootargs", config.xen_arguments);
    int const domain = tree.add_node(chosen, "domU1");
    tree.set_text(domain, "compatible", "xen,domain");
    tree.set_cell(domain, "#address-cells", 2);
    tree.set_cell(domain, "#size-cells", 2);
    tree.set_numbers(domain, "memory", {config.memory / kKiB});
    tree.set_cell(domain, "cpus", config.cpus);
    tree.set_flag(domain, "vpl011");
    // A node added last comes first in the tree: what is added below does not move `domain`.
    auto const add_module = [&](XenModule const& module, char const* kind) {
        int const node = tree.add_node(domain, "module@" + hexadecimal(module.address));
        tree.set_texts(node, "compatible", {kind, "multiboot,module"});
        tree.set_numbers(node, "reg", {module.address, module.size});
        return node;
    };
    if (config.ramdisk.size != 0) add_module(config.ramdisk, "multiboot,ramdisk");
    int const kernel = add_module(config.kernel, "multiboot,kernel");
    tree.set_text(kernel, "bootargs", config.kernel_arguments);
    return tree.packed();
}

}  // namespace tutti::cli
