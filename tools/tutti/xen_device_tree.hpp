// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The device tree with which Xen on Arm64 starts one domain, without a first one (Xen, docs/misc/arm/device-tree/booting.txt).

#include <cstdint>
#include <string>
#include <string_view>

namespace tutti::cli {

// A file that is in the machine's memory when Xen starts.
struct XenModule {
    std::uint64_t address = 0;
    std::uint64_t size = 0;  // 0: none
};

struct XenDomain {
    unsigned cpus = 1;
    std::uint64_t memory = 0;  // bytes
    XenModule kernel;
    XenModule ramdisk;
    std::string kernel_arguments;
    std::string xen_arguments;
};

// The machine's own tree with Xen's words and the domain in /chosen. Throws CliError when `machine_tree` is no device tree.
std::string xen_device_tree(std::string_view machine_tree, XenDomain const& domain);

}  // namespace tutti::cli
