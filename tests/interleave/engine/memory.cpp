// SPDX-License-Identifier: BSD-3-Clause
#include "engine/memory.hpp"

#include <cstring>

namespace tutti::interleave {

Cell* Memory::find(u64 address, u32 size) {
    Recent& recent = recent_[(address >> 1 ^ address >> 7) % 64];
    if (recent.address == address && recent.size == size) return recent.cell;
    Granule& granule = granules_[address >> 4];
    u32 const offset = address & 15;
    Cell* const first = granule.of[offset];
    bool clean = true;
    for (u32 i = 0; i < size; ++i) clean = clean && granule.of[offset + i] == first;
    Cell* cell = first;
    bool changed = false;
    if (first == nullptr || !clean) {
        u64 begin = address;
        u64 end = address + size;
        bool any = false;
        for (u32 i = 0; i < size; ++i)
            if (Cell* const part = granule.of[offset + i]) {
                any = true;
                begin = std::min(begin, part->address);
                end = std::max(end, part->address + part->size);
            }
        cell = &cells_.emplace_back();
        cell->address = begin;
        cell->size = static_cast<u8>(end - begin);
        cell->id = static_cast<u32>(cells_.size());
        for (u64 at = begin; at < end; ++at) {
            if (Cell* const part = granule.of[at & 15]) {
                cell->users |= part->users;
                part->merged = true;
            }
            granule.of[at & 15] = cell;
        }
        changed = any;
        for (Recent& one : recent_) one = {};
    }
    if (cell->size != size && !cell->mixed) {
        cell->mixed = true;
        changed = true;
    }
    if (changed) return nullptr;
    recent = {address, size, cell};
    return cell;
}

u32 Memory::overlapping(u64 address, u32 size, Cell** out) {
    u32 count = 0;
    for (u64 at = address; at < address + size;) {
        auto const found = granules_.find(at >> 4);
        u64 const end = std::min((at | 15) + 1, address + size);
        if (found != granules_.end())
            for (; at < end; ++at) {
                Cell* const cell = found->second.of[at & 15];
                if (cell == nullptr || !cell->live || cell->execution != execution_) continue;
                if (count == 0 || out[count - 1] != cell) out[count++] = cell;
            }
        at = end;
    }
    return count;
}

void Memory::begin_execution() {
    ++execution_;
    hash_ = 0;
    stores_.reset();
    knowledge_.reset();
}

void Memory::revive(Cell& cell) {
    if (cell.execution != execution_) {
        cell.execution = execution_;
        cell.generation = 0;
        cell.hash = 0;
        cell.live = false;
    }
    cell.live = true;
    ++cell.generation;
    cell.order.clear();
    for (auto& list : cell.accesses) list.clear();
    std::memset(cell.last_access, 0, sizeof cell.last_access);
    std::memset(cell.last_store, 0, sizeof cell.last_store);
    cell.sc_newest = nullptr;
    Store& initial = make_store();
    std::memcpy(&initial.value, reinterpret_cast<void const*>(cell.address), cell.size);
    Knowledge const& nothing = make_knowledge();
    for (u32 i = 0; i < cell.size; ++i) initial.part[i] = &nothing;
    cell.order.push_back(&initial);
    set_hash(cell, mix(cell.id, cell.generation));
}

void Memory::end_generation(Cell& cell) {
    cell.live = false;
    set_hash(cell, mix(~u64{cell.id}, cell.generation));
}

void Memory::set_hash(Cell& cell, u64 hash) {
    hash_ ^= cell.hash ^ hash;
    cell.hash = hash;
}

u32 Memory::floor(Cell const& cell, Knowledge const& knowledge, Knowledge const* fences) const {
    u32 lowest = 0;
    for (u32 u = 0; u < kMaxStrands; ++u) {
        auto const& list = cell.accesses[u];
        if (list.empty()) continue;
        u16 seen = knowledge.seen.at[u];
        u16 sc = knowledge.sc.at[u];
        if (fences != nullptr) {
            if (fences->seen.at[u] > seen) seen = fences->seen.at[u];
            if (fences->sc.at[u] > sc) sc = fences->sc.at[u];
        }
        // Positions never fall along a strand's accesses: the last one that is known is the highest.
        for (auto it = list.rbegin(); it != list.rend(); ++it)
            if (it->event <= seen || (it->sc && it->event <= sc)) {
                if (it->store->position > lowest) lowest = it->store->position;
                break;
            }
    }
    if (fences != nullptr && cell.sc_newest != nullptr && cell.sc_newest->position > lowest)
        lowest = cell.sc_newest->position;
    return lowest;
}

void Memory::insert(Cell& cell, Store& store, u32 position) {
    if (position + 1 == cell.order.size()) {
        store.position = position + 1;
        cell.order.push_back(&store);
        set_hash(cell, mix(cell.hash, identity(cell, store)));
        return;
    }
    cell.order.insert(cell.order.begin() + position + 1, &store);
    u64 hash = mix(cell.id, cell.generation);
    for (u32 i = 0; i < cell.order.size(); ++i) {
        cell.order[i]->position = i;
        if (i != 0) hash = mix(hash, identity(cell, *cell.order[i]));
    }
    set_hash(cell, hash);
}

void Memory::note_access(Cell& cell, u32 strand, u16 event, Store& store, bool sc) {
    cell.accesses[strand].push_back({&store, event, sc});
    cell.last_access[strand] = event;
    if (sc && (cell.sc_newest == nullptr || cell.sc_newest->position < store.position)) cell.sc_newest = &store;
}

}  // namespace tutti::interleave
