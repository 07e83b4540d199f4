// SPDX-License-Identifier: BSD-3-Clause
// What is built on RCU, with the real deferred frees: lists, the hash table while it changes its size, reference-counted
// search and delete. A reader that comes too late is a use after free.
#include "engine/interleave.hpp"
#include "hal/clock.hpp"
#include "smp/ipi/call.hpp"
#include "smp/lockfree/ordered_set.hpp"
#include "smp/debug/panic.hpp"
#include "smp/rcu/rcu_hash_table.hpp"
#include "smp/rcu/rcu_list.hpp"
#include "smp/rcu/rcu_ptr.hpp"
#include "smp/rcu/ref_table.hpp"
#include "smp/spin/ticket_lock.hpp"

namespace tutti {

// CPUs come by without being interrupted, before anybody's patience ends.
namespace smp {
void report_cpu(CpuId) { interleave::fail("machine", "a stalled grace period"); }
bool CallRequest::send(CpuId) { return false; }
}  // namespace smp

namespace hal {
Nanoseconds now() { return Nanoseconds{static_cast<i64>(interleave::now())}; }
}  // namespace hal

namespace interleave {

namespace {

// Every CPU may read from here on.
void start_readers(unsigned cpus) {
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        *arch::percpu_address_in(percpu_area(cpu), smp::detail::preempt_state) = smp::detail::kNoRescheduleWanted;
        smp::rcu::detail::grace_periods.leave_extended(smp::rcu::detail::words.on(CpuId{cpu}));
    }
}
// This CPU runs what it has deferred, and is waited for no more.
void leave() {
    smp::PreemptGuard const here;
    if (smp::rcu::has_callbacks(smp::this_cpu(here))) {
        smp::preempt_enable();
        smp::rcu::run_callbacks(smp::this_cpu_unstable());
        smp::preempt_disable();
    }
    smp::IrqOffGuard const off;
    smp::rcu::enter_idle(off);
}

struct Element {
    u64 key;
    int value = 7;
    smp::rcu::Callback reclaim;
    smp::RcuListNode node;
    smp::RcuHashListNode hash_node;
    smp::RcuHashNode table_node;
    smp::OrderedNode set_node;
    explicit Element(u64 k) : key{k} {}
};
void free_later(Element& element) {
    smp::rcu::defer(element.reclaim, [](smp::rcu::Callback& callback) { delete smp::object_of(&callback, &Element::reclaim); });
}
using List = smp::RcuList<Element, &Element::node>;
using HashList = smp::RcuHashList<Element, &Element::hash_node>;

// Returns which keys of 0..7 a reader meets, in one section.
unsigned keys_in(List const& list) {
    smp::rcu::ReadGuard const reading;
    unsigned keys = 0;
    u64 last = 0;
    list.for_each(reading, [&](Element const& element) {
        REQUIRE(element.value == 7);
        REQUIRE(element.key >= last);
        last = element.key;
        keys |= 1u << element.key;
        return true;
    });
    return keys;
}

}  // namespace

INTERLEAVE(rcu_list_remove_and_defer, {.preemptions = 3}) {
    start_readers(2);
    List list;
    auto* const one = new Element{1};
    Element two{2};
    list.push_back(*one);
    list.push_back(two);
    auto const remover = [&] {
        list.remove(*one);
        free_later(*one);
        leave();
    };
    auto const reader = [&] {
        unsigned const before = keys_in(list);
        REQUIRE((before & 4) != 0);
        smp::rcu::quiescent_point();
        unsigned const after = keys_in(list);
        REQUIRE((after & 4) != 0 && (after & ~before) == 0);
        leave();
    };
    run_on_cpus(remover, reader);
    list.remove(two);
}
INTERLEAVE(rcu_list_insert, {.preemptions = 3}) {
    start_readers(2);
    List list;
    Element one{1}, two{2}, three{3}, four{4};
    list.push_back(three);
    auto const inserter = [&] {
        for (Element* const fresh : {&one, &two, &four}) fresh->value = 7;  // plain writes that readers see
        list.push_front(one);
        list.insert_before(three, two);
        list.push_back(four);
    };
    auto const reader = [&] {
        unsigned const before = keys_in(list);
        REQUIRE((before & 8) != 0);
        REQUIRE((before & ~keys_in(list)) == 0);
    };
    run_on_cpus(inserter, reader);
    for (Element* const element : {&one, &two, &three, &four}) list.remove(*element);
}
INTERLEAVE(rcu_list_replace_and_defer, {.preemptions = 3}) {
    start_readers(2);
    List list;
    auto* const old = new Element{1};
    Element fresh{1}, two{2};
    list.push_back(*old);
    list.push_back(two);
    auto const writer = [&] {
        fresh.value = 7;
        list.replace(*old, fresh);
        free_later(*old);
        leave();
    };
    auto const reader = [&] {
        for (int i = 0; i < 2; ++i) {
            REQUIRE(keys_in(list) == 6);
            smp::rcu::quiescent_point();
        }
        leave();
    };
    run_on_cpus(writer, reader);
    list.remove(fresh);
    list.remove(two);
}
// What one writer has linked behind an element comes to readers through the other, who removes that element.
INTERLEAVE(rcu_list_remover_passes_on, {.preemptions = 2}) {
    start_readers(3);
    List list;
    smp::RawTicketLock lock;
    Element one{1}, two{2};
    list.push_back(one);
    auto const inserter = [&] {
        two.value = 7;
        lock.lock();
        list.push_back(two);
        lock.unlock();
    };
    auto const remover = [&] {
        lock.lock();
        list.remove(one);
        lock.unlock();
    };
    auto const reader = [&] { (void)keys_in(list); };
    run_on_cpus(inserter, remover, reader);
    list.remove(two);
}
INTERLEAVE(rcu_hash_list, {.preemptions = 3}) {
    start_readers(2);
    HashList list;
    auto* const one = new Element{1};
    Element two{2}, three{3}, fresh{2};
    list.push_front(*one);
    list.push_front(two);
    auto const writer = [&] {
        three.value = fresh.value = 7;
        list.push_front(three);
        list.remove(*one);
        free_later(*one);
        list.replace(two, fresh);
        leave();
    };
    auto const reader = [&] {
        for (u64 key : {2u, 1u}) {
            smp::rcu::ReadGuard const reading;
            Element const* const found = list.find(reading, [&](Element const& one) { return one.value == 7 && one.key == key; });
            REQUIRE(found != nullptr || key == 1);
        }
        leave();
    };
    run_on_cpus(writer, reader);
    list.remove(three);
    list.remove(fresh);
}
INTERLEAVE(rcu_hash_list_remover_passes_on, {.preemptions = 2}) {
    start_readers(3);
    HashList list;
    smp::RawTicketLock lock;
    Element one{1}, two{2}, fresh{1};
    list.push_front(two);
    list.push_front(one);
    auto const replacer = [&] {
        fresh.value = 7;
        lock.lock();
        list.replace(two, fresh);
        lock.unlock();
    };
    auto const remover = [&] {
        lock.lock();
        list.remove(one);
        lock.unlock();
    };
    auto const reader = [&] {
        smp::rcu::ReadGuard const reading;
        REQUIRE(list.find(reading, [](Element const& element) { return element.value != 7; }) == nullptr);
    };
    run_on_cpus(replacer, remover, reader);
    list.remove(fresh);
}
// Each old object goes to one of two writers, who look at it and free it later.
INTERLEAVE(rcu_ptr, {.preemptions = 3}) {
    start_readers(2);
    smp::RcuPtr<Element> slot{new Element{0}};
    u64 taken[2] = {};
    auto const write = [&](u64 key) {
        Element* const old = slot.exchange(new Element{key});
        REQUIRE(old->value == 7);
        taken[key - 1] = old->key;
        free_later(*old);
        leave();
    };
    auto const one = [&] { write(1); };
    auto const two = [&] {
        {
            smp::rcu::ReadGuard const reading;
            REQUIRE(slot.load(reading)->value == 7);
        }
        write(2);
    };
    run_on_cpus(one, two);
    REQUIRE(taken[0] + taken[1] + slot.load_locked()->key == 3);
}
INTERLEAVE(rcu_ptr_publish, {.preemptions = 3}) {
    start_readers(2);
    Element fresh{1};
    smp::RcuPtr<Element> slot;
    auto const writer = [&] {
        fresh.value = 7;
        slot.publish(&fresh);
    };
    auto const reader = [&] {
        smp::rcu::ReadGuard const reading;
        if (Element const* const seen = slot.load(reading)) REQUIRE(seen->value == 7);
    };
    run_on_cpus(writer, reader);
}
// Everything that was deferred before barrier(), on any CPU, has run when it returns.
INTERLEAVE(rcu_barrier, {.preemptions = 3}) {
    static constexpr smp::rcu::ThreadHooks kHooks{.sleep = [](Nanoseconds) { arch::pause(); }, .wake_worker = [](CpuId) {}};
    static int ran;
    smp::rcu::set_thread_hooks(kHooks);
    start_readers(2);
    smp::rcu::Callback callback;
    std::atomic<bool> deferred{false};
    auto const one = [&] {
        smp::rcu::defer(callback, [](smp::rcu::Callback&) { ++ran; });
        deferred.store(true, std::memory_order_release);
        leave();
    };
    auto const two = [&] {
        bool const must_run = deferred.load(std::memory_order_acquire);
        leave();
        smp::rcu::barrier();
        if (must_run) REQUIRE(ran == 1);
    };
    run_on_cpus(one, two);
}

// Threads come to be while somebody defers: the worker is woken by whole hooks or not at all.
INTERLEAVE(rcu_hooks_come_late, {.preemptions = 3}) {
    static int woken;
    start_readers(2);
    smp::rcu::ThreadHooks hooks{};
    smp::rcu::Callback callback;
    auto const starter = [&] {
        hooks.wake_worker = [](CpuId) { ++woken; };
        smp::rcu::set_thread_hooks(hooks);
        leave();
    };
    auto const deferrer = [&] {
        smp::rcu::defer(callback, [](smp::rcu::Callback&) {});
        leave();
    };
    run_on_cpus(starter, deferrer);
    REQUIRE(woken <= 1);
}
// A count of pending callbacks may be old, but what has run was deferred before.
INTERLEAVE(rcu_count_of_callbacks, {.preemptions = 3}) {
    start_readers(2);
    smp::rcu::Callback callback;
    auto const deferrer = [&] {
        smp::rcu::defer(callback, [](smp::rcu::Callback&) {});
        leave();
    };
    auto const looker = [&] {
        leave();
        REQUIRE(smp::rcu::statistics().pending <= 1);
    };
    run_on_cpus(deferrer, looker);
}

INTERLEAVE(ordered_set, {.preemptions = 3}) {
    start_readers(2);
    smp::OrderedSet<Element, &Element::set_node, &Element::key> set;
    Element three{3};
    {
        smp::rcu::ReadGuard const reading;
        REQUIRE(set.insert(*new Element{1}, reading) == nullptr);
        REQUIRE(set.insert(three, reading) == nullptr);
    }
    auto const writer = [&] {
        auto* const fresh = new Element{2};
        {
            smp::rcu::ReadGuard const reading;
            REQUIRE(set.insert(*fresh, reading) == nullptr);
            free_later(*set.remove(1, reading));
        }
        leave();
    };
    auto const reader = [&] {
        {
            smp::rcu::ReadGuard const reading;
            u64 last = 0;
            set.for_each(reading, [&](Element const& element) {
                REQUIRE(element.key > last && element.value == 7);
                last = element.key;
                return true;
            });
            REQUIRE(last == 3);
        }
        leave();
    };
    run_on_cpus(writer, reader);
    smp::PreemptGuard const here;
    REQUIRE(set.remove(1, here) == nullptr);
    for (u64 key : {2, 3}) REQUIRE(set.remove(key, here) != nullptr);
}

// --- hash table -------------------------------------------------------------------------------------------------------
namespace {

// The table multiplies by this; with its inverse as the hash the key's top bits are the bucket.
constexpr u64 kScramble = 0x9e3779b97f4a7c15u;
constexpr u64 inverse(u64 odd) {
    u64 x = odd;
    for (int i = 0; i < 6; ++i) x *= 2 - odd * x;
    return x;
}
static_assert(kScramble * inverse(kScramble) == 1);
struct ByTopBits {
    static u64 hash(u64 key) { return key * inverse(kScramble); }
    static u64 const& key(Element const& element) { return element.key; }
};
using Table = smp::RcuHashTable<Element, &Element::table_node, ByTopBits>;

constexpr u64 kQuarter = u64{1} << 62;  // a bucket of four

bool has(Table const& table, u64 key) {
    smp::rcu::ReadGuard const reading;
    Element const* const found = table.find(key, reading);
    REQUIRE(found == nullptr || (found->key == key && found->value == 7));
    return found != nullptr;
}
bool insert(Table& table, Element& element) {
    smp::rcu::ReadGuard const reading;
    return table.insert(element, reading) == nullptr;
}
Element* remove(Table& table, u64 key) {
    smp::PreemptGuard const reading;  // no ReadGuard: the set-up removes at the end, where no CPU takes part any more
    return table.remove(key, reading);
}

}  // namespace

INTERLEAVE(hash_table_remove_and_defer, {.preemptions = 2}) {
    start_readers(2);
    Table table = *Table::create(2);
    Element stays{1 | kQuarter};
    REQUIRE(insert(table, *new Element{1}) && insert(table, stays));
    auto const remover = [&] {
        free_later(*remove(table, 1));
        REQUIRE(!has(table, 1));
        leave();
    };
    auto const reader = [&] {
        (void)has(table, 1);
        REQUIRE(has(table, stays.key));
        leave();
    };
    run_on_cpus(remover, reader);
    (void)remove(table, stays.key);
}
// More buckets: what is there is found by the old size and the new.
INTERLEAVE(hash_table_grows_under_a_reader, {.preemptions = 3}) {
    start_readers(2);
    Table table = *Table::create(2);
    Element low{1}, high{1 | 3 * kQuarter};
    REQUIRE(insert(table, low) && insert(table, high));
    auto const resizer = [&] { REQUIRE(table.resize(4).has_value()); };
    auto const reader = [&] {
        REQUIRE(has(table, low.key) && has(table, high.key));
        REQUIRE(!has(table, 3 | kQuarter));
    };
    run_on_cpus(resizer, reader);
    REQUIRE(table.buckets() == 4);
    (void)remove(table, low.key);
    (void)remove(table, high.key);
}
// Two insert into the same new bucket: one links its marker, the other goes another way; both are found.
INTERLEAVE(hash_table_new_bucket, {.preemptions = 1}) {
    start_readers(3);
    Table table = *Table::create(4);
    Element one{1 | 3 * kQuarter}, two{3 | 3 * kQuarter};
    auto const first = [&] { REQUIRE(insert(table, one) && has(table, one.key)); };
    auto const second = [&] { REQUIRE(insert(table, two) && has(table, two.key)); };
    auto const reader = [&] {
        if (has(table, two.key)) REQUIRE(has(table, two.key));
    };
    run_on_cpus(first, second, reader);
    REQUIRE(remove(table, one.key) == &one && remove(table, two.key) == &two);
}
INTERLEAVE(hash_table_grows_under_a_writer, {.preemptions = 2}) {
    start_readers(2);
    Table table = *Table::create(2);
    Element one{1 | kQuarter}, two{3 | 3 * kQuarter};
    REQUIRE(insert(table, one));
    auto const resizer = [&] { REQUIRE(table.resize(4).has_value()); };
    auto const writer = [&] {
        REQUIRE(insert(table, two));
        REQUIRE(has(table, two.key));
        REQUIRE(remove(table, one.key) == &one);
        REQUIRE(!has(table, one.key));
    };
    run_on_cpus(resizer, writer);
    REQUIRE(remove(table, two.key) == &two);
}
// Fewer buckets: the markers of the upper half go, with their memory, when nobody begins at them or stands on them.
INTERLEAVE(hash_table_shrinks_under_a_reader, {.preemptions = 2}) {
    start_readers(2);
    Table table = *Table::create(4);
    Element one{1 | 3 * kQuarter};
    REQUIRE(insert(table, one));
    auto const resizer = [&] {
        REQUIRE(table.resize(2).has_value());
        leave();
    };
    auto const reader = [&] {
        for (int i = 0; i < 2; ++i) {
            REQUIRE(has(table, one.key));
            smp::rcu::quiescent_point();
        }
        leave();
    };
    run_on_cpus(resizer, reader);
    REQUIRE(table.buckets() == 2);
    REQUIRE(remove(table, one.key) == &one);
}
// One after the other: the second knows what the first did to the segments.
INTERLEAVE(hash_table_two_resize, {.preemptions = 3}) {
    start_readers(2);
    Table table = *Table::create(2);
    auto const resize = [&](u64 elements) {
        Result<> const resized = table.resize(elements);
        REQUIRE(resized.has_value() || resized.error() == Error::Busy);
    };
    // The first reads nothing, so that the second's grace periods do not wait for it and order nothing.
    auto const grow = [&] {
        leave();
        resize(4);
    };
    auto const shrink = [&] { resize(2); };
    run_on_cpus(grow, shrink);
}
// Had the second not seen the first's segments, it would make them again.
INTERLEAVE(hash_table_two_grow, {.preemptions = 3}) {
    start_readers(2);
    unsigned const blocks = live_blocks();
    {
        Table table = *Table::create(2);
        auto const first = [&] { (void)table.resize(4); };  // Busy, or one is smaller than the other
        auto const second = [&] {
            leave();
            (void)table.resize(8);
        };
        run_on_cpus(first, second);
    }
    REQUIRE(live_blocks() == blocks);
}

// --- reference-counted search and delete ------------------------------------------------------------------------------
namespace {
int g_alive = 0;
struct File : smp::RcuRefCounted<File> {
    smp::RcuHashNode node;
    u64 id;
    int uses = 0;
    explicit File(u64 i) : id{i} { ++g_alive; }
    ~File() { --g_alive; }
};
struct ById {
    static u64 hash(u64 id) { return id * inverse(kScramble); }
    static u64 const& key(File const& file) { return file.id; }
};
using Files = smp::RefTable<File, &File::node, ById>;
}  // namespace

// Found and in use while it is removed: whole until the finder has put it, gone afterwards.
INTERLEAVE(ref_table_find_and_remove, {.preemptions = 3}) {
    start_readers(2);
    {
        Files files = *Files::create(2);
        REQUIRE(files.insert(**make_ref<File>(u64{1})).has_value());
        auto const remover = [&] {
            {
                Ref<File> const removed = files.remove(1);
                REQUIRE(removed && !files.find(1));
            }
            leave();
        };
        auto const finder = [&] {
            if (Ref<File> const file = files.find(1)) {
                smp::rcu::quiescent_point();
                ++file->uses;
            }
            leave();
        };
        run_on_cpus(remover, finder);
    }
    REQUIRE(g_alive == 0);
}
INTERLEAVE(ref_table_two_removers, {.preemptions = 2}) {
    start_readers(2);
    {
        Files files = *Files::create(2);
        REQUIRE(files.insert(**make_ref<File>(u64{1})).has_value());
        bool got[2] = {};
        auto const take = [&](int index) {
            got[index] = static_cast<bool>(files.remove(1));
            leave();
        };
        auto const one = [&] { take(0); };
        auto const two = [&] { take(1); };
        run_on_cpus(one, two);
        REQUIRE(got[0] + got[1] == 1);
    }
    REQUIRE(g_alive == 0);
}

}  // namespace interleave
}  // namespace tutti
