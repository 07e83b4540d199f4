// SPDX-License-Identifier: BSD-3-Clause
// Compiles when the architecture has what address spaces and Linux programs need.
#include "arch/contract.hpp"
#include "arch/fpu.hpp"
#include "arch/page_table_format.hpp"
#include "arch/user_access.hpp"
#include "hal/architecture.hpp"

namespace tutti::arch {

struct ProgramPort : CorePort {
    using PageEntry = arch::PageEntry;
    using PagePermissions = arch::PagePermissions;
    TUTTI_MEMBER(table_index)
    TUTTI_MEMBER(entry_span)
    TUTTI_MEMBER(table_entry)
    TUTTI_MEMBER(current_root)
    TUTTI_MEMBER(load_root)
    TUTTI_MEMBER(load_kernel_root)
    TUTTI_MEMBER(publish_entries)
    TUTTI_MEMBER(flush_page)
    TUTTI_MEMBER(flush_range)
    TUTTI_MEMBER(set_syscall_handler)
    TUTTI_MEMBER(enter_user_frame)
    TUTTI_MEMBER(set_kernel_stack)
    TUTTI_MEMBER(find_fixup)
    TUTTI_MEMBER(fpu_area_size)
    TUTTI_MEMBER(fpu_reset)
    TUTTI_MEMBER(fpu_save)
    TUTTI_MEMBER(fpu_restore)
    TUTTI_MEMBER(fpu_sanitize)
};

static_assert(hal::UserFrame<TrapFrame>);
static_assert(hal::PageTables<ProgramPort>);
static_assert(hal::UserMode<ProgramPort>);
static_assert(hal::ProgramArchitecture<ProgramPort>);
// Numbers that portable code builds on.
static_assert(kPageTableLevels >= 3 && kEntriesPerTable == kPageSize / sizeof(PageEntry));
static_assert(kUserEnd % kPageSize == 0 && kKernelMapBase < kKernelMapEnd && kKernelStackSize % kPageSize == 0);
static_assert(std::same_as<decltype(kFlushReachesAllCpus), bool const>);

}  // namespace tutti::arch
