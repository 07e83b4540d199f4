// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/memory.hpp"

#include <algorithm>

#include "base/bits.hpp"
#include "linux_abi/syscall/file_support.hpp"
#include "vfs/ramfs/ram_pages.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u64 kLargestLength = u64{1} << 47;

vm::Protection to_protection(u32 protection) {
    // x86 has no execute-only or write-only pages: what may be written or executed may be read.
    bool const any = (protection & (kProtRead | kProtWrite | kProtExec)) != 0;
    return {.read = any, .write = (protection & kProtWrite) != 0, .execute = (protection & kProtExec) != 0};
}

vm::AddressSpace& space_of(Task& task) { return task.process().address_space(); }

// The backing of a file mapping, with the checks of mmap(2).
Result<Ref<vm::Backing>> file_backing(vfs::File& file, u32 protection, bool shared) {
    if (!file.flags().has(vfs::OpenFlags::Read)) return fail(Error::AccessDenied);
    if (shared && (protection & kProtWrite) != 0 && !file.flags().has(vfs::OpenFlags::Write))
        return fail(Error::AccessDenied);
    return file.backing();
}

// Shared anonymous memory is a nameless file, so that shared futexes and remapping see one object.
Result<Ref<vm::Backing>> shared_memory(u64 length) {
    Ref<vfs::RamPages> const pages = TRY(make_ref<vfs::RamPages>());
    TRY(pages->resize(align_up(length, kPageSize)));
    pages->set_description("/dev/zero (deleted)", 1, 0);
    return Ref<vm::Backing>{pages};
}

Result<> check_range(u64 address, u64& length) {
    if ((address & kPageMask) != 0) return fail(Error::InvalidArgument);
    if (length > kLargestLength) return fail(Error::NoMemory);
    length = align_up(length, kPageSize);
    if (!vm::is_user_range(VirtAddr{address}, length)) return fail(Error::NoMemory);
    return {};
}

}  // namespace

SyscallResult sys_mmap(Task& task, u64 address, u64 length, u32 protection, u32 flags, i32 fd, u64 offset) {
    if (length == 0 || (offset & kPageMask) != 0) return kEINVAL;
    if (length > kLargestLength) return kENOMEM;
    u32 const type = flags & kMapTypeMask;
    if (type != kMapShared && type != kMapPrivate && type != kMapSharedValidate) return kEINVAL;
    if ((flags & kMapHugeTlb) != 0) return kENOMEM;  // as a Linux without reserved huge pages
    if (type == kMapSharedValidate && (flags & kMapSync) != 0) return kEOPNOTSUPP;
    bool const shared = type != kMapPrivate;
    if (offset + align_up(length, kPageSize) < offset) return kEOVERFLOW;

    vm::MapRequest request;
    request.length = length;
    request.protection = to_protection(protection);
    request.shared = shared;
    request.grows_down = (flags & kMapGrowsDown) != 0;
    request.populate = (flags & (kMapPopulate | kMapLocked)) != 0 && (flags & kMapNonBlock) == 0;
    request.no_reserve = (flags & kMapNoReserve) != 0;
    request.below_4g = (flags & kMap32Bit) != 0;
    request.address = VirtAddr{address};
    if ((flags & kMapFixedNoReplace) != 0)
        request.placement = vm::Placement::FixedIfFree;
    else if ((flags & kMapFixed) != 0)
        request.placement = vm::Placement::Fixed;
    else
        request.address = request.address.page_base();
    if (request.placement != vm::Placement::Anywhere) {
        if ((address & kPageMask) != 0) return kEINVAL;
        if (!vm::is_user_range(request.address, align_up(length, kPageSize))) return kENOMEM;
    }
    if ((flags & kMapAnonymous) == 0) {
        Ref<vfs::File> const file = TRY(file_of(task, fd));
        request.backing = TRY(file_backing(*file, protection, shared));
        request.offset = offset;
        request.may_write = !shared || file->flags().has(vfs::OpenFlags::Write);
    } else if (shared) {
        request.backing = TRY(shared_memory(length));
    }
    return TRY(space_of(task).map(request)).value();
}

SyscallResult sys_munmap(Task& task, u64 address, u64 length) {
    if ((address & kPageMask) != 0 || length == 0 || length > kLargestLength) return kEINVAL;
    length = align_up(length, kPageSize);
    if (!vm::is_user_range(VirtAddr{address}, length)) return kEINVAL;
    return space_of(task).unmap(VirtAddr{address}, length);
}

