// SPDX-License-Identifier: BSD-3-Clause
// Changes of an address space: map, unmap, protect, remap, break. Faults are in fault.cpp.
#include "vm/address_space.hpp"

#include <algorithm>
#include <new>

#include "arch/cpu.hpp"
#include "arch/instruction_cache.hpp"
#include "arch/memory_layout.hpp"
#include "base/bits.hpp"
#include "mem/paging/page_claim.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::vm {
namespace {

using arch::PageEntry;

constexpr u64 kLowestAddress = 0x10000;  // mmap_min_addr: null pointers with an offset fault
constexpr u64 kDefaultMapTop = arch::kUserEnd - (u64{64} << 20);
constexpr u64 kStackGuardGap = 256 * kPageSize;
constexpr u64 kLow2G = u64{2} << 30;

Result<u64> checked_length(VirtAddr address, u64 length) {
    if (!address.is_page_aligned() || length == 0) return fail(Error::InvalidArgument);
    u64 const rounded = align_up(length, kPageSize);
    if (rounded < length || !range_within(address.value(), rounded, arch::kUserEnd)) return fail(Error::InvalidArgument);
    return rounded;
}

constexpr u64 saturating_subtract(u64 a, u64 b) { return a > b ? a - b : 0; }

}  // namespace

Result<Ref<AddressSpace>> AddressSpace::create() {
    reclaim();
    auto lock = TRY(smp::BigReaderLock::create(smp::LockRank::AddressSpace, "address space areas"));
    auto* const object = new (std::nothrow) AddressSpace{std::move(lock)};
    if (object == nullptr) return fail(Error::NoMemory);
    Ref<AddressSpace> space = Ref<AddressSpace>::adopt(object);
    space->counters_.reset(new (std::nothrow) CpuCounters[smp::cpu_count()]);
    if (!space->counters_) return fail(Error::NoMemory);
    TRY(space->tlb_.init());
    space->table_ = TRY(mem::PageTable::create());
    space->map_top_ = VirtAddr{kDefaultMapTop};
    space->enlist();
    return space;
}

// Spaces that died at a switch between programs, which is rare: one list will do.
struct AddressSpace::Dead {
    using List = smp::MpscQueue<AddressSpace, &AddressSpace::dead_node_>;
    static inline constinit List list;
};

void AddressSpace::destroy(AddressSpace* space) {
    space->~AddressSpace();
    ::operator delete(static_cast<void*>(space), std::align_val_t{alignof(AddressSpace)});
}

NOINLINE bool AddressSpace::destroy_now(AddressSpace* space) {
    ISR_NOTE("thread-rung", "gives memory and files back where the caller may block, and does nothing elsewhere");
    if (!arch::interrupts_enabled() || !smp::may_block()) return false;
    destroy(space);
    return true;
}

ISR_SAFE void AddressSpace::operator delete(AddressSpace* space, std::destroying_delete_t) {
    if (!destroy_now(space)) Dead::list.push(*space);
}

NOINLINE void AddressSpace::reclaim() {
    ISR_NOTE("thread-rung", "gives memory and files back where the caller may block, and does nothing elsewhere");
    if (!arch::interrupts_enabled() || !smp::may_block()) return;
    for (AddressSpace* space = Dead::list.take_all(); space != nullptr;) {
        AddressSpace* const next = Dead::List::next(*space);
        destroy(space);
        space = next;
    }
}

AddressSpace::~AddressSpace() {
    delist();
    while (Area* const area = areas_.first()) {
        areas_.remove(*area);
        if (area->backing && area->shared && area->protection.write) area->backing->on_shared_mapping(-1);
        delete area;
    }
    table_.destroy();
}

// --- Look-up ---------------------------------------------------------------------------------------------------------

Area* AddressSpace::first_ending_after(VirtAddr address) const {
    return areas_.lower_bound([&](Area const& area) { return area.end <= address; });
}

Area* AddressSpace::find(VirtAddr address) const {
    Area* const area = first_ending_after(address);
    return area != nullptr && area->start <= address ? area : nullptr;
}

bool AddressSpace::is_free(VirtAddr address, u64 length) const {
    Area const* const area = first_ending_after(address);
    return area == nullptr || area->start >= address + length;
}

bool AddressSpace::covers(VirtAddr address, u64 length) const {
    VirtAddr const end = address + length;
    for (Area* area = find(address); area != nullptr; area = areas_.next(*area)) {
        if (area->start > address) return false;
        address = area->end;
        if (address >= end) return true;
    }
    return false;
}

