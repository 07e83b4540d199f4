// SPDX-License-Identifier: BSD-3-Clause
#include "vm/user_copy.hpp"

#include <algorithm>
#include <cstring>

#include "arch/cpu.hpp"
#include "arch/memory_layout.hpp"
#include "arch/user_access.hpp"
#include "vm/address_space.hpp"

namespace tutti::vm {

bool is_user_range(VirtAddr address, u64 size) {
    return address.value() <= arch::kUserEnd && size <= arch::kUserEnd - address.value();
}

Result<u64> copy_from_user_partial(void* to, VirtAddr from, u64 size) {
    if (!is_user_range(from, size)) return fail(Error::BadAddress);
    u64 const copied = size - user_copy_raw(to, from.as<void const>(), size);
    if (copied == 0 && size != 0) return fail(Error::BadAddress);
    return copied;
}

Result<u64> copy_to_user_partial(VirtAddr to, void const* from, u64 size) {
    if (!is_user_range(to, size)) return fail(Error::BadAddress);
    u64 const copied = size - user_copy_raw(to.as(), from, size);
    if (copied == 0 && size != 0) return fail(Error::BadAddress);
    return copied;
}

Result<> copy_from_user(void* to, VirtAddr from, u64 size) {
    if (!is_user_range(from, size) || user_copy_raw(to, from.as<void const>(), size) != 0)
        return fail(Error::BadAddress);
    return {};
}

Result<> copy_to_user(VirtAddr to, void const* from, u64 size) {
    if (!is_user_range(to, size) || user_copy_raw(to.as(), from, size) != 0) return fail(Error::BadAddress);
    return {};
}

Result<> zero_user(VirtAddr to, u64 size) {
    if (!is_user_range(to, size) || user_zero_raw(to.as(), size) != 0) return fail(Error::BadAddress);
    return {};
}

Result<u64> copy_string_from_user(char* to, VirtAddr from, u64 limit) {
    u64 length = 0;
    while (length <= limit) {
        // A page at a time: the string may end right before an inaccessible page.
        u64 const in_page = kPageSize - (from + length).page_offset();
        u64 const chunk = std::min({in_page, limit + 1 - length, u64{256}});
        TRY(copy_from_user(to + length, from + length, chunk));
        if (auto const* const end = static_cast<char*>(std::memchr(to + length, 0, chunk)))
            return static_cast<u64>(end - to);
        length += chunk;
    }
    return fail(Error::NameTooLong);
}

Result<String> copy_string_from_user(VirtAddr from, u64 limit) {
    String text;
    char buffer[256];
    for (;;) {
        VirtAddr const at = from + text.size();
        u64 const chunk = std::min({kPageSize - at.page_offset(), u64{sizeof buffer}, limit + 1 - text.size()});
        if (chunk == 0) return fail(Error::NameTooLong);
        TRY(copy_from_user(buffer, at, chunk));
        auto const* const end = static_cast<char*>(std::memchr(buffer, 0, chunk));
        TRY(text.append({buffer, end != nullptr ? static_cast<u64>(end - buffer) : chunk}));
        if (end != nullptr) return text;
    }
}

// With interrupts off the trap code resolves nothing: a missing page is the fix-up's business at once.
Result<u32> try_load_user_u32(VirtAddr from) {
    if (!is_user_range(from, sizeof(u32))) return fail(Error::BadAddress);
    u32 value = 0;
    arch::IrqState const state = arch::disable_interrupts();
    u64 const failed = user_load32_raw(from.as<u32 const>(), &value);
    arch::restore_interrupts(state);
    if (failed != 0) return fail(Error::WouldBlock);
    return value;
}

Result<u32> try_compare_exchange_user_u32(VirtAddr at, u32 expected, u32 desired) {
    if (!is_user_range(at, sizeof(u32))) return fail(Error::BadAddress);
    u32 seen = 0;
    arch::IrqState const state = arch::disable_interrupts();
    u64 const failed = user_compare_exchange32_raw(at.as<u32>(), expected, desired, &seen);
    arch::restore_interrupts(state);
    if (failed != 0) return fail(Error::WouldBlock);
    return seen;
}

Result<> fault_in_user(VirtAddr address, u64 size, bool for_write) {
    AddressSpace* const space = active_space();
    if (space == nullptr || !is_user_range(address, size)) return fail(Error::BadAddress);
    VirtAddr const end = address + size;
    for (VirtAddr page = address.page_base(); page < end; page += kPageSize)
        if (space->handle_fault(page, {.write = for_write, .user = true}) != FaultResult::Resolved)
            return fail(Error::BadAddress);
    return {};
}

}  // namespace tutti::vm
