// SPDX-License-Identifier: BSD-3-Clause
// Atomic memory as C++20 orders it: for each location the modification order of its stores, and who has read which.
// What a load may return follows from the reader's knowledge, not from when things ran (README.md, "What is modelled").
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "engine/knowledge.hpp"

namespace tutti::interleave {

inline constexpr u32 kMaxCell = 16;
inline constexpr u8 kNobody = 0xff;

// Objects of one execution, reused by the next.
template <class T>
class Pool {
  public:
    T& make() {
        if (used_ == objects_.size()) objects_.emplace_back();
        T& object = objects_[used_++];
        object = T{};
        return object;
    }
    void reset() { used_ = 0; }

  private:
    std::deque<T> objects_;
    std::size_t used_ = 0;
};

struct Store {
    u128 value = 0;                      // of the whole cell
    Knowledge const* part[kMaxCell] = {};  // what a reader of each byte may acquire
    u32 position = 0;
    u16 event = 0;
    u8 strand = kNobody;  // nobody: what memory held at the first atomic access
    bool read_by_rmw = false;  // the next store in modification order is that read-modify-write's
};

// One location: a range of bytes that atomic accesses have in common. Accesses of different sizes that overlap make one
// cell of their union, with one modification order.
struct Cell {
    struct Access {
        Store* store;
        u16 event;
        bool sc;
    };

    u64 address = 0;
    u32 id = 0;
    u8 size = 0;
    bool mixed = false;   // accesses of several sizes
    u32 users = 0;        // strands that access it in any execution: one alone needs no choice of schedule
    bool merged = false;  // into a larger cell; not used any more

    // --- of this execution --------------------------------------------------------------------------------------
    u32 execution = 0;
    u32 generation = 0;  // a plain store ends one: a new object at the same address
    bool live = false;
    std::vector<Store*> order;
    std::vector<Access> accesses[kMaxStrands];
    u16 last_access[kMaxStrands] = {};
    u16 last_store[kMaxStrands] = {};
    Store* sc_newest = nullptr;  // the newest store that a seq_cst access has read or written
    u64 hash = 0;

    [[nodiscard]] Store& newest() { return *order.back(); }
};

class Memory {
  public:
    // The cell of an access; null when the cells had to change, so that the exploration starts again.
    Cell* find(u64 address, u32 size);
    // All cells that overlap the range, into `out`; for plain accesses. Returns how many.
    u32 overlapping(u64 address, u32 size, Cell** out);

    void begin_execution();
    [[nodiscard]] bool is_current(Cell const& cell) const { return cell.execution == execution_; }
    void revive(Cell& cell);
    void end_generation(Cell& cell);

    // The oldest store that `knowledge` allows to be read; for seq_cst accesses with the fences' knowledge too.
    [[nodiscard]] u32 floor(Cell const& cell, Knowledge const& knowledge, Knowledge const* fences) const;
    // A new store behind `position`. Its value is in place.
    void insert(Cell& cell, Store& store, u32 position);
    void note_access(Cell& cell, u32 strand, u16 event, Store& store, bool sc);
    // From here on the strand reads nothing older. No access, with which others could race.
    void note_known(Cell& cell, u32 strand, u16 event, Store& store) {
        cell.accesses[strand].push_back({&store, event, false});
    }

    [[nodiscard]] Store& make_store() { return stores_.make(); }
    [[nodiscard]] Knowledge& make_knowledge() { return knowledge_.make(); }
    [[nodiscard]] u64 hash() const { return hash_; }
    [[nodiscard]] static u64 identity(Cell const& cell, Store const& store) {
        return store.strand == kNobody ? 0xff'0000u + cell.generation : u64{store.strand} << 16 | store.event;
    }

    [[nodiscard]] std::deque<Cell>& cells() { return cells_; }

  private:
    struct Granule {
        Cell* of[16] = {};
    };
    void set_hash(Cell& cell, u64 hash);

    std::unordered_map<u64, Granule> granules_;
    std::deque<Cell> cells_;
    std::vector<Cell*> live_;
    Pool<Store> stores_;
    Pool<Knowledge> knowledge_;
    u32 execution_ = 0;
    u64 hash_ = 0;
    // The last look-ups.
    struct Recent {
        u64 address = ~u64{0};
        u32 size = 0;
        Cell* cell = nullptr;
    };
    Recent recent_[64];
};

}  // namespace tutti::interleave
