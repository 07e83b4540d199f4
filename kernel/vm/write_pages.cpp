// SPDX-License-Identifier: BSD-3-Clause
// Writing into an address space from outside.
#include <algorithm>
#include <cstring>

#include "arch/instruction_cache.hpp"
#include "arch/memory_layout.hpp"
#include "vm/address_space.hpp"

namespace tutti::vm {

Result<> AddressSpace::write(VirtAddr to, std::span<u8 const> bytes) {
    if (!range_within(to.value(), bytes.size(), arch::kUserEnd)) return fail(Error::BadAddress);
    while (!bytes.empty()) {
        FaultResult const fault = handle_fault(to, {.write = true, .user = true});
        if (fault != FaultResult::Resolved)
            return fail(fault == FaultResult::NoMemory ? Error::NoMemory : Error::BadAddress);
        // With changes_ held the page can only go to a fault, and none displaces a page that is writable already.
        sched::MutexGuard guard{changes_};
        arch::PageEntry const entry = table_.lookup(to.page_base());
        if (!entry.is_writable()) continue;  // protected or unmapped since: the next fault says so
        size_t const count = std::min<size_t>(bytes.size(), kPageSize - to.page_offset());
        std::memcpy(arch::phys_to_virt<u8>(entry.frame()) + to.page_offset(), bytes.data(), count);
        if (entry.is_executable()) arch::publish_instructions(arch::phys_to_virt(entry.frame()));
        to += count;
        bytes = bytes.subspan(count);
    }
    return {};
}

}  // namespace tutti::vm