// The highest hole below the top that is large enough; the hint first.
Result<VirtAddr> AddressSpace::find_gap(u64 length, VirtAddr hint, bool below_4g) const {
    u64 const limit = below_4g ? kLow2G : map_top_.value();
    if (!hint.is_null() && range_within(hint.value(), length, below_4g ? kLow2G : arch::kUserEnd) &&
        hint.value() >= kLowestAddress && is_free(hint, length))
        return hint;
    // Walk downward from the area below the limit; `ceiling` is the start of what lies above the hole.
    u64 ceiling = limit;
    Area* area = first_ending_after(VirtAddr{limit});
    if (area != nullptr && area->start.value() < ceiling) {
        ceiling = area->start.value();
        area = areas_.previous(*area);
    } else {
        area = area != nullptr ? areas_.previous(*area) : areas_.last();
    }
    for (;;) {
        u64 const floor = area != nullptr ? area->end.value() : kLowestAddress;
        if (floor <= ceiling && ceiling - floor >= length) return VirtAddr{ceiling - length};
        if (area == nullptr) return fail(Error::NoMemory);
        // Below a stack that may grow stays a gap.
        ceiling = area->grows_down ? saturating_subtract(area->start.value(), kStackGuardGap) : area->start.value();
        area = areas_.previous(*area);
    }
}

// --- Tree changes (changes_ held; areas_lock_ taken for writing inside) ----------------------------------------------

void AddressSpace::insert(Area& area) {
    if (area.backing && area.shared && area.protection.write) area.backing->on_shared_mapping(+1);
    virtual_bytes_ += area.size();
    ++area_count_;
    smp::SpinWriteGuard guard{areas_lock_};
    areas_.insert(area);
}

// Makes `address` a boundary between areas.
Result<> AddressSpace::split_at(VirtAddr address) {
    Area* const area = find(address);
    if (area == nullptr || area->start == address) return {};
    auto* const upper = new (std::nothrow) Area;
    if (upper == nullptr) return fail(Error::NoMemory);
    upper->start = address;
    upper->end = area->end;
    upper->protection = area->protection;
    upper->shared = area->shared;
    upper->grows_down = false;
    upper->no_reserve = area->no_reserve;
    upper->may_write = area->may_write;
    upper->kind = area->kind;
    upper->set_backing(area->backing);
    upper->offset = area->backing ? area->offset + (address - area->start) : 0;
    if (upper->backing && upper->shared && upper->protection.write) upper->backing->on_shared_mapping(+1);
    ++area_count_;
    smp::SpinWriteGuard guard{areas_lock_};
    area->end = address;
    areas_.insert(*upper);
    return {};
}

Area* AddressSpace::try_merge_with_previous(Area& area) {
    Area* const previous = areas_.previous(area);
    if (previous == nullptr || !previous->continues_with(area)) return &area;
    {
        smp::SpinWriteGuard guard{areas_lock_};
        previous->end = area.end;
        areas_.remove(area);
    }
    if (area.backing && area.shared && area.protection.write) area.backing->on_shared_mapping(-1);
    --area_count_;
    delete &area;
    return previous;
}

void AddressSpace::try_merge(Area& area) {
    Area* const merged = try_merge_with_previous(area);
    if (Area* const next = areas_.next(*merged)) (void)try_merge_with_previous(*next);
}

// Displaces every page of the range; the areas are out of the tree, or the caller means it (MADV_DONTNEED).
void AddressSpace::zap(VirtAddr from, VirtAddr to) {
    mem::TlbBatch batch{tlb_};
    i64 gone = 0;
    table_.for_each_slot(from, to, [&](VirtAddr address, mem::PageTable::Entry& slot) {
        if (slot.load(std::memory_order_relaxed) == 0) return;
        PageEntry const entry{mem::take_page(slot)};
        if (!entry.is_mapped()) return;
        ++gone;
        batch.add(address, mem::frame_at(entry.frame()));
    });
    batch.flush();
    count_resident(-gone);
}