SyscallResult sys_mprotect(Task& task, u64 address, u64 length, u32 protection) {
    constexpr u32 kKnown = kProtRead | kProtWrite | kProtExec | kProtSem;
    constexpr u32 kGrows = kProtGrowsDown | kProtGrowsUp;
    if ((protection & ~(kKnown | kGrows)) != 0 || (protection & kGrows) == kGrows) return kEINVAL;
    TRY(check_range(address, length));
    if (length == 0) return 0;
    if ((protection & kProtGrowsDown) != 0) {  // from the start of the stack's area (pthread stacks of glibc)
        vm::AreaInfo const area = TRY(space_of(task).area_at(VirtAddr{address}));
        length += VirtAddr{address} - area.start;
        address = area.start.value();
    }
    return space_of(task).protect(VirtAddr{address}, length, to_protection(protection));
}

SyscallResult sys_mremap(Task& task, u64 old_address, u64 old_length, u64 new_length, u32 flags, u64 new_address) {
    constexpr u32 kKnown = kMremapMayMove | kMremapFixed | kMremapDontUnmap;
    if ((flags & ~kKnown) != 0 || new_length == 0 || (old_address & kPageMask) != 0) return kEINVAL;
    bool const fixed = (flags & kMremapFixed) != 0;
    bool const keep = (flags & kMremapDontUnmap) != 0;
    if ((fixed || keep) && (flags & kMremapMayMove) == 0) return kEINVAL;
    if (keep && old_length != new_length) return kEINVAL;
    if (old_length > kLargestLength || new_length > kLargestLength) return kEINVAL;
    old_length = align_up(old_length, kPageSize);
    new_length = align_up(new_length, kPageSize);
    if (fixed) {
        if ((new_address & kPageMask) != 0 || !vm::is_user_range(VirtAddr{new_address}, new_length)) return kEINVAL;
        if (new_address < old_address + old_length && old_address < new_address + new_length) return kEINVAL;
    }
    if (!vm::is_user_range(VirtAddr{old_address}, old_length)) return kEFAULT;
    return TRY(space_of(task).remap({.old_address = VirtAddr{old_address},
                                     .old_length = old_length,
                                     .new_length = new_length,
                                     .may_move = (flags & kMremapMayMove) != 0,
                                     .fixed = fixed,
                                     .keep_old = keep,
                                     .new_address = VirtAddr{new_address}}))
        .value();
}

SyscallResult sys_madvise(Task& task, u64 address, u64 length, i32 advice) {
    if ((address & kPageMask) != 0 || length > kLargestLength) return kEINVAL;
    length = align_up(length, kPageSize);
    if (!vm::is_user_range(VirtAddr{address}, length)) return kEINVAL;
    VirtAddr const start{address};
    vm::AddressSpace& space = space_of(task);
    switch (advice) {
        case kMadvDontNeed:
        case kMadvDontNeedLocked: return space.advise(start, length, vm::Advice::DontNeed);
        case kMadvFree: return space.advise(start, length, vm::Advice::Free);
        case kMadvWillNeed: return space.advise(start, length, vm::Advice::WillNeed);
        case kMadvPopulateRead:
        case kMadvPopulateWrite: return space.populate(start, length);
        case kMadvNormal:
        case kMadvRandom:
        case kMadvSequential:
        case kMadvDontFork:
        case kMadvDoFork:
        case kMadvMergeable:
        case kMadvUnmergeable:
        case kMadvHugePage:
        case kMadvNoHugePage:
        case kMadvDontDump:
        case kMadvDoDump:
        case kMadvWipeOnFork:
        case kMadvKeepOnFork:
        case kMadvCold:
        case kMadvPageOut:
        case kMadvCollapse: return space.advise(start, length, vm::Advice::Normal);  // hints without effect here
        default: return kEINVAL;
    }
}

SyscallResult sys_brk(Task& task, u64 address) { return space_of(task).set_break(VirtAddr{address}).value(); }

SyscallResult sys_msync(Task& task, u64 address, u64 length, u32 flags) {
    if ((flags & ~(kMsAsync | kMsInvalidate | kMsSync)) != 0 || (address & kPageMask) != 0) return kEINVAL;
    if ((flags & kMsAsync) != 0 && (flags & kMsSync) != 0) return kEINVAL;
    TRY(check_range(address, length));
    // Mappings and files share their pages: there is nothing to write, only the range to check.
    return space_of(task).advise(VirtAddr{address}, length, vm::Advice::Normal);
}

SyscallResult sys_mincore(Task& task, u64 address, u64 length, UserPtr<u8> vector) {
    TRY(check_range(address, length));
    u64 const pages = length >> kPageShift;
    u8 chunk[256];
    for (u64 done = 0; done < pages;) {
        u64 const count = std::min<u64>(pages - done, sizeof chunk);
        TRY(space_of(task).residency(VirtAddr{address + (done << kPageShift)}, std::span{chunk, count}));
        TRY(vm::copy_to_user((vector + done).address(), chunk, count));
        done += count;
    }
    return 0;
}

