// SPDX-License-Identifier: BSD-3-Clause
// The checker's state: strands, the memory they share, the way through the choices. One for the process.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "engine/choices.hpp"
#include "engine/interleave.hpp"
#include "engine/memory.hpp"
#include "engine/shadow.hpp"
#include "engine/sites.hpp"

namespace tutti::interleave {

enum class Status : u8 { Ready, Spinning, Sleeping, Halted, Joining, Finished };

struct Strand {
    struct Read {  // of the loop iteration since the last pause
        Cell* cell;
        Store* store;
        u32 generation;
        u32 pc;
        u8 offset, size;
        u64 step;
    };
    struct Interrupt {
        void (*handler)();
        Knowledge const* message;
    };
    void* stack_pointer = nullptr;
    Task task{};
    u32 cpu = 0;
    Status status = Status::Ready;
    Knowledge now;              // everything that is known
    Knowledge pending_acquire;  // read relaxed, for the next acquire fence
    Knowledge release_fence;    // at the last release fence, for the relaxed stores after it
    u64 history = 0;
    bool interrupts = true;
    std::vector<Interrupt> pending;
    std::vector<Read> reads;
    u32 blocked_pc = 0;
    bool fast_forward = false;  // a bounded spin runs to its end without anybody else
    u32 fast_rounds = 0;
    u64 last_write = 0;  // reads before it are not the loop's
    u32 wakes = 0;
    u64 heap_used = 0;
    u64 clock = 0;
    u64 frame = 0;  // the program's stack pointer at its last operation: what lies below is dead

    [[nodiscard]] u16 event(u32 self) const { return now.happened.at[self]; }
};

// What the scheduler does next.
struct Action {
    enum What : u8 { Run, Interrupt, Expire } what;
    u8 strand;
    u8 index;  // of the interrupt, or of the changed location that ends a spin
};

enum class End : u8 { None, Complete, Pruned, Restart, Failed };

// What a read-modify-write does with the value that it found.
struct Change {
    enum What : u8 { Exchange, Add, Subtract, And, Or, Xor, Nand, Compare } what;
    u128 operand;
    u128 expected = 0;
    bool may_fail = false;

    [[nodiscard]] bool succeeds(u128 old) const { return what != Compare || old == expected; }
    [[nodiscard]] u128 result(u128 old) const {
        switch (what) {
            case Add: return old + operand;
            case Subtract: return old - operand;
            case And: return old & operand;
            case Or: return old | operand;
            case Xor: return old ^ operand;
            case Nand: return ~(old & operand);
            default: return operand;
        }
    }
};

struct TraceLine {
    u8 strand;
    u32 pc;
    std::string text;
};

struct Result {
    bool failed = false;
    bool complete = false;
    std::string kind, message, schedule;
    u64 schedules = 0, pruned = 0, states = 0, steps = 0;
    u32 deepest = 0;
    double seconds = 0;
};

struct Limits {
    u64 schedules = ~u64{0};
    double seconds = 1e9;
};

class Engine {
  public:
    Engine();

    Result explore(Program const& program, Choosing mode, u64 seed, Limits const& limits, std::string const& schedule = "");

    // --- operations of the running strand -----------------------------------------------------------------------
    u128 load(u64 address, u32 size, int order, u32 pc);
    void store(u64 address, u32 size, u128 value, int order, u32 pc);
    // A read-modify-write. A compare-exchange may fail, with `failure` as its order. Returns the old value.
    u128 change(u64 address, u32 size, int order, int failure, u32 pc, Change const& change);
    void fence(int order, u32 pc);
    void plain(u64 address, u64 size, bool write, u32 pc);
    void pause(u32 pc);
    void block(Status status, u32 pc);
    void interrupt_point();
    void raise(u32 cpu, void (*handler)(), u32 pc);
    void wake(u32 cpu, u32 pc);
    void spawn(Task const* tasks, u32 count, u32 pc);
    void strand_body(u32 strand);
    [[noreturn]] void end_strand();
    u32 choose(u32 options);

    void* allocate(std::size_t size, std::size_t alignment);
    void release(void* pointer, u32 pc);
    [[noreturn]] void fail(char const* kind, std::string message);
    [[noreturn]] void stop(End end);
    void note(std::string text, u32 pc);

    [[nodiscard]] Strand& self() { return strands[current]; }
    [[nodiscard]] bool simulating() const { return running && !inside; }
    [[nodiscard]] char* area_of(u32 cpu) const {
        return reinterpret_cast<char*>(kArena + cpu * kStrandSize + kStackSize + kHeapSize);
    }
    [[nodiscard]] bool tracing() const { return trace_on; }

    std::array<Strand, kMaxStrands> strands;
    u32 strand_count = 0;  // without the set-up strand
    u32 current = 0;
    u32 setup = 0;         // the set-up strand's number
    bool running = false;
    bool inside = true;    // the checker itself runs: its memory is not the machine's
    bool trace_on = false;
    bool only_setup = true;
    std::vector<TraceLine> trace;
    Sites sites;
    Program const* program = nullptr;
    void (*interrupt_wrapper)(void (*)()) = nullptr;
    std::vector<unsigned> outcomes;
    u32 live_blocks = 0;
    int preemption_bound = -1;  // of the command line
    u32 deeper = 0;
    u64 time_step = 1000;
    u32 cpus = 2;

  private:
    void begin_execution();
    void run_execution();
    void schedule();
    void switch_to(u32 strand);
    void deliver(u32 index);
    [[nodiscard]] bool is_enabled(u32 strand) const;
    [[nodiscard]] static Store* changing_store(Strand::Read const& read, u32 strand, bool wide);
    [[nodiscard]] static bool changed(Strand::Read const& read, u32 strand, bool wide);
    void collect(std::vector<Action>& actions, u32 strand, bool wide = false) const;
    [[noreturn]] void report_stuck();
    [[nodiscard]] Cell& cell_for(u64 address, u32 size, u32 pc);
    void check_alive(u64 address, u32 size, bool write, bool atomic, u32 pc);
    void step(u32 pc);
    u16 next_event();
    void acquire(Store const& store, u32 offset, u32 size, int order);
    void publish(Cell& cell, Store& store, Store const& base, u32 offset, u32 size, int order, bool read);
    bool repeat_read(Cell& cell, u32 offset, u32 size, u32 pc, u128& value);
    void remember_read(Cell& cell, Store& store, u32 offset, u32 size, u32 pc);
    void write_through(Cell& cell);
    void become_visible(Cell& cell, u64 address, u32 size, bool write, u32 pc);
    void finish_spin(u32 index);
    [[nodiscard]] u64 state_key() const;
    [[nodiscard]] std::string describe_access(u32 strand, u32 pc) const;

    void handle(Action action);
    [[nodiscard]] std::string schedule_string() const;
    bool prepare_replay(std::string const& schedule);

    Memory memory_;
    Shadow shadow_;
    Choices choices_;
    Visited visited_;
    Knowledge fences_;   // what SC fences have seen so far
    Clock sc_accesses_;  // the last seq_cst access of each strand
    End end_ = End::None;
    std::string failure_kind_, failure_;
    void* main_stack_ = nullptr;
    u32 preemptions_ = 0;
    u32 bound_ = 2;
    Choosing mode_ = Choosing::Exhaustive;
    Action next_action_{};
    std::vector<Action> actions_;
    std::vector<char> pristine_;
    bool restart_wanted_ = false;
    u64 steps_ = 0;
};

extern Engine* g;
[[nodiscard]] Program* programs();

}  // namespace tutti::interleave