Result<> AddressSpace::unmap_locked(VirtAddr address, u64 length) {
    VirtAddr const end = address + length;
    if (is_free(address, length)) return {};
    TRY(split_at(address));
    TRY(split_at(end));
    // The areas leave the tree, linked through a second tree, before their pages go.
    AreaTree removed;
    {
        smp::SpinWriteGuard guard{areas_lock_};
        for (Area* area = first_ending_after(address); area != nullptr && area->start < end;) {
            Area* const next = areas_.next(*area);
            areas_.remove(*area);
            removed.insert(*area);
            area = next;
        }
    }
    while (Area* const area = removed.first()) {
        removed.remove(*area);
        zap(area->start, area->end);
        virtual_bytes_ -= area->size();
        --area_count_;
        if (area->backing && area->shared && area->protection.write) area->backing->on_shared_mapping(-1);
        delete area;
    }
    return {};
}

Result<VirtAddr> AddressSpace::map_locked(MapRequest const& request) {
    Area* const area = TRY(add_area(request));
    VirtAddr const start = area->start;
    try_merge(*area);
    return start;
}

Result<Area*> AddressSpace::add_area(MapRequest const& request) {
    u64 const length = align_up(request.length, kPageSize);
    if (request.length == 0) return fail(Error::InvalidArgument);
    if (length == 0 || length > arch::kUserEnd) return fail(Error::NoMemory);
    if (!is_aligned(request.offset, kPageSize)) return fail(Error::InvalidArgument);
    if (request.backing && request.offset + length < request.offset) return fail(Error::Overflow);
    if (length > saturating_subtract(virtual_limit_, virtual_bytes_)) return fail(Error::NoMemory);
    // Refuse at once what could never be filled; the rest is decided page by page.
    bool const private_writable = !request.shared && request.protection.write && !request.no_reserve;
    if (private_writable && !request.backing && length > mem::frame_statistics().total * kPageSize)
        return fail(Error::NoMemory);

    VirtAddr start = request.address;
    if (request.placement == Placement::Anywhere) {
        start = TRY(find_gap(length, request.address.page_base(), request.below_4g));
    } else {
        if (!start.is_page_aligned()) return fail(Error::InvalidArgument);
        if (!range_within(start.value(), length, arch::kUserEnd)) return fail(Error::NoMemory);
        if (start.value() < kLowestAddress) return fail(Error::NotPermitted);
        if (request.placement == Placement::FixedIfFree && !is_free(start, length)) return fail(Error::Exists);
        if (request.placement == Placement::Fixed) TRY(unmap_locked(start, length));
    }
    auto* const area = new (std::nothrow) Area;
    if (area == nullptr) return fail(Error::NoMemory);
    area->start = start;
    area->end = start + length;
    area->protection = request.protection;
    area->shared = request.shared;
    area->grows_down = request.grows_down;
    area->no_reserve = request.no_reserve;
    area->may_write = request.may_write;
    area->kind = request.kind;
    area->set_backing(request.backing);
    area->offset = request.backing ? request.offset : 0;
    insert(*area);
    return area;
}

// --- The interface ---------------------------------------------------------------------------------------------------

Result<VirtAddr> AddressSpace::map(MapRequest const& request) {
    Result<VirtAddr> const start = [&] {
        sched::MutexGuard guard{changes_};
        return map_locked(request);
    }();
    // Like MAP_POPULATE, best effort: what does not fit now faults later.
    if (start && request.populate && request.protection.any()) (void)populate(*start, request.length);
    return start;
}

Result<> AddressSpace::unmap(VirtAddr address, u64 length) {
    u64 const rounded = TRY(checked_length(address, length));
    sched::MutexGuard guard{changes_};
    return unmap_locked(address, rounded);
}

