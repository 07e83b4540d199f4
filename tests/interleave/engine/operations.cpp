// SPDX-License-Identifier: BSD-3-Clause
// What each operation of the running strand does to the memory model, and the checks of plain accesses.
#include <bit>
#include <cstring>

#include "engine/engine.hpp"
#include "engine/operations.hpp"

namespace tutti::interleave {

namespace {

bool acquires(int order) { return order == 1 || order == kAcquire || order == kAcqRel || order == kSeqCst; }
bool releases(int order) { return order == kRelease || order == kAcqRel || order == kSeqCst; }

}  // namespace

std::string value_text(u128 value) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, value >> 64 != 0 ? "%#llx:%llx" : "%2$#llx",
                  static_cast<unsigned long long>(value >> 64), static_cast<unsigned long long>(value));
    return buffer;
}

u16 Engine::next_event() {
    Strand& strand = self();
    u16 const event = ++strand.now.happened.at[current];
    strand.now.seen.at[current] = event;
    return event;
}

void Engine::step(u32 pc) {
    if (self().fast_forward) return;  // bounded: pause() counts
    if (++steps_ > program->bounds.steps && !only_setup)
        fail("livelock", "no end after " + std::to_string(steps_) + " operations, at " + sites.description(pc));
}

std::string Engine::describe_access(u32 strand, u32 pc) const {
    return (strand == setup ? std::string{"set-up"} : "CPU " + std::to_string(strand)) + " at " +
           const_cast<Sites&>(sites).description(pc);
}

// Races of this access with plain ones, and accesses to what is no longer there.
void Engine::check_alive(u64 address, u32 size, bool write, bool atomic, u32 pc) {
    Clock const& happened = self().now.happened;
    for (u32 i = 0; i < size; ++i) {
        ByteShadow* const shadow = shadow_.at(address + i);
        if (shadow == nullptr) {
            if (address < 4096) fail("null pointer", "access to " + value_text(address) + " by " + describe_access(current, pc));
            return;
        }
        if (shadow->freed)
            fail("use after free", describe_access(current, pc) + "\n    freed by " +
                                       describe_access(shadow->write_strand, shadow->write_pc));
        if (shadow->written && shadow->write_strand != current &&
            shadow->write_event > happened.at[shadow->write_strand])
            fail("data race", describe_access(current, pc) + "\n    with the write of " +
                                  describe_access(shadow->write_strand, shadow->write_pc));
        if (write)
            for (u32 u = 0; u < kMaxStrands; ++u)
                if (u != current && shadow->read_event[u] > happened.at[u])
                    fail("data race", describe_access(current, pc) + "\n    with the read of " +
                                          describe_access(u, shadow->read_pc));
        if (atomic) shadow->atomic = true;
    }
    if (Shadow::is_arena(address)) {
        u64 const owner = (address - kArena) / kStrandSize;
        if (owner != current && (address - kArena) % kStrandSize < kStackSize) {
            Strand const& other = strands[owner];
            bool const own_stack = other.frame - (kArena + owner * kStrandSize) < kStackSize;
            if (own_stack && (other.status == Status::Finished || address < other.frame))
                fail("use after return", describe_access(current, pc) + ": a variable of a function of CPU " +
                                             std::to_string(owner) + " that has returned");
        }
    }
}

