// SPDX-License-Identifier: BSD-3-Clause
// The user half of an address space: areas, and the page table that faults fill on demand.
//
// Who may run beside whom:
//
//   faults      the read side of areas_lock_, on every CPU at once; page-table entries by compare-and-swap,
//               behind a claim where that is not enough (mem/paging/page_claim.hpp)
//   map, unmap, protect, remap, break
//               one at a time (changes_), blocking; areas_lock_ for writing only while the tree changes. What is
//               unmapped leaves the tree first, so that no fault finds it, then loses its pages; the range cannot be
//               used again before changes_ is released.
//
// A fault blocks only when a page must come from a device; it then holds no lock and looks again afterwards.
#pragma once

#include <atomic>

#include <memory>
#include <new>

#include "base/vector.hpp"
#include "hal/hooks.hpp"
#include "mem/paging/page_table.hpp"
#include "mem/paging/tlb.hpp"
#include "sched/wait/mutex.hpp"
#include "smp/lockfree/mpsc_queue.hpp"
#include "smp/spin/big_reader_lock.hpp"
#include "smp/spin/rw_lock.hpp"
#include "vm/area.hpp"

namespace tutti::vm {

enum class FaultResult : u8 {
    Resolved,      // retry the instruction
    NoMapping,     // nothing is mapped there: SEGV_MAPERR
    AccessDenied,  // mapped, but not for this: SEGV_ACCERR
    BusError,      // past the end of the mapped object: SIGBUS
    NoMemory,      // the machine is out of memory
};

enum class Placement : u8 {
    Anywhere,      // `address` is a hint
    Fixed,         // exactly there; what was there goes
    FixedIfFree,   // exactly there, or Error::Exists
};

struct MapRequest {
    VirtAddr address{};  // page-aligned
    u64 length = 0;    // bytes; rounded up to pages
    Protection protection{};
    Placement placement = Placement::Anywhere;
    bool shared = false;
    bool grows_down = false;
    bool populate = false;    // fault everything in at once
    bool no_reserve = false;  // may exceed physical memory
    bool may_write = true;    // whether protect() may make it writable
    bool below_4g = false;    // MAP_32BIT: the first 2 GiB
    AreaKind kind = AreaKind::Ordinary;
    Ref<Backing> backing{};  // null: anonymous memory (shared anonymous memory has a backing too)
    u64 offset = 0;        // bytes, page-aligned
};

struct RemapRequest {
    VirtAddr old_address{};
    u64 old_length = 0;
    u64 new_length = 0;
    bool may_move = false;
    bool fixed = false;  // to new_address
    bool keep_old = false;  // MREMAP_DONTUNMAP
    VirtAddr new_address{};
};

enum class Advice : u8 { Normal, WillNeed, DontNeed, Free };

struct AreaInfo {
    VirtAddr start;
    VirtAddr end;
    Protection protection;
    bool shared = false;
    AreaKind kind = AreaKind::Ordinary;
    u64 offset = 0;
    Ref<Backing> backing;
};

struct SpaceStatistics {
    u64 resident_pages = 0;
    u64 virtual_bytes = 0;
    u64 peak_resident_pages = 0;
    u64 minor_faults = 0;
    u64 major_faults = 0;
    u64 areas = 0;
};

class AddressSpace : public RefCounted<AddressSpace> {
  public:
    [[nodiscard]] static Result<Ref<AddressSpace>> create();
    // The last put(): at once where that may block, else later, in the next thread that activates, leaves or creates a
    // space. A CPU drops its reference to a space that nobody uses any more when it switches to a thread of another.
    static void operator delete(AddressSpace* space, std::destroying_delete_t);
    // Frees the spaces that died where that could not be done, if this is a place for it.
    static void reclaim();
    ~AddressSpace();

    // All of these: Thread context, may block. Addresses must be page-aligned (Error::InvalidArgument).
    [[nodiscard]] Result<VirtAddr> map(MapRequest const& request);
    // Unmapping what is not mapped succeeds.
    [[nodiscard]] Result<> unmap(VirtAddr address, u64 length);
    // Error::NoMemory when part of the range is not mapped, AccessDenied when part may not become writable (what precedes
    // it has changed, as on Linux).
    [[nodiscard]] Result<> protect(VirtAddr address, u64 length, Protection protection);
    [[nodiscard]] Result<VirtAddr> remap(RemapRequest const& request);
    [[nodiscard]] Result<> advise(VirtAddr address, u64 length, Advice advice);
    // Faults in what is mapped; Error::NoMemory when part is not mapped or memory runs out.
    [[nodiscard]] Result<> populate(VirtAddr address, u64 length);
    // True for each page of the range that is in memory. Error::NoMemory when part of it is not mapped.
    [[nodiscard]] Result<> residency(VirtAddr address, std::span<u8> pages);

    // How many pages of [start, end) are in its page table now; for statistics.
    [[nodiscard]] u64 mapped_pages(VirtAddr start, VirtAddr end);

    // Writes into the space whether it is loaded or not, as a program with write access would: private pages are copied
    // first. Error::BadAddress: not mapped for writing; NoMemory. What precedes the bad page has been written.
    [[nodiscard]] Result<> write(VirtAddr to, std::span<u8 const> bytes);

    // brk(): the heap area starts at `start` (page-aligned) and is empty.
    void set_break_start(VirtAddr start);
    // The new break, or the old one when the change is not possible.
    [[nodiscard]] VirtAddr set_break(VirtAddr address);