Result<> AddressSpace::protect(VirtAddr address, u64 length, Protection protection) {
    if (!address.is_page_aligned()) return fail(Error::InvalidArgument);
    if (length == 0) return {};
    u64 const rounded = align_up(length, kPageSize);
    if (rounded < length || !range_within(address.value(), rounded, arch::kUserEnd)) return fail(Error::NoMemory);
    sched::MutexGuard guard{changes_};
    VirtAddr const end = address + rounded;
    Result<> outcome{};
    TRY(split_at(address));
    TRY(split_at(end));
    VirtAddr at = address;
    for (Area* area = first_ending_after(address); at < end;) {
        if (area == nullptr || area->start > at) {
            outcome = fail(Error::NoMemory);
            break;
        }
        if (protection.write && !area->may_write) {
            outcome = fail(Error::AccessDenied);
            break;
        }
        at = area->end;
        if (area->protection != protection) {
            bool const counted = area->backing && area->shared;
            if (counted && area->protection.write != protection.write)
                area->backing->on_shared_mapping(protection.write ? +1 : -1);
            {
                smp::SpinWriteGuard write{areas_lock_};
                area->protection = protection;
            }
            mem::TlbBatch batch{tlb_};
            table_.for_each_slot(area->start, area->end, [&](VirtAddr page, mem::PageTable::Entry& slot) {
                u64 bits = slot.load(std::memory_order_relaxed);
                for (;;) {
                    PageEntry const entry{bits};
                    if (entry.is_busy()) {  // a fault that may put back what it found
                        arch::pause();
                        bits = slot.load(std::memory_order_relaxed);
                        continue;
                    }
                    if (!entry.is_mapped()) return;
                    mem::Frame* const frame = mem::frame_at(entry.frame());
                    // A private page may be written in place only while nobody else refers to it.
                    bool const own = area->shared || (frame != nullptr &&
                                                      frame->references.load(std::memory_order_relaxed) == 1);
                    PageEntry const wanted = entry.with({.read = protection.any(),
                                                         .write = protection.write && own,
                                                         .execute = protection.execute,
                                                         .user = true});
                    if (wanted == entry) return;
                    if (wanted.is_executable()) arch::publish_instructions(arch::phys_to_virt(entry.frame()));
                    // seq_cst: before the flush reads which CPUs have the space loaded (tlb.hpp).
                    if (slot.compare_exchange_weak(bits, wanted.bits(), std::memory_order_seq_cst)) {
                        if (entry.is_present()) batch.add(page, nullptr);
                        return;
                    }
                }
            });
        }
        area = try_merge_with_previous(*area);
        area = areas_.next(*area);
    }
    if (Area* const behind = find(end); behind != nullptr && behind->start == end) (void)try_merge_with_previous(*behind);
    return outcome;
}

// A program that knows the new place may touch it before its pages come: what it got there goes, for every CPU, and its
// faults wait meanwhile.
void AddressSpace::put_in_place(mem::PageTable::Entry& slot, VirtAddr address, u64 bits) {
    smp::PreemptGuard const guard;
    PageEntry const there{mem::claim_page(slot, guard)};
    if (there.is_mapped()) {
        mem::TlbBatch batch{tlb_};
        batch.add(address, mem::frame_at(there.frame()));
        count_resident(-1);
    }
    mem::release_page(slot, bits);
}

void AddressSpace::move_entries(VirtAddr from, VirtAddr to, u64 length) {
    mem::TlbBatch batch{tlb_};
    table_.for_each_slot(from, from + length, [&](VirtAddr address, mem::PageTable::Entry& slot) {
        if (slot.load(std::memory_order_relaxed) == 0) return;
        Result<mem::PageTable::Entry*> const target = table_.slot(to + (address - from));
        u64 const bits = mem::take_page(slot);
        if (bits == 0) return;
        if (target) {
            put_in_place(**target, to + (address - from), bits);
            batch.add(address, nullptr);
        } else {
            // No memory for a page table: the page's contents are lost to the program; the caller checked before.
            batch.add(address, mem::frame_at(PageEntry{bits}.frame()));
        }
    });
}

// The tables for [start, start + length), so that pages can be put there without fail.
Result<> AddressSpace::make_tables(VirtAddr start, u64 length) {
    for (u64 offset = 0; offset < length; offset += arch::entry_span(2)) TRY(table_.slot(start + offset));
    TRY(table_.slot(start + (length - kPageSize)));
    return {};
}

