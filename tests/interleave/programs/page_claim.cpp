// SPDX-License-Identifier: BSD-3-Clause
// Claims on page-table entries: private copies of a file's page while others give the page back.
#include <tuple>

#include "engine/interleave.hpp"
#include "mem/paging/page_claim.hpp"

namespace tutti::interleave {

namespace {

constexpr int kOfFile = 7;
constexpr int kWritten = 8;

// A frame with its count, and one word of contents.
struct Page {
    std::atomic<u32> references{0};
    int word = 0;

    // The last reference: the frame's next life begins.
    void put() {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) word = -1;
    }
};

Page g_pages[4];  // the file's, and one copy for each CPU
std::atomic<u64> g_entry;

u64 leaf(Page const& page, bool writable) {
    u64 const frame = static_cast<u64>(&page - g_pages + 1) << kPageShift;
    return arch::PageEntry::leaf(PhysAddr{frame}, {.write = writable, .user = true}).bits();
}
Page& page_of(u64 bits) { return g_pages[(arch::PageEntry{bits}.frame().value() >> kPageShift) - 1]; }

void start_with_file_page() {
    g_pages[0].references = 1;  // the file's own
    g_pages[0].word = kOfFile;
}

// The steps of AddressSpace::try_fault().
bool try_fill() {
    g_pages[0].references.fetch_add(1, std::memory_order_relaxed);
    u64 nothing = 0;
    if (g_entry.compare_exchange_strong(nothing, leaf(g_pages[0], false), std::memory_order_release)) return true;
    g_pages[0].put();
    return false;
}
// The steps of AddressSpace::fault_on_page() for a write; false: try again.
bool try_write(u32 cpu) {
    u64 const bits = g_entry.load(std::memory_order_acquire);
    arch::PageEntry const entry{bits};
    if (entry.is_busy()) {
        arch::pause();
        return false;
    }
    if (bits == 0) {
        std::ignore = try_fill();
        return false;
    }
    if (entry.is_writable()) return true;  // another CPU was first
    smp::PreemptGuard const guard;
    if (!mem::try_claim_page(g_entry, bits, guard)) return false;
    Page& page = page_of(bits);
    if (page.references.load(std::memory_order_acquire) == 1) {
        page.word = kWritten;
        mem::release_page(g_entry, leaf(page, true));
        return true;
    }
    Page& copy = g_pages[1 + cpu];
    copy.references.store(1, std::memory_order_relaxed);
    REQUIRE(page.word == kOfFile);
    copy.word = kWritten;
    mem::release_page(g_entry, leaf(copy, true));
    page.put();
    return true;
}
void give_back() {
    u64 const bits = mem::take_page(g_entry);
    REQUIRE(bits != arch::PageEntry::kBusy);
    if (bits != 0) page_of(bits).put();
}
void require_all_counted() {
    give_back();
    REQUIRE(g_pages[0].references == 1u);
    REQUIRE(g_pages[0].word == kOfFile);
    for (Page const& page : g_pages) REQUIRE(&page == g_pages || page.references == 0u);
}

}  // namespace

// Nobody writes to the file's page, although its count says one holder between a page that goes and the same that comes.
INTERLEAVE(page_comes_back_before_the_claim, {.preemptions = 3}) {
    start_with_file_page();
    std::ignore = try_fill();
    auto const writer = [] { std::ignore = try_write(0); };
    auto const giver = [] {
        give_back();
        std::ignore = try_fill();
    };
    run_on_cpus(writer, giver);
    require_all_counted();
}
// Two write, a third gives back: each copy is made once and counted.
INTERLEAVE(two_claim_and_one_takes, {.preemptions = 3}) {
    start_with_file_page();
    std::ignore = try_fill();
    auto const first = [] { std::ignore = try_write(0); };
    auto const second = [] { std::ignore = try_write(1); };
    auto const giver = [] { give_back(); };
    run_on_cpus(first, second, giver);
    require_all_counted();
}
// A page that is moved here displaces what faults put here, whatever they are in the middle of.
INTERLEAVE(page_moves_onto_a_claimed_one, {.preemptions = 4}) {
    start_with_file_page();
    std::ignore = try_fill();
    auto const writer = [] { std::ignore = try_write(0); };
    auto const mover = [] {
        Page& moved = g_pages[3];
        moved.references.store(1, std::memory_order_relaxed);
        moved.word = kWritten;
        smp::PreemptGuard const guard;
        u64 const before = mem::claim_page(g_entry, guard);
        if (before != 0) page_of(before).put();
        mem::release_page(g_entry, leaf(moved, true));
    };
    run_on_cpus(writer, mover);
    REQUIRE(&page_of(g_entry.load()) == &g_pages[3]);
    require_all_counted();
}

}  // namespace tutti::interleave