void Engine::plain(u64 address, u64 size, bool write, u32 pc) {
    if (shadow_.at(address) == nullptr) {
        if (address < 4096) fail("null pointer", "access to " + value_text(address) + " by " + describe_access(current, pc));
        return;
    }
    for (u64 at = address; at < address + size; at += 16)
        check_alive(at, static_cast<u32>(std::min<u64>(16, address + size - at)), write, false, pc);
    Clock const& happened = self().now.happened;
    u16 const event = static_cast<u16>(happened.at[current] + 1);
    bool atomics = false;
    for (u64 i = 0; i < size; ++i) {
        ByteShadow* const shadow = shadow_.at(address + i);
        if (shadow == nullptr) break;
        if (write) {
            shadow->written = true;
            shadow->write_event = event;
            shadow->write_strand = static_cast<u8>(current);
            shadow->write_pc = pc;
        } else {
            shadow->read_event[current] = event;
            shadow->read_pc = pc;
        }
        atomics |= shadow->atomic;
        if (write) shadow->atomic = false;
    }
    if (!atomics) return;
    for (u64 at = address; at < address + size; at += 16) {
        Cell* cells[16];
        u32 const count = memory_.overlapping(at, static_cast<u32>(std::min<u64>(16, address + size - at)), cells);
        for (u32 c = 0; c < count; ++c) {
            Cell& cell = *cells[c];
            for (u32 u = 0; u < kMaxStrands; ++u) {
                if (u == current) continue;
                u16 const last = write ? cell.last_access[u] : cell.last_store[u];
                if (last > happened.at[u])
                    fail("data race", "plain access by " + describe_access(current, pc) + "\n    with an atomic one of CPU " +
                                          std::to_string(u) + " to " + name_of(cell, 0));
            }
            if (write) memory_.end_generation(cell);
        }
    }
}

Cell& Engine::cell_for(u64 address, u32 size, u32 pc) {
    step(pc);
    Cell* const cell = memory_.find(address, size);
    if (cell == nullptr) stop(End::Restart);
    return *cell;
}

// Before an operation on a location that other strands access too, any of them may come first.
void Engine::become_visible(Cell& cell, u64 address, u32 size, bool write, u32 pc) {
    if (!only_setup) {
        u32 const bit = 1u << current;
        if ((cell.users & bit) == 0) {
            if (cell.users != 0) restart_wanted_ = true;
            cell.users |= bit;
        }
        if (mode_ == Choosing::Random || std::popcount(cell.users) > 1)
            schedule();
        else
            interrupt_point();
    }
    check_alive(address, size, write, true, pc);
    if (!cell.live || !memory_.is_current(cell)) memory_.revive(cell);
}

void Engine::acquire(Store const& store, u32 offset, u32 size, int order) {
    Knowledge const* last = nullptr;
    Strand& strand = self();
    for (u32 i = offset; i < offset + size; ++i) {
        if (store.part[i] == last) continue;
        last = store.part[i];
        (acquires(order) ? strand.now : strand.pending_acquire).join(*last);
    }
}

void Engine::publish(Cell& cell, Store& store, Store const& base, u32 offset, u32 size, int order, bool read) {
    Strand& strand = self();
    Knowledge& message = memory_.make_knowledge();
    message = releases(order) ? strand.now : strand.release_fence;
    if (read)  // a read-modify-write goes on with the release sequence of what it read
        for (u32 i = offset; i < offset + size; ++i) message.join(*base.part[i]);
    for (u32 i = 0; i < cell.size; ++i) store.part[i] = i >= offset && i < offset + size ? &message : base.part[i];
    store.strand = static_cast<u8>(current);
    store.event = strand.now.happened.at[current];
    cell.last_store[current] = store.event;
}

void Engine::write_through(Cell& cell) {
    std::memcpy(reinterpret_cast<void*>(cell.address), &cell.newest().value, cell.size);
}

bool Engine::repeat_read(Cell& cell, u32 offset, u32 size, u32 pc, u128& value) {
    for (auto const& read : self().reads) {
        if (read.cell != &cell || read.pc != pc || read.offset != offset || read.size != size) continue;
        if (!cell.live || read.generation != cell.generation || read.step <= self().last_write) break;
        value = read.store->value >> (8 * offset);
        return true;
    }
    self().fast_forward = false;
    self().reads.clear();
    return false;
}

void Engine::remember_read(Cell& cell, Store& store, u32 offset, u32 size, u32 pc) {
    if (only_setup) return;
    auto& reads = self().reads;
    for (auto& read : reads)
        if (read.cell == &cell && read.offset == offset && read.size == size && read.pc == pc) {
            read.store = &store;
            read.generation = cell.generation;
            read.step = steps_;
            return;
        }
    if (reads.size() == 16) reads.erase(reads.begin());
    reads.push_back({&cell, &store, cell.generation, pc, static_cast<u8>(offset), static_cast<u8>(size), steps_});
}