Result<VirtAddr> AddressSpace::remap(RemapRequest const& request) {
    if (!request.old_address.is_page_aligned() || request.new_length == 0) return fail(Error::InvalidArgument);
    u64 const old_length = align_up(request.old_length, kPageSize);
    u64 const new_length = align_up(request.new_length, kPageSize);
    if (old_length < request.old_length || new_length < request.new_length || new_length > arch::kUserEnd ||
        !range_within(request.old_address.value(), old_length, arch::kUserEnd))
        return fail(Error::InvalidArgument);
    if (request.fixed) {
        if (!request.may_move || !request.new_address.is_page_aligned() ||
            !range_within(request.new_address.value(), new_length, arch::kUserEnd))
            return fail(Error::InvalidArgument);
        if (request.new_address < request.old_address + old_length &&
            request.old_address < request.new_address + new_length)
            return fail(Error::InvalidArgument);
    }
    if (request.keep_old && (!request.may_move || old_length != new_length)) return fail(Error::InvalidArgument);

    sched::MutexGuard guard{changes_};
    Area* area = find(request.old_address);
    if (area == nullptr) return fail(Error::BadAddress);
    if (old_length == 0) {
        // A second mapping of a shared object (mremap(2): old_size zero).
        if (!area->shared || !request.may_move) return fail(Error::InvalidArgument);
        return map_locked({.address = request.fixed ? request.new_address : VirtAddr{},
                           .length = new_length,
                           .protection = area->protection,
                           .placement = request.fixed ? Placement::Fixed : Placement::Anywhere,
                           .shared = true,
                           .may_write = area->may_write,
                           .kind = area->kind,
                           .backing = area->backing,
                           .offset = area->offset + (request.old_address - area->start)});
    }
    if (request.old_address + old_length > area->end) return fail(Error::BadAddress);
    if (!request.fixed && !request.keep_old) {
        if (new_length == old_length) return request.old_address;
        if (new_length < old_length) {
            TRY(unmap_locked(request.old_address + new_length, old_length - new_length));
            return request.old_address;
        }
        u64 const growth = new_length - old_length;
        if (growth > saturating_subtract(virtual_limit_, virtual_bytes_)) return fail(Error::NoMemory);
        if (request.old_address + old_length == area->end && is_free(area->end, growth) &&
            range_within(area->end.value(), growth, arch::kUserEnd)) {
            {
                smp::SpinWriteGuard write{areas_lock_};
                area->end += growth;
            }
            virtual_bytes_ += growth;
            try_merge(*area);
            return request.old_address;
        }
        if (!request.may_move) return fail(Error::NoMemory);
    }

    // Move: the new area first (it may fail), then the pages, then the old area goes.
    TRY(split_at(request.old_address));
    TRY(split_at(request.old_address + old_length));
    area = find(request.old_address);
    MapRequest const target{.address = request.fixed ? request.new_address : VirtAddr{},
                            .length = new_length,
                            .protection = area->protection,
                            .placement = request.fixed ? Placement::Fixed : Placement::Anywhere,
                            .shared = area->shared,
                            .no_reserve = area->no_reserve,
                            .may_write = area->may_write,
                            .kind = area->kind,
                            .backing = area->backing,
                            .offset = area->offset};
    u64 const moved = std::min(old_length, new_length);
    // It may lie beside the old one, and is not merged with it before that has gone.
    Area* const next = TRY(add_area(target));
    VirtAddr const start = next->start;
    if (Result<> const tables = make_tables(start, moved); !tables) {
        TRY(unmap_locked(start, new_length));
        return fail(tables.error());
    }
    if (!request.keep_old) {
        smp::SpinWriteGuard write{areas_lock_};
        areas_.remove(*area);
    }
    move_entries(request.old_address, start, moved);
    if (!request.keep_old) {
        zap(area->start, area->end);
        virtual_bytes_ -= area->size();
        --area_count_;
        if (area->backing && area->shared && area->protection.write) area->backing->on_shared_mapping(-1);
        delete area;
    }
    try_merge(*next);
    return start;
}

Result<> AddressSpace::advise(VirtAddr address, u64 length, Advice advice) {
    if (!address.is_page_aligned()) return fail(Error::InvalidArgument);
    if (length == 0) return {};
    u64 const rounded = TRY(checked_length(address, length));
    if (advice == Advice::WillNeed || advice == Advice::Normal) {
        sched::MutexGuard guard{changes_};
        return covers(address, rounded) ? Result<>{} : fail(Error::NoMemory);
    }
    sched::MutexGuard guard{changes_};
    VirtAddr const end = address + rounded;
    bool hole = false;
    VirtAddr at = address;
    for (Area* area = first_ending_after(address); area != nullptr && area->start < end; area = areas_.next(*area)) {
        hole = hole || area->start > at;
        at = area->end;
        if (area->shared && advice == Advice::Free) return fail(Error::InvalidArgument);
        zap(std::max(area->start, address), std::min(area->end, end));
    }
    return hole || at < end ? Result<>{fail(Error::NoMemory)} : Result<>{};
}

Result<> AddressSpace::residency(VirtAddr address, std::span<u8> pages) {
    sched::MutexGuard guard{changes_};
    if (!covers(address, pages.size() * kPageSize)) return fail(Error::NoMemory);
    for (size_t i = 0; i < pages.size(); ++i) {
        VirtAddr const page = address + i * kPageSize;
        PageEntry const entry = table_.lookup(page);
        pages[i] = entry.is_mapped() || entry.is_busy();
        if (pages[i] == 0) {
            Area const* const area = find(page);
            if (area->backing) {
                smp::PreemptGuard const no_preempt;
                pages[i] = area->backing->try_page(area->page_index(page)).has_value();
            }
        }
    }
    return {};
}

