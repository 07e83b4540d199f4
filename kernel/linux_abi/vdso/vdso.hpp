// SPDX-License-Identifier: BSD-3-Clause
// The vDSO on the kernel's side: its pages, the clock data in them, and mapping them into programs.
//
//     base - 1 page   vdso_data.hpp, read-only: written here through the direct map
//     base            the ELF image (image.cpp), read-only and executable: AT_SYSINFO_EHDR
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::vm {
class AddressSpace;
}

namespace tutti::linux_abi::vdso {

// Makes the pages, once at boot, after the clock. Error::NoMemory: programs then run without a vDSO.
[[nodiscard]] Result<> initialize();

// Maps it where the address space has room; returns `base`. All programs share the pages.
// Error::NotFound: initialize() failed; NoMemory. Thread context; may block.
[[nodiscard]] Result<VirtAddr> map(vm::AddressSpace& space);

// Where signal handlers return to in a vDSO mapped at `base`; null where programs bring code of their own for that.
[[nodiscard]] VirtAddr signal_return(VirtAddr base);

// Sets the wall clock, the kernel's and the programs': realtime = monotonic + offset from now on. Any context; callers
// may come at once.
void set_wall_offset(Nanoseconds offset);

}  // namespace tutti::linux_abi::vdso