u128 Engine::load(u64 address, u32 size, int order, u32 pc) {
    order = sites.order(pc, Kind::Load, order);
    Cell& cell = cell_for(address, size, pc);
    u32 const offset = static_cast<u32>(address - cell.address);
    u128 const mask = mask_of(size);
    if (self().fast_forward) {
        u128 value;
        if (repeat_read(cell, offset, size, pc, value)) return value & mask;
    }
    become_visible(cell, address, size, false, pc);
    u16 const event = next_event();
    bool const sc = order == kSeqCst;
    u32 const lowest = memory_.floor(cell, self().now, sc ? &fences_ : nullptr);
    u32 const newest = cell.newest().position;
    u32 const back = choices_.choose(newest - lowest + 1, false);
    Store& store = *cell.order[newest - back];
    acquire(store, offset, size, order);
    memory_.note_access(cell, current, event, store, sc);
    if (sc) sc_accesses_.at[current] = event;
    remember_read(cell, store, offset, size, pc);
    self().history = mix(self().history, mix(cell.id, Memory::identity(cell, store)));
    u128 const value = store.value >> (8 * offset) & mask;
    if (trace_on)
        note(std::string{"load "} + order_name(order) + " " + name_of(cell, offset) + " = " + value_text(value) +
                 (back != 0 ? " (old: the newest is " + value_text(cell.newest().value >> (8 * offset) & mask) + ")" : ""),
             pc);
    return value;
}

void Engine::store(u64 address, u32 size, u128 value, int order, u32 pc) {
    order = sites.order(pc, Kind::Store, order);
    Cell& cell = cell_for(address, size, pc);
    u32 const offset = static_cast<u32>(address - cell.address);
    u128 const mask = mask_of(size) << (8 * offset);
    if (self().fast_forward) {
        self().fast_forward = false;
        self().reads.clear();
    }
    become_visible(cell, address, size, true, pc);
    u16 const event = next_event();
    bool const sc = order == kSeqCst;
    u32 base = cell.newest().position;
    if (!cell.mixed) {
        // Anywhere behind what this strand knows, but not between a read-modify-write and what it read.
        u32 const lowest = memory_.floor(cell, self().now, sc ? &fences_ : nullptr);
        u32 places = 0;
        for (u32 at = base + 1; at-- > lowest;) places += !cell.order[at]->read_by_rmw;
        u32 skip = choices_.choose(places, false);
        for (u32 at = base + 1; at-- > lowest;) {
            if (cell.order[at]->read_by_rmw) continue;
            if (skip-- == 0) {
                base = at;
                break;
            }
        }
    }
    Store& made = memory_.make_store();
    Store const& before = *cell.order[base];
    made.value = (before.value & ~mask) | ((value << (8 * offset)) & mask);
    publish(cell, made, before, offset, size, order, false);
    bool const last = base == cell.newest().position;
    memory_.insert(cell, made, base);
    memory_.note_access(cell, current, event, made, sc);
    if (sc) sc_accesses_.at[current] = event;
    self().history = mix(self().history, mix(cell.id, Memory::identity(cell, made)));
    self().last_write = steps_;
    write_through(cell);
    if (trace_on)
        note(std::string{"store "} + order_name(order) + " " + name_of(cell, offset) + " = " +
                 value_text(value & mask_of(size)) + (last ? "" : " (before a store that came earlier)"),
             pc);
}

