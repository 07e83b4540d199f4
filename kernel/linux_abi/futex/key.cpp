// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/futex/key.hpp"

#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "vm/user_copy.hpp"

namespace tutti::linux_abi {

Result<FutexKey> futex_key(Task& task, u64 address, FutexSharing sharing) {
    constexpr u64 kWord = sizeof(u32);
    if (address % kWord != 0) return fail(Error::InvalidArgument);
    vm::AddressSpace& space = task.process().address_space();
    if (!vm::is_user_range(VirtAddr{address}, kWord)) return fail(Error::BadAddress);
    if (sharing == FutexSharing::Shared) {
        vm::AreaInfo const area = TRY(space.area_at(VirtAddr{address}));
        if (!area.protection.any()) return fail(Error::BadAddress);
        if (area.shared && area.backing)
            return FutexKey{area.backing->number() << FutexKey::kObjectShift, area.offset + (VirtAddr{address} - area.start)};
    }
    return FutexKey{reinterpret_cast<u64>(&space), address};
}

}  // namespace tutti::linux_abi
