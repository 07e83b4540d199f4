// SPDX-License-Identifier: BSD-3-Clause
// Source: Xen, public/memory.h.
#include "platform/pc/start_info.hpp"
#include "platform/xen/hypercalls.hpp"
#include "platform/xen/xen.hpp"

namespace tutti::platform::xen {
namespace {
constexpr u64 kMemoryMap = 9;
constexpr size_t kEntrySize = 20;
constinit u8 entries[StartInfo::kMaxRegions * kEntrySize] = {};
}  // namespace

std::span<u8 const> memory_map() {
    struct {
        u32 count;
        u8* buffer;
    } request{StartInfo::kMaxRegions, entries};
    if (xen_memory_op(kMemoryMap, &request) != 0 || request.count > StartInfo::kMaxRegions) return {};
    return {entries, request.count * kEntrySize};
}

}  // namespace tutti::platform::xen