    // Thread context or a fault of user code; may block.
    [[nodiscard]] FaultResult handle_fault(VirtAddr address, hal::FaultAccess access);

    // Loads this space on the current CPU; the space stays alive until another is loaded there or leave() is called.
    void activate(smp::NoPreempt const& context);
    // As activate(), for callers that hold a guard of another kind; preemption must be off.
    void activate();
    // Loads no user space on this CPU: the kernel only.
    static void leave(smp::NoPreempt const& context);

    [[nodiscard]] Result<Vector<AreaInfo>> areas();
    [[nodiscard]] SpaceStatistics statistics() const;
    // The area that contains an address, for futex keys: shared or not, and which backing.
    [[nodiscard]] Result<AreaInfo> area_at(VirtAddr address);

    // Limits that the owner sets (RLIMIT_AS, RLIMIT_DATA); bytes, ~0 for none.
    void set_limits(u64 virtual_bytes, u64 heap_bytes);

    // How large an area that grows downward may become (RLIMIT_STACK); bytes.
    void set_stack_limit(u64 bytes);

    // Where placement starts, from the top down; set by the program loader after the stack is placed.
    void set_map_top(VirtAddr top);

  private:
    struct alignas(kCacheLine) CpuCounters {
        std::atomic<i64> resident_pages{0};
        std::atomic<u64> faults{0};
    };

    friend class Backing;
    struct Live;
    void enlist();
    void delist();
    void unmap_pages(Backing const& backing, u64 first, u64 end, PrivatePages copies);

    struct Dead;
    static bool destroy_now(AddressSpace* space);
    static void destroy(AddressSpace* space);

    explicit AddressSpace(smp::BigReaderLock lock) : areas_lock_{std::move(lock)} {}

    // Tree look-ups; areas_lock_ held in either mode, or changes_ held.
    [[nodiscard]] Area* find(VirtAddr address) const;
    [[nodiscard]] Area* first_ending_after(VirtAddr address) const;

    // With changes_ held:
    [[nodiscard]] Result<VirtAddr> find_gap(u64 length, VirtAddr hint, bool below_4g) const;
    [[nodiscard]] bool is_free(VirtAddr address, u64 length) const;
    [[nodiscard]] Result<VirtAddr> map_locked(MapRequest const& request);
    // As map_locked(), but leaves it to the caller to merge the area with its neighbours.
    [[nodiscard]] Result<Area*> add_area(MapRequest const& request);
    [[nodiscard]] Result<> make_tables(VirtAddr start, u64 length);
    [[nodiscard]] Result<> unmap_locked(VirtAddr address, u64 length);
    [[nodiscard]] Result<> split_at(VirtAddr address);
    void insert(Area& area);
    void try_merge(Area& area);
    [[nodiscard]] Area* try_merge_with_previous(Area& area);
    void zap(VirtAddr from, VirtAddr to);
    void put_in_place(mem::PageTable::Entry& slot, VirtAddr address, u64 bits);
    void move_entries(VirtAddr from, VirtAddr to, u64 length);
    [[nodiscard]] bool covers(VirtAddr address, u64 length) const;
    [[nodiscard]] bool grow_stack(VirtAddr address);

    enum class Step : u8 { Done, Retry, NeedsPage, NeedsGrowth };
    struct FaultOutcome {
        Step step = Step::Done;
        FaultResult result = FaultResult::Resolved;
        mem::Frame* displaced = nullptr;              // Done: a copy replaces this, see replace_page()
        mem::PageTable::Entry* claimed = nullptr;     // in this entry,
        u64 bits = 0;                                 // as this
        Ref<Backing> wanted{};                        // NeedsPage: fetch page `index` of this
        u64 index = 0;
    };
    [[nodiscard]] FaultOutcome try_fault(VirtAddr address, hal::FaultAccess access);
    [[nodiscard]] FaultOutcome fault_on_page(Area const& area, VirtAddr page, mem::PageTable::Entry& slot,
                                             arch::PageEntry entry, hal::FaultAccess access,
                                             smp::NoPreempt const& context);
    void replace_page(VirtAddr page, FaultOutcome const& outcome);
    void map_around(Area const& area, VirtAddr address);
    void count_resident(i64 change);

    mem::PageTable table_;
    mem::TlbDomain tlb_;
    mutable smp::BigReaderLock areas_lock_;
    sched::Mutex changes_{"address space changes"};
    AreaTree areas_;  // changed with both locks held, read with either
    VirtAddr map_top_;
    VirtAddr break_start_;
    VirtAddr break_;
    u64 virtual_bytes_ = 0;
    u64 area_count_ = 0;
    u64 virtual_limit_ = ~u64{0};
    u64 heap_limit_ = ~u64{0};
    u64 stack_limit_ = ~u64{0};
    std::unique_ptr<CpuCounters[]> counters_;
    smp::MpscNode<AddressSpace> dead_node_;
    ListNode live_node_;  // among all spaces, for Backing::unmap_pages()
};

// The space loaded on this CPU, or null. Valid as long as the current thread belongs to it.
[[nodiscard]] AddressSpace* active_space();
// Leaves whatever space is loaded: kernel mappings only. Preemption off.
void deactivate();
// Registers the page-fault hook. Boot CPU, once.
void init();

}  // namespace tutti::vm