u128 Engine::change(u64 address, u32 size, int order, int failure, u32 pc, Change const& change) {
    order = sites.order(pc, Kind::ReadModifyWrite, order);
    if (change.may_fail) failure = sites.order(pc, Kind::CompareFailure, failure);
    Cell& cell = cell_for(address, size, pc);
    u32 const offset = static_cast<u32>(address - cell.address);
    u128 const mask = mask_of(size);
    if (self().fast_forward) {
        self().fast_forward = false;
        self().reads.clear();
    }
    become_visible(cell, address, size, true, pc);
    u16 const event = next_event();
    // Which stores it may read: to succeed one that no other read-modify-write has read; to fail any.
    u32 const newest = cell.newest().position;
    u32 const lowest = memory_.floor(cell, self().now, order == kSeqCst ? &fences_ : nullptr);
    auto const possible = [&](u32 at) {
        Store const& store = *cell.order[at];
        if (change.succeeds(store.value >> (8 * offset) & mask)) return !store.read_by_rmw && (at == newest || !cell.mixed);
        return true;
    };
    u32 ways = 0;
    for (u32 at = newest + 1; at-- > lowest;) ways += possible(at);
    u32 skip = choices_.choose(ways, false);
    u32 chosen = newest;
    for (u32 at = newest + 1; at-- > lowest;)
        if (possible(at) && skip-- == 0) {
            chosen = at;
            break;
        }
    Store& read = *cell.order[chosen];
    u128 const old = read.value >> (8 * offset) & mask;
    bool const success = change.succeeds(old);
    int const used = success ? order : failure;
    bool const sc = used == kSeqCst;
    acquire(read, offset, size, used);
    remember_read(cell, read, offset, size, pc);
    Store* accessed = &read;
    u128 made_value = old;
    if (success) {
        Store& made = memory_.make_store();
        made_value = change.result(old) & mask;
        made.value = (read.value & ~(mask << (8 * offset))) | made_value << (8 * offset);
        publish(cell, made, read, offset, size, order, true);
        read.read_by_rmw = true;
        memory_.insert(cell, made, chosen);
        write_through(cell);
        accessed = &made;
        self().last_write = steps_;
    }
    memory_.note_access(cell, current, event, *accessed, sc);
    if (sc) sc_accesses_.at[current] = event;
    self().history = mix(self().history, mix(cell.id, Memory::identity(cell, read)) + success);
    if (trace_on)
        note(std::string{success ? "change " : "compare fails "} + order_name(used) + " " + name_of(cell, offset) + ": " +
                 value_text(old) + (success ? " -> " + value_text(made_value) : ""),
             pc);
    return old;
}

void Engine::fence(int order, u32 pc) {
    order = sites.order(pc, Kind::Fence, order);
    if (order == kRelaxed || order == kRemoved) return;
    step(pc);
    if (order == kSeqCst && !only_setup) schedule();
    Strand& strand = self();
    next_event();
    if (acquires(order)) strand.now.join(strand.pending_acquire);
    if (order == kSeqCst) {
        strand.now.seen.join(fences_.seen);
        strand.now.sc.join(fences_.sc);
        strand.now.sc.join(sc_accesses_);
        fences_.seen.join(strand.now.seen);
        fences_.sc.join(strand.now.sc);
        u64 hash = strand.history;
        for (u32 i = 0; i < kMaxStrands; ++i) hash = mix(hash, u64{strand.now.seen.at[i]} << 16 | strand.now.sc.at[i]);
        strand.history = hash;
    }
    if (releases(order)) strand.release_fence = strand.now;
    strand.history = mix(strand.history, 0xfe00u + static_cast<u32>(order));
    if (trace_on) note(std::string{"fence "} + order_name(order), pc);
}

void* Engine::allocate(std::size_t size, std::size_t alignment) {
    Strand& strand = self();
    u64 const base = kArena + current * kStrandSize + kStackSize;
    u64 const start = (base + strand.heap_used + 16 + alignment - 1) / alignment * alignment;
    strand.heap_used = start + size - base;
    if (strand.heap_used > kHeapSize) fail("usage", "the simulated heap is full");
    *reinterpret_cast<u64*>(start - 8) = size;
    ++live_blocks;
    std::memset(reinterpret_cast<void*>(start), 0xbe, size);
    return reinterpret_cast<void*>(start);
}

// Freed memory stays as it is, and is used no more in this execution.
void Engine::release(void* pointer, u32 pc) {
    u64 const address = reinterpret_cast<u64>(pointer);
    u64 const size = *reinterpret_cast<u64*>(address - 8);
    plain(address, size, true, pc);
    for (u64 i = 0; i < size; ++i) shadow_.at(address + i)->freed = true;
    --live_blocks;
    if (trace_on) note("free " + value_text(address), pc);
}

}  // namespace tutti::interleave
