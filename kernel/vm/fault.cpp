// SPDX-License-Identifier: BSD-3-Clause
// Page faults: many CPUs at once, on the read side of the areas' lock, entries by compare-and-swap.
#include <algorithm>

#include "arch/cpu.hpp"
#include "arch/instruction_cache.hpp"
#include "arch/memory_layout.hpp"
#include "arch/trap_frame.hpp"
#include "mem/paging/page_claim.hpp"
#include "sched/thread.hpp"
#include "smp/debug/race_point.hpp"
#include "smp/percpu/percpu.hpp"
#include "vm/address_space.hpp"

namespace tutti::vm {
namespace {

using arch::PageEntry;

// Pages of a file mapping that one read fault maps when they are in memory already; a power of two.
constexpr u64 kAroundPages = 16;

constinit smp::PerCpu<AddressSpace*> active PERCPU_SECTION;

bool permits(Protection protection, hal::FaultAccess access) {
    if (access.write) return protection.write;
    if (access.execute) return protection.execute;
    return protection.any();  // x86: whatever is accessible at all can be read
}

// The entry of a page that a program may get at as its area says, once its instructions can be seen.
u64 leaf_bits(PhysAddr frame, Protection protection, bool writable) {
    if (protection.execute) arch::publish_instructions(arch::phys_to_virt(frame));
    return PageEntry::leaf(frame, {.read = true,
                                   .write = protection.write && writable,
                                   .execute = protection.execute,
                                   .user = true})
        .bits();
}

// True when the entry already allows the access: another CPU resolved the same fault.
bool allows(PageEntry entry, hal::FaultAccess access) {
    if (!entry.is_present()) return false;
    if (access.write) return entry.is_writable();
    return !access.execute || entry.is_executable();
}

bool page_fault_hook(arch::TrapFrame&, VirtAddr address, hal::FaultAccess access) {
    AddressSpace* const space = active_space();
    return space != nullptr && space->handle_fault(address, access) == FaultResult::Resolved;
}

}  // namespace

void AddressSpace::count_resident(i64 change) {
    // A hint of the CPU is enough: any counter of the sum will do.
    counters_[smp::this_cpu_unstable().value()].resident_pages.fetch_add(change, std::memory_order_relaxed);
}

// Maps what is in memory around a read fault, up to the edges of its 64 KiB window, page table and area.
void AddressSpace::map_around(Area const& area, VirtAddr address) {
    constexpr u64 kWindow = kAroundPages * kPageSize;
    u64 const window = address.value() & ~(kWindow - 1);
    VirtAddr const from = std::max(area.start, VirtAddr{window});
    VirtAddr const to = std::min(area.end, VirtAddr{window + kWindow});
    i64 mapped = 0;
    table_.for_each_slot(from, to, [&](VirtAddr page, mem::PageTable::Entry& slot) {
        if (slot.load(std::memory_order_relaxed) != 0) return;
        Result<mem::FrameRef> frame = area.backing->try_page(area.page_index(page));
        if (!frame) return;
        u64 expected = 0;
        u64 const bits = leaf_bits((*frame)->address(), area.protection, area.shared);
        if (slot.compare_exchange_strong(expected, bits, std::memory_order_release, std::memory_order_relaxed)) {
            (void)frame->leak();
            ++mapped;
        }
    });
    count_resident(mapped);
}

// The entry has a page that does not allow the access: the page gets what the area allows now, or a private copy replaces it.
AddressSpace::FaultOutcome AddressSpace::fault_on_page(Area const& area, VirtAddr page, mem::PageTable::Entry& slot,
                                                       PageEntry entry, hal::FaultAccess access,
                                                       smp::NoPreempt const& context) {
    mem::Frame* const frame = mem::frame_at(entry.frame());
    if (frame == nullptr) return {.step = Step::Done, .result = FaultResult::AccessDenied};  // device or vDSO page
    auto const is_own = [&] {
        // acquire: others have read the page, and put it, before the program writes to it.
        return area.shared || frame->references.load(std::memory_order_acquire) == 1;
    };
    smp::race_point();
    mem::FrameRef copy;
    if (access.write && !is_own()) {  // a guess: the claim is not held while memory is looked for
        Result<mem::FrameRef> fresh = mem::allocate_frame();
        if (!fresh) return {.step = Step::Done, .result = FaultResult::NoMemory};
        copy = std::move(*fresh);
    }
    smp::race_point();
    if (!mem::try_claim_page(slot, entry.bits(), context)) return {.step = Step::Retry};
    bool const own = is_own();
    if (own || !access.write) {
        mem::release_page(slot, leaf_bits(entry.frame(), area.protection, own));
        arch::flush_page(page.value());
        return {};
    }
    if (!copy) {
        mem::release_page(slot, entry.bits());
        return {.step = Step::Retry};
    }
    mem::copy_page(copy->data(), frame->data());
    u64 const bits = leaf_bits(copy->address(), area.protection, true);
    (void)copy.leak();
    return {.displaced = frame, .claimed = &slot, .bits = bits};
}

// One attempt under the read lock. What cannot be done there is said in the outcome.
AddressSpace::FaultOutcome AddressSpace::try_fault(VirtAddr address, hal::FaultAccess access) {
    smp::SpinReadGuard guard{areas_lock_};
    Area const* const area = first_ending_after(address);
    if (area == nullptr || area->start > address) {
        if (area != nullptr && area->grows_down) return {.step = Step::NeedsGrowth};
        return {.step = Step::Done, .result = FaultResult::NoMapping};
    }
    if (!permits(area->protection, access)) return {.step = Step::Done, .result = FaultResult::AccessDenied};

    VirtAddr const page = address.page_base();
    Result<mem::PageTable::Entry*> const found = table_.slot(page);
    if (!found) return {.step = Step::Done, .result = FaultResult::NoMemory};
    mem::PageTable::Entry& slot = **found;
    // acquire: pairs with the release of the CPU that installed the entry.
    u64 bits = slot.load(std::memory_order_acquire);
    PageEntry const entry{bits};
    if (entry.is_busy()) return {.step = Step::Retry};
    if (allows(entry, access)) {
        // Only this CPU's translation was stale.
        arch::flush_page(page.value());
        return {};
    }

    if (entry.is_mapped()) return fault_on_page(*area, page, slot, entry, access, guard);

    mem::FrameRef frame;
    bool writable = true;
    if (area->backing) {
        Result<mem::FrameRef> shared = area->backing->try_page(area->page_index(page));
        if (!shared) {
            if (shared.error() == Error::OutOfRange) return {.step = Step::Done, .result = FaultResult::BusError};
            if (shared.error() == Error::NoMemory) return {.step = Step::Done, .result = FaultResult::NoMemory};
            return {.step = Step::NeedsPage, .wanted = area->backing, .index = area->page_index(page)};
        }
        if (!area->shared && access.write) {
            Result<mem::FrameRef> copy = mem::allocate_frame();
            if (!copy) return {.step = Step::Done, .result = FaultResult::NoMemory};
            mem::copy_page((*copy)->data(), (*shared)->data());
            frame = std::move(*copy);
        } else {
            frame = std::move(*shared);
            writable = area->shared;
        }
    } else {
        Result<mem::FrameRef> fresh = mem::allocate_frame(mem::FrameFill::Zero);
        if (!fresh) return {.step = Step::Done, .result = FaultResult::NoMemory};
        frame = std::move(*fresh);
    }

    // release: the page's contents come before its translation. On failure another CPU was first: look again.
    u64 expected = 0;
    u64 const installed = leaf_bits(frame->address(), area->protection, writable);
    if (!slot.compare_exchange_strong(expected, installed, std::memory_order_release, std::memory_order_relaxed))
        return {.step = Step::Retry};
    (void)frame.leak();
    count_resident(1);
    if (area->backing && !access.write) map_around(*area, address);
    return {};
}

// Nobody may see the copy while another CPU still reads the old page: what is written to the one would be missed in the
// other. The flush waits for those CPUs, so that it is done without the lock.
void AddressSpace::replace_page(VirtAddr page, FaultOutcome const& outcome) {
    smp::race_point();
    mem::TlbBatch batch{tlb_};
    batch.add(page, outcome.displaced);
    batch.flush();
    mem::release_page(*outcome.claimed, outcome.bits);
}

FaultResult AddressSpace::handle_fault(VirtAddr address, hal::FaultAccess access) {
    if (address.value() >= arch::kUserEnd) return FaultResult::NoMapping;
    counters_[smp::this_cpu_unstable().value()].faults.fetch_add(1, std::memory_order_relaxed);
    mem::FrameRef held;  // keeps a page that had to be fetched in its object's cache until the retry
    for (;;) {
        FaultOutcome const outcome = [&] {
            smp::PreemptGuard const guard;  // for the claim
            FaultOutcome tried = try_fault(address, access);
            if (tried.claimed != nullptr) replace_page(address.page_base(), tried);
            return tried;
        }();
        switch (outcome.step) {
            case Step::Done: return outcome.result;
            case Step::Retry: arch::pause(); break;
            case Step::NeedsGrowth:
                if (!grow_stack(address)) return FaultResult::NoMapping;
                break;
            case Step::NeedsPage: {
                Result<mem::FrameRef> page = outcome.wanted->page(outcome.index);
                if (!page) return page.error() == Error::NoMemory ? FaultResult::NoMemory : FaultResult::BusError;
                held = std::move(*page);
                break;
            }
        }
    }
}

Result<> AddressSpace::populate(VirtAddr address, u64 length) {
    for (VirtAddr page = address.page_base(); page < address + length; page += kPageSize) {
        AreaInfo const area = [&] {
            Result<AreaInfo> info = area_at(page);
            return info ? *info : AreaInfo{};
        }();
        if (area.end.is_null()) return fail(Error::NoMemory);
        if (!area.protection.any()) continue;
        hal::FaultAccess const access{.write = area.protection.write, .user = true};
        if (FaultResult const result = handle_fault(page, access); result != FaultResult::Resolved)
            return fail(result == FaultResult::NoMemory ? Error::NoMemory : Error::BadAddress);
    }
    return {};
}

// --- The space of this CPU -------------------------------------------------------------------------------------------

AddressSpace* active_space() { return active.load(); }

ISR_SAFE void AddressSpace::activate(smp::NoPreempt const& context) {
    AddressSpace*& current = active.local(context);
    if (current == this) return;
    AddressSpace* const previous = current;
    CpuId const cpu = smp::this_cpu(context);
    get();
    tlb_.enter(cpu);
    arch::load_root(table_.root());
    current = this;
    if (previous != nullptr) {
        previous->tlb_.leave(cpu);
        previous->put();
    }
}

ISR_SAFE void AddressSpace::activate() {
    {
        smp::PreemptGuard const guard;
        activate(guard);
    }
    reclaim();
}

void deactivate() {
    {
        smp::PreemptGuard const guard;
        AddressSpace::leave(guard);
    }
    AddressSpace::reclaim();
}

ISR_SAFE void AddressSpace::leave(smp::NoPreempt const& context) {
    AddressSpace*& current = active.local(context);
    AddressSpace* const previous = current;
    if (previous == nullptr) return;
    arch::load_kernel_root(mem::PageTable::kernel().root());
    current = nullptr;
    previous->tlb_.leave(smp::this_cpu(context));
    previous->put();
}

void init() { hal::hooks.page_fault = page_fault_hook; }

}  // namespace tutti::vm
