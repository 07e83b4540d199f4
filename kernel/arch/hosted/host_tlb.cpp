// SPDX-License-Identifier: BSD-3-Clause
#include "arch/host_tlb.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>

#include "arch/cpu.hpp"
#include "arch/host_call.hpp"
#include "arch/memory_layout.hpp"
#include "arch/page_table_format.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"

namespace tutti::arch {
namespace {

// Where anything has been mapped, a bit for each GiB; under the lock. Nothing else is unmapped: when qemu-user imitates this
// process, its own memory lies below kUserEnd, too.
constexpr unsigned kPartShift = 30;
constexpr u64 kPartSize = u64{1} << kPartShift;
constexpr u64 kParts = kUserEnd >> kPartShift;
static_assert(kUserEnd % (64 * kPartSize) == 0);
constinit u64 used_parts[kParts / 64] = {};

// Pages that one fill maps at most, an aligned window: those that go on where the page begins and ends, in RAM too.
constexpr u64 kWindowPages = 16;

constinit int ram = -1;
constinit std::atomic<bool> locked{false};
constinit PhysAddr mapped_root{};  // under the lock: whose translations the mappings are
TUTTI_PERCPU u64 root_here = 0;

// With the interrupt flag clear: who holds it must not be switched away. (On a signal stack nobody is.)
class Lock {
  public:
    Lock() : before_{disable_interrupts()} {
        // acquire and release: the entries that a flusher has changed.
        while (locked.exchange(true, std::memory_order_acquire)) pause();
    }
    ~Lock() {
        locked.store(false, std::memory_order_release);
        restore_interrupts(before_);
    }
    Lock(Lock const&) = delete;
    Lock& operator=(Lock const&) = delete;

  private:
    IrqState before_;
};

// The slots of the leaf table that covers `address`, or null.
std::atomic<u64> const* leaf_table(u64 address) {
    u64 table = percpu_load(root_here);
    if (table == 0) return nullptr;
    for (unsigned level = kPageTableLevels; level > 1; --level) {
        auto const* const slots = phys_to_virt<std::atomic<u64>>(PhysAddr{table});
        u64 const bits = slots[table_index(address, level)].load(std::memory_order_acquire);
        if (bits == 0) return nullptr;
        table = bits & PageEntry::kAddressMask;
    }
    return phys_to_virt<std::atomic<u64>>(PhysAddr{table});
}

bool allows(PageEntry entry, HostAccess access) {
    switch (access) {
        case HostAccess::Read: return entry.is_present();
        case HostAccess::Write: return entry.is_writable();
        case HostAccess::Execute: return entry.is_executable();
    }
    return false;
}

bool is_used(u64 part) { return (used_parts[part / 64] >> part % 64 & 1) != 0; }

// False when that would part a mapping in two, and the process has as many as it can have.
bool unmap(u64 from, u64 to) {
    for (u64 part = from >> kPartShift; part < kParts && part << kPartShift < to; ++part) {
        if (used_parts[part / 64] == 0) part |= 63;
        if (!is_used(part)) continue;
        u64 const first = part;
        while (part + 1 < kParts && (part + 1) << kPartShift < to && is_used(part + 1)) ++part;
        u64 const start = std::max(from, first << kPartShift);
        u64 const end = std::min(to, (part + 1) << kPartShift);
        if (host_call(SYS_munmap, start, end - start) != 0) return false;
    }
    return true;
}

void unmap_all() {
    CHECK(unmap(0, kUserEnd), "munmap fails");
    std::ranges::fill(used_parts, 0);
}

i64 map(u64 address, u64 pages, PageEntry entry) {
    u64 protection = PROT_READ;
    if (entry.is_writable()) protection |= PROT_WRITE;
    if (entry.is_executable()) protection |= PROT_EXEC;
    u64 const part = address >> kPartShift;  // a window does not cross its end
    used_parts[part / 64] |= u64{1} << part % 64;
    return host_call(SYS_mmap, address, pages * kPageSize, protection, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
                     static_cast<u64>(ram), entry.frame().value());
}

}  // namespace

void host_tlb_init(int ram_file) { ram = ram_file; }

PhysAddr host_tlb_root() { return PhysAddr{percpu_load(root_here)}; }

void host_tlb_load(PhysAddr root) {
    Lock const lock;
    PhysAddr const before = host_tlb_root();
    percpu_store(root_here, root.value());
    // Left for nothing: its frames may go. Others that still have it fill again.
    bool const changes = root.is_null() ? mapped_root == before : mapped_root != root;
    if (!changes || mapped_root.is_null()) {
        if (!root.is_null()) mapped_root = root;
        return;
    }
    unmap_all();
    mapped_root = root;
}

bool host_tlb_fill(u64 address, HostAccess access) {
    Lock const lock;
    std::atomic<u64> const* const table = leaf_table(address);
    if (table == nullptr) return false;
    u64 const index = table_index(address, 1);
    PageEntry const entry{table[index].load(std::memory_order_acquire)};
    if (!allows(entry, access)) return false;
    if (mapped_root != host_tlb_root()) {
        unmap_all();
        mapped_root = host_tlb_root();
    }
    // As far as neighbours have the next frames and the same permissions, one mapping does for all.
    auto const continues = [&](u64 other) {
        u64 const wanted = entry.bits() + (other - index) * kPageSize;
        return table[other].load(std::memory_order_relaxed) == wanted;
    };
    u64 const window = index & ~(kWindowPages - 1);
    u64 first = index;
    u64 last = index;
    while (first > window && continues(first - 1)) --first;
    while (last + 1 < window + kWindowPages && continues(last + 1)) ++last;
    u64 const start = (address & ~kPageMask) - (index - first) * kPageSize;
    PageEntry const first_entry{entry.bits() - (index - first) * kPageSize};
    i64 result = map(start, last - first + 1, first_entry);
    if (result < 0) {  // too many mappings, as a rule
        unmap_all();
        result = map(start, last - first + 1, first_entry);
    }
    CHECK(result == static_cast<i64>(start), "mmap fails: {}", result);
    return true;
}

bool host_tlb_is_present(u64 address) {
    std::atomic<u64> const* const table = leaf_table(address);
    return table != nullptr && PageEntry{table[table_index(address, 1)].load(std::memory_order_acquire)}.is_present();
}

void host_tlb_flush(u64 from, u64 to) {
    Lock const lock;
    if (!unmap(from & ~kPageMask, to)) unmap_all();
}

void host_tlb_drop() {
    Lock const lock;
    unmap_all();
}

}  // namespace tutti::arch