u64 AddressSpace::mapped_pages(VirtAddr start, VirtAddr end) {
    u64 count = 0;
    table_.for_each_slot(start, end, [&](VirtAddr, mem::PageTable::Entry& slot) {
        count += PageEntry{slot.load(std::memory_order_relaxed)}.is_mapped();
    });
    return count;
}

void AddressSpace::set_break_start(VirtAddr start) {
    sched::MutexGuard guard{changes_};
    break_start_ = break_ = start;
}

VirtAddr AddressSpace::set_break(VirtAddr address) {
    sched::MutexGuard guard{changes_};
    if (address < break_start_ || address.value() >= arch::kUserEnd) return break_;
    VirtAddr const old_end{align_up(break_.value(), kPageSize)};
    VirtAddr const new_end{align_up(address.value(), kPageSize)};
    if (new_end - break_start_ > heap_limit_) return break_;
    if (new_end > old_end) {
        if (!is_free(old_end, new_end - old_end)) return break_;
        MapRequest const growth{.address = old_end,
                                .length = new_end - old_end,
                                .protection = {.read = true, .write = true},
                                .placement = Placement::FixedIfFree,
                                .kind = AreaKind::Heap};
        if (!map_locked(growth)) return break_;
    } else if (new_end < old_end) {
        if (!unmap_locked(new_end, old_end - new_end)) return break_;
    }
    return break_ = address;
}

bool AddressSpace::grow_stack(VirtAddr address) {
    sched::MutexGuard guard{changes_};
    Area* const area = first_ending_after(address);
    if (area == nullptr || !area->grows_down) return false;
    VirtAddr const start = address.page_base();
    if (area->start <= start) return true;  // another thread was first
    Area const* const below = areas_.previous(*area);
    if (below != nullptr && start < below->end + (below->protection.any() ? kStackGuardGap : 0)) return false;
    if (start.value() < kLowestAddress || area->end - start > stack_limit_) return false;
    u64 const growth = area->start - start;
    if (growth > saturating_subtract(virtual_limit_, virtual_bytes_)) return false;
    smp::SpinWriteGuard write{areas_lock_};
    area->start = start;
    virtual_bytes_ += growth;
    return true;
}

Result<Vector<AreaInfo>> AddressSpace::areas() {
    sched::MutexGuard guard{changes_};
    Vector<AreaInfo> list;
    TRY(list.try_reserve(areas_.size()));
    for (Area* area = areas_.first(); area != nullptr; area = areas_.next(*area))
        TRY(list.try_push_back(AreaInfo{area->start, area->end, area->protection, area->shared, area->kind, area->offset,
                                        area->backing}));
    return list;
}

Result<AreaInfo> AddressSpace::area_at(VirtAddr address) {
    smp::SpinReadGuard guard{areas_lock_};
    Area const* const area = find(address);
    if (area == nullptr) return fail(Error::BadAddress);
    return AreaInfo{area->start, area->end, area->protection, area->shared, area->kind, area->offset, area->backing};
}

SpaceStatistics AddressSpace::statistics() const {
    SpaceStatistics sum;
    i64 resident = 0;
    for (u32 i = 0; i < smp::cpu_count(); ++i) {
        resident += counters_[i].resident_pages.load(std::memory_order_relaxed);
        sum.minor_faults += counters_[i].faults.load(std::memory_order_relaxed);
    }
    sum.resident_pages = static_cast<u64>(std::max<i64>(resident, 0));
    sum.peak_resident_pages = sum.resident_pages;
    sum.virtual_bytes = virtual_bytes_;
    sum.areas = area_count_;
    return sum;
}

void AddressSpace::set_limits(u64 virtual_bytes, u64 heap_bytes) {
    sched::MutexGuard guard{changes_};
    virtual_limit_ = virtual_bytes;
    heap_limit_ = heap_bytes;
}

void AddressSpace::set_stack_limit(u64 bytes) {
    sched::MutexGuard guard{changes_};
    stack_limit_ = bytes;
}

void AddressSpace::set_map_top(VirtAddr top) {
    sched::MutexGuard guard{changes_};
    map_top_ = top;
}

}  // namespace tutti::vm