// Nothing is ever paged out, so locking is faulting in.
SyscallResult sys_mlock(Task& task, u64 address, u64 length) {
    length += address & kPageMask;
    address &= ~kPageMask;
    TRY(check_range(address, length));
    if (length == 0) return 0;
    return space_of(task).populate(VirtAddr{address}, length);
}

SyscallResult sys_mlock2(Task& task, u64 address, u64 length, u32 flags) {
    constexpr u32 kOnFault = 1;
    if ((flags & ~kOnFault) != 0) return kEINVAL;
    if (flags == kOnFault) return sys_munlock(task, address, length);  // only the range is checked
    return sys_mlock(task, address, length);
}

SyscallResult sys_munlock(Task& task, u64 address, u64 length) {
    length += address & kPageMask;
    address &= ~kPageMask;
    TRY(check_range(address, length));
    return space_of(task).advise(VirtAddr{address}, length, vm::Advice::Normal);
}

SyscallResult sys_mlockall(Task& task, u32 flags) {
    constexpr u32 kCurrent = 1, kFuture = 2, kOnFault = 4;
    if (flags == 0 || (flags & ~(kCurrent | kFuture | kOnFault)) != 0 || flags == kOnFault) return kEINVAL;
    if ((flags & kCurrent) == 0 || (flags & kOnFault) != 0) return 0;
    auto const areas = TRY(space_of(task).areas());
    for (vm::AreaInfo const& area : areas)
        if (area.protection.any()) (void)space_of(task).populate(area.start, area.end - area.start);
    return 0;
}

SyscallResult sys_munlockall(Task&) { return 0; }

// One memory node, number 0: every policy that includes it has the same effect.
SyscallResult sys_mbind(Task& task, u64 address, u64 length, i32 mode, UserPtr<u64> nodes, u64 bits, u32) {
    TRY(check_range(address, length));
    return sys_set_mempolicy(task, mode, nodes, bits);
}

SyscallResult sys_set_mempolicy(Task&, i32 mode, UserPtr<u64> nodes, u64 bits) {
    constexpr i32 kDefault = 0, kBind = 2, kInterleave = 3, kLocal = 4, kMostModes = 6, kModeFlags = 0xe000;
    i32 const kind = mode & ~kModeFlags;
    if (kind < 0 || kind > kMostModes) return kEINVAL;
    u64 set = 0;
    if (!nodes.is_null() && bits > 1) {  // the last bit of the mask is not counted by Linux
        u64 const words = (bits + 62) / 64;
        if (words > 64) return kEINVAL;
        for (u64 i = 0; i < words; ++i) {
            u64 const word = TRY(read_user(nodes + i));
            if ((i == 0 ? word & ~u64{1} : word) != 0) return kEINVAL;  // a node that is not there
            set |= word;
        }
    }
    if ((kind == kBind || kind == kInterleave) && set == 0) return kEINVAL;
    if ((kind == kDefault || kind == kLocal) && set != 0) return kEINVAL;
    return 0;
}

SyscallResult sys_get_mempolicy(Task& task, UserPtr<i32> mode, UserPtr<u64> nodes, u64 bits, u64 address, u32 flags) {
    constexpr u32 kNode = 1, kAddress = 2, kAllowed = 4;
    if ((flags & ~(kNode | kAddress | kAllowed)) != 0) return kEINVAL;
    if ((flags & kAllowed) != 0 && (flags & (kNode | kAddress)) != 0) return kEINVAL;
    if ((flags & kAddress) != 0) {
        if (!space_of(task).area_at(VirtAddr{address})) return kEFAULT;
    } else if (address != 0) {
        return kEINVAL;
    }
    TRY(write_user_if_wanted(mode, 0));  // MPOL_DEFAULT, or node 0
    if (!nodes.is_null() && bits != 0)
        for (u64 i = 0; i < (bits + 63) / 64; ++i)
            TRY(write_user(nodes + i, i == 0 && (flags & kAllowed) != 0 ? u64{1} : u64{0}));
    return 0;
}

// Protection keys are a CPU feature that is not used: as on a CPU without it.
SyscallResult sys_pkey_alloc(Task&, u32 flags, u32 rights) {
    return flags != 0 || rights > 3 ? SyscallResult{kEINVAL} : SyscallResult{kENOSPC};
}
SyscallResult sys_pkey_free(Task&, i32) { return kEINVAL; }
SyscallResult sys_pkey_mprotect(Task& task, u64 address, u64 length, u32 protection, i32 key) {
    return key == -1 ? sys_mprotect(task, address, length, protection) : SyscallResult{kEINVAL};
}

}  // namespace tutti::linux_abi
