// SPDX-License-Identifier: BSD-3-Clause
// Who runs next: switching strands, waiting, interrupts, one execution after the other.
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "engine/engine.hpp"
#include "engine/operations.hpp"

extern "C" {
extern char __data_start[];
extern char _end[];
extern char __percpu_start[];
extern char __percpu_end[];
// Saves the callee-saved registers and the stack pointer in *save, continues on `load`.
void interleave_switch(void** save, void* load);
void interleave_strand_entry();
}

asm(R"(
    .text
    .globl interleave_switch
interleave_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");

namespace tutti::interleave {

namespace {

double seconds_now() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void* fresh_stack(u32 strand) {
    auto* slot = reinterpret_cast<u64*>(kArena + strand * kStrandSize + kStackSize);
    *--slot = 0;
    *--slot = reinterpret_cast<u64>(&interleave_strand_entry);
    for (int i = 0; i < 6; ++i) *--slot = 0;
    return slot;
}

}  // namespace

Engine::Engine()
    : setup{kMaxStrands - 1}, shadow_{reinterpret_cast<u64>(__data_start), reinterpret_cast<u64>(_end)} {}

void Engine::begin_execution() {
    if (pristine_.empty()) pristine_.assign(__data_start, _end);
    std::memcpy(__data_start, pristine_.data(), pristine_.size());
    std::size_t const percpu = static_cast<std::size_t>(__percpu_end - __percpu_start);
    for (u32 i = 0; i < kMaxStrands; ++i) {
        std::memcpy(area_of(i), pristine_.data() + (__percpu_start - __data_start), percpu);
        Strand& strand = strands[i];
        strand.pending.clear();
        strand.reads.clear();
        auto pending = std::move(strand.pending);
        auto reads = std::move(strand.reads);
        strand = Strand{};
        strand.pending = std::move(pending);
        strand.reads = std::move(reads);
        strand.cpu = i == setup ? 0 : i;
    }
    memory_.begin_execution();
    shadow_.begin_execution();
    choices_.begin_execution();
    fences_ = {};
    sc_accesses_ = {};
    trace.clear();
    interrupt_wrapper = nullptr;
    time_step = 1000;
    strand_count = 0;
    live_blocks = 0;
    preemptions_ = 0;
    steps_ = 0;
    end_ = End::None;
    only_setup = true;
    current = setup;
    cpus = program->bounds.cpus != 0 ? program->bounds.cpus : 2;
    next_action_ = {Action::Run, static_cast<u8>(setup), 0};
    strands[setup].stack_pointer = fresh_stack(setup);
    strands[setup].task = {[](void*) { g->program->body(); }, nullptr};
}

void Engine::run_execution() {
    begin_execution();
    running = true;
    interleave_switch(&main_stack_, strands[setup].stack_pointer);
    running = false;
    inside = true;
}

void Engine::stop(End end) {
    end_ = end;
    void* nowhere;
    interleave_switch(&nowhere, main_stack_);
    __builtin_unreachable();
}

void Engine::fail(char const* kind, std::string message) {
    inside = true;
    failure_kind_ = kind;
    failure_ = std::move(message);
    stop(End::Failed);
}

void Engine::switch_to(u32 strand) {
    void** const save = &self().stack_pointer;
    current = strand;
    interleave_switch(save, strands[strand].stack_pointer);
}

void Engine::strand_body(u32 strand) {
    if (strand != setup && next_action_.what == Action::Interrupt) {
        deliver(next_action_.index);
        schedule();
    }
    inside = false;
    self().task.function(self().task.argument);
    inside = true;
    if (strand == setup) stop(End::Complete);
    end_strand();
}

void Engine::end_strand() {
    next_event();
    if (trace_on) note("ends", 0);
    self().status = Status::Finished;
    self().interrupts = true;
    schedule();
    __builtin_unreachable();
}

void Engine::spawn(Task const* tasks, u32 count, u32 pc) {
    if (count >= kMaxStrands) fail("usage", "too many CPUs");
    next_event();
    strand_count = count;
    if (count > cpus) cpus = count;
    for (u32 i = 0; i < count; ++i) {
        Strand& strand = strands[i];
        strand.task = tasks[i];
        strand.status = Status::Ready;
        strand.stack_pointer = fresh_stack(i);
        strand.now.join(self().now);
        strand.release_fence = {};
        strand.reads.clear();
        strand.frame = 0;
        strand.history = mix(strand.history, self().history);
    }
    only_setup = false;
    self().status = Status::Joining;
    self().blocked_pc = pc;
    schedule();
}

// The first store that would show a spinning strand something new the next time round; null: none yet. Compared with the
// last value that it knows; `wide`: with what it read at that place, which may have been an older one.
Store* Engine::changing_store(Strand::Read const& read, u32 strand, bool wide) {
    Cell const& cell = *read.cell;
    u128 const mask = mask_of(read.size) << (8 * read.offset);
    Store const* known = read.store;
    if (!cell.accesses[strand].empty() && cell.accesses[strand].back().store->position > known->position)
        known = cell.accesses[strand].back().store;
    u128 const compared = wide ? read.store->value : known->value;
    for (u32 i = known->position; i < cell.order.size(); ++i) {
        Store& store = *cell.order[i];
        if (((store.value ^ compared) & mask) != 0) return &store;
    }
    return nullptr;
}

bool Engine::changed(Strand::Read const& read, u32 strand, bool wide) {
    return !read.cell->live || read.cell->generation != read.generation || changing_store(read, strand, wide) != nullptr;
}

bool Engine::is_enabled(u32 index) const {
    Strand const& strand = strands[index];
    if (strand.interrupts && !strand.pending.empty() && strand.status != Status::Joining) return true;
    switch (strand.status) {
        case Status::Ready: return true;
        case Status::Spinning:
            for (auto const& read : strand.reads)
                if (changed(read, index, true)) return true;
            return false;
        case Status::Sleeping: return strand.wakes != 0;
        case Status::Halted: return !strand.pending.empty();
        case Status::Joining:
            for (u32 i = 0; i < strand_count; ++i)
                if (strands[i].status != Status::Finished || (strands[i].interrupts && !strands[i].pending.empty())) return false;
            return true;
        case Status::Finished: return false;
    }
    return false;
}

void Engine::collect(std::vector<Action>& actions, u32 index, bool wide) const {
    Strand const& strand = strands[index];
    auto const id = static_cast<u8>(index);
    switch (strand.status) {
        case Status::Ready: actions.push_back({Action::Run, id, 0}); break;
        case Status::Spinning:
            for (u32 i = 0; i < strand.reads.size(); ++i)
                if (changed(strand.reads[i], index, wide)) actions.push_back({Action::Run, id, static_cast<u8>(i)});
            break;
        case Status::Sleeping:
            if (strand.wakes != 0) actions.push_back({Action::Run, id, 0});
            break;
        case Status::Joining:
            if (is_enabled(index)) actions.push_back({Action::Run, id, 0});
            break;
        case Status::Halted:
        case Status::Finished: break;
    }
    if ((strand.interrupts || strand.status == Status::Halted) && index != setup)
        for (u32 i = 0; i < strand.pending.size(); ++i) actions.push_back({Action::Interrupt, id, static_cast<u8>(i)});
    if (strand.status == Status::Spinning && program->bounds.spins_expire) actions.push_back({Action::Expire, id, 0});
}

u64 Engine::state_key() const {
    u64 key = mix(memory_.hash(), current << 4 | static_cast<u32>(strands[current].status));
    for (u32 i = 0; i < strand_count; ++i) key += mix(strands[i].history, i + 1);
    return mix(key, strands[setup].history);
}

// The running strand is about to do something that others can notice (Ready), or waits. Returns when it goes on.
void Engine::schedule() {
    if (only_setup) {
        if (self().status != Status::Ready) report_stuck();
        return;
    }
    while (true) {
        if (mode_ == Choosing::Exhaustive && !choices_.repeating() &&
            !visited_.insert(state_key(), static_cast<u8>(preemptions_)))
            stop(End::Pruned);
        actions_.clear();
        collect(actions_, current);
        bool const ready = self().status == Status::Ready;
        if (!ready || mode_ == Choosing::Random || preemptions_ < bound_)
            for (u32 i = 0; i < kMaxStrands; ++i)
                if (i != current && (i < strand_count || i == setup)) collect(actions_, i);
        // A round that failed for an old value alone would do better the next time, but nothing is lost if the strand waits
        // with it: a failed round changes nothing.
        if (std::all_of(actions_.begin(), actions_.end(), [](Action const& one) { return one.what == Action::Expire; }))
            for (u32 i = 0; i < strand_count; ++i)
                if (strands[i].status == Status::Spinning) collect(actions_, i, true);
        if (actions_.empty()) report_stuck();
        Action const action = actions_[choices_.choose(static_cast<u32>(actions_.size()), true)];
        if (action.strand != current) {
            if (ready) ++preemptions_;
            next_action_ = action;
            switch_to(action.strand);
            handle(next_action_);
        } else {
            handle(action);
        }
        if (self().status == Status::Ready) return;
    }
}

void Engine::handle(Action action) {
    Strand& strand = self();
    if (action.what == Action::Interrupt) {
        deliver(action.index);
        Strand& after = self();
        // A halt ends with the interrupt, a round of a spin too; other waits go on.
        if (after.status == Status::Halted || after.status == Status::Spinning) {
            after.status = Status::Ready;
            after.reads.clear();
        } else if (after.status == Status::Ready) {
            schedule();
        }
        return;
    }
    if (action.what == Action::Expire) {
        strand.history = mix(strand.history, 0xe0);
        strand.fast_forward = true;
        strand.fast_rounds = 0;
        strand.status = Status::Ready;
        if (trace_on) note("spins to the end of its loop", strand.blocked_pc);
        return;
    }
    switch (strand.status) {
        case Status::Spinning: finish_spin(action.index); break;
        case Status::Sleeping:
            --strand.wakes;
            strand.history = mix(strand.history, 0xe1);
            break;
        case Status::Joining:
            for (u32 i = 0; i < strand_count; ++i) {
                strand.now.join(strands[i].now);
                strand.history = mix(strand.history, strands[i].history);
            }
            only_setup = true;
            break;
        default: break;
    }
    strand.status = Status::Ready;
}

// The location that ends the spin shows a newer value at the next look, as everything does in finite time.
void Engine::finish_spin(u32 index) {
    Strand& strand = self();
    Strand::Read const read = strand.reads[index];
    strand.reads.clear();
    Cell& cell = *read.cell;
    strand.history = mix(strand.history, 0xe2 + index);
    if (!cell.live || cell.generation != read.generation) return;
    Store* store = changing_store(read, current, false);
    if (store == nullptr) store = changing_store(read, current, true);
    if (store != nullptr) {
        u16 const event = next_event();
        memory_.note_known(cell, current, event, *store);
        strand.history = mix(strand.history, Memory::identity(cell, *store));
    }
}

void Engine::deliver(u32 index) {
    Strand& strand = self();
    Strand::Interrupt const interrupt = strand.pending[index];
    strand.pending.erase(strand.pending.begin() + index);
    if (trace_on) note("interrupt", 0);
    next_event();
    strand.now.join(*interrupt.message);
    strand.history = mix(strand.history, reinterpret_cast<u64>(interrupt.handler));
    Status const status = strand.status;
    auto const reads = strand.reads;
    bool const fast_forward = std::exchange(strand.fast_forward, false);
    bool const enabled = std::exchange(strand.interrupts, false);
    strand.status = Status::Ready;
    strand.reads.clear();
    inside = false;
    if (interrupt_wrapper != nullptr)
        interrupt_wrapper(interrupt.handler);
    else
        interrupt.handler();
    inside = true;
    next_event();  // closes the handler's plain accesses
    // The handler may have switched stacks: this one goes on where it was taken up again.
    Strand& after = self();
    after.interrupts = enabled;
    after.status = status;
    after.reads = reads;
    after.fast_forward = fast_forward;
    if (trace_on) note("end of interrupt", 0);
}

void Engine::interrupt_point() {
    if (only_setup || !self().interrupts || self().pending.empty()) return;
    // A state of its own: nothing that others can notice lies between two such points.
    self().history = mix(self().history, 0xd7);
    schedule();
    self().history = mix(self().history, 0xd8);
}

void Engine::block(Status status, u32 pc) {
    self().history = mix(self().history, 0xf0 + static_cast<u32>(status));
    self().status = status;
    self().blocked_pc = pc;
    schedule();
}

void Engine::raise(u32 cpu, void (*handler)(), u32 pc) {
    if (!only_setup) schedule();
    next_event();
    if (trace_on) note("interrupts CPU " + std::to_string(cpu), pc);
    self().history = mix(self().history, 0xd0 + cpu);
    Knowledge& message = memory_.make_knowledge();
    message = self().now;
    for (auto& one : strands[cpu].pending)
        if (one.handler == handler) {
            message.join(*one.message);
            one.message = &message;
            return;
        }
    strands[cpu].pending.push_back({handler, &message});
}

void Engine::wake(u32 cpu, u32 pc) {
    if (!only_setup) schedule();
    next_event();
    if (trace_on) note("wakes CPU " + std::to_string(cpu), pc);
    self().history = mix(self().history, 0xc0 + cpu);
    ++strands[cpu].wakes;
}

void Engine::pause(u32 pc) {
    Strand& strand = self();
    if (only_setup) return;
    if (strand.fast_forward) {
        if (++strand.fast_rounds <= 600) return;
        // Not a bounded spin after all. With others able to run, the way without giving up is explored elsewhere; a
        // sample goes on with it.
        strand.fast_forward = false;
        strand.status = Status::Spinning;
        strand.blocked_pc = pc;
        bool others = false;
        for (u32 i = 0; i < strand_count; ++i) others = others || is_enabled(i);
        if (!others) report_stuck();
        if (mode_ == Choosing::Exhaustive) stop(End::Pruned);
    }
    if (strand.reads.empty()) return;
    if (trace_on) note("pause", pc);
    block(Status::Spinning, pc);
}

void Engine::report_stuck() {
    std::string text;
    bool spinning = true;
    for (u32 i = 0; i < strand_count; ++i) {
        Strand const& strand = strands[i];
        if (strand.status == Status::Finished) continue;
        char const* const what = strand.status == Status::Spinning   ? "spins at"
                                 : strand.status == Status::Sleeping ? "sleeps at"
                                 : strand.status == Status::Halted   ? "is halted at"
                                                                     : "waits at";
        if (strand.status == Status::Sleeping || strand.status == Status::Halted) spinning = false;
        text += "\n    CPU " + std::to_string(i) + " " + what + " " + sites.description(strand.blocked_pc);
    }
    fail(spinning ? "deadlock" : "lost wake-up", "nobody can go on:" + text);
}

u32 Engine::choose(u32 options) {
    u32 const chosen = choices_.choose(options, false);
    self().history = mix(self().history, chosen + 1);
    return chosen;
}

std::string Engine::schedule_string() const {
    if (mode_ == Choosing::Random) return "*/" + choices_.to_string();
    std::string text;
    char buffer[64];
    for (Cell const& cell : const_cast<Memory&>(memory_).cells()) {
        if (cell.merged || (std::popcount(cell.users) < 2 && !cell.mixed)) continue;
        std::snprintf(buffer, sizeof buffer, "%s%llx.%u%s", text.empty() ? "" : ",",
                      static_cast<unsigned long long>(cell.address), cell.size, cell.mixed ? "m" : "");
        text += buffer;
    }
    return text + "/" + choices_.to_string();
}

bool Engine::prepare_replay(std::string const& schedule) {
    std::size_t const slash = schedule.find('/');
    if (slash == std::string::npos || !choices_.parse(schedule.substr(slash + 1))) return false;
    std::string const cells = schedule.substr(0, slash);
    if (cells == "*") return mode_ = Choosing::Random, choices_.start(Choosing::Replay, 0), true;
    for (char const* at = cells.c_str(); *at != '\0';) {
        char* end = nullptr;
        u64 const address = std::strtoull(at, &end, 16);
        if (*end != '.') return false;
        u32 const size = static_cast<u32>(std::strtoul(end + 1, &end, 10));
        Cell* const cell = memory_.find(address, size);
        if (cell == nullptr) continue;
        cell->users = ~0u;
        if (*end == 'm') {
            cell->mixed = true;
            ++end;
        }
        at = *end == ',' ? end + 1 : end;
    }
    choices_.start(Choosing::Replay, 0);
    return true;
}

Result Engine::explore(Program const& which, Choosing mode, u64 seed, Limits const& limits, std::string const& schedule) {
    program = &which;
    mode_ = mode;
    bound_ = preemption_bound >= 0 ? static_cast<u32>(preemption_bound) : which.bounds.preemptions + deeper;
    visited_.clear();
    outcomes.clear();
    Result result;
    choices_.start(mode, seed);
    if (mode == Choosing::Replay && !prepare_replay(schedule)) {
        result.failed = true;
        result.kind = "usage";
        result.message = "not a schedule: " + schedule;
        return result;
    }
    double const start = seconds_now();
    restart_wanted_ = false;
    while (true) {
        run_execution();
        ++result.schedules;
        result.steps += steps_;
        if (steps_ > result.deepest) result.deepest = static_cast<u32>(steps_);
        // With a location newly found to be shared the schedule string would not fit: it is found again.
        if (end_ == End::Failed && (mode != Choosing::Exhaustive || !restart_wanted_)) {
            result.failed = true;
            result.kind = failure_kind_;
            result.message = failure_;
            result.schedule = mode == Choosing::Replay ? schedule : schedule_string();
            break;
        }
        if (end_ == End::Pruned) ++result.pruned;
        if (mode != Choosing::Replay && (end_ == End::Restart || restart_wanted_)) {
            // A location turned out to be shared, or to be accessed in another size: the ways so far missed choices.
            restart_wanted_ = false;
            choices_.start(mode, seed + result.schedules);
            visited_.clear();
            outcomes.clear();
            continue;
        }
        if (!choices_.advance()) {
            result.complete = mode == Choosing::Exhaustive;
            break;
        }
        if (result.schedules >= limits.schedules) break;
        if (result.schedules % 64 == 0 && seconds_now() - start > limits.seconds) break;
    }
    result.states = visited_.size();
    result.seconds = seconds_now() - start;
    return result;
}

void Engine::note(std::string text, u32 pc) { trace.push_back({static_cast<u8>(current), pc, std::move(text)}); }

Engine* g = nullptr;

}  // namespace tutti::interleave

extern "C" void interleave_strand_entry() {
    using tutti::interleave::g;
    g->strand_body(g->current);
    __builtin_trap();
}
