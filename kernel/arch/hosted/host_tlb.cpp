// SPDX-License-Identifier: BSD-3-Clause
#include "arch/host_tlb.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>

#include "arch/cpu.hpp"
#include "arch/host_call.hpp"
#include "arch/memory_layout.hpp"
#include "arch/page_table_format.hpp"
#include "arch/percpu.hpp"
#include "base/assert.hpp"

namespace tutti::arch {
namespace {

constexpr u64 kLowestAddress = 0x10000;  // vm.mmap_min_addr
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

void unmap(u64 from, u64 to) {
    i64 const result = host_call(SYS_munmap, from, to - from);
    CHECK(result == 0, "munmap fails: {}", result);
}

void unmap_all() { unmap(kLowestAddress, kUserEnd); }

i64 map(u64 address, u64 pages, PageEntry entry) {
    u64 protection = PROT_READ;
    if (entry.is_writable()) protection |= PROT_WRITE;
    if (entry.is_executable()) protection |= PROT_EXEC;
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
    u64 const start = from & ~kPageMask;
    // It may part a mapping in two, and there may be as many as the process can have: then all go.
    if (host_call(SYS_munmap, start, to - start) != 0) unmap_all();
}

void host_tlb_drop() {
    Lock const lock;
    unmap_all();
}

}  // namespace tutti::arch
