// SPDX-License-Identifier: BSD-3-Clause
#include "sched/run_queue/run_queue.hpp"

#include "sched/placement.hpp"

namespace tutti::sched {

namespace detail {
PERCPU_SECTION constinit smp::PerCpu<RunQueue> run_queues;
}

ISR_SAFE bool RunQueue::holds(Thread const& thread) const {
    return thread.queued_on.load(std::memory_order_relaxed) == cpu.value() + 1;
}

ISR_SAFE void RunQueue::enqueue(Thread& thread) {
    ASSERT(thread.queued_on.load(std::memory_order_relaxed) == 0 && !thread.is_idle_);
    thread.queued_policy = thread.policy();
    thread.queued_on.store(cpu.value() + 1, std::memory_order_relaxed);
    ++queued_count;
    if (thread.queued_policy.is_realtime()) {
        realtime.push_back(thread);
    } else {
        thread.weight = weight_of(thread.queued_policy);
        fair.insert_arriving(thread, cpu.value(), run_queue(CpuId{thread.home}).fair.minimum());
    }
}

// Who goes on has not been in a queue; who does not is queued after the next one has left it: short ways for the trees.
ISR_SAFE Thread* RunQueue::take_next_or(Thread& previous, bool at_end) {
    Policy const policy = previous.policy();
    bool const is_realtime = policy.is_realtime();
    if (policy != previous.queued_policy) [[unlikely]] {
        if (is_realtime != previous.queued_policy.is_realtime()) {
            enqueue(previous);  // it changed its class while it ran
            return take_next();
        }
        previous.queued_policy = policy;
        if (!is_realtime) previous.weight = weight_of(policy);
    }
    bool goes_on = true;
    if (!is_realtime) {
        if (RunEntity const* const first = fair.first(); first != nullptr) {
            // Equal: the other one, which has waited.
            goes_on = static_cast<i64>(previous.virtual_time - first->virtual_time) < 0;
            if (at_end && goes_on) {
                previous.virtual_time = first->virtual_time;
                goes_on = false;
            }
        }
        goes_on = goes_on && realtime.empty();
    } else {
        if (policy.kind == PolicyKind::RoundRobin && previous.slice_left <= Nanoseconds{}) {
            previous.slice_left = kRoundRobinSlice;
            at_end = true;
        }
        if (!realtime.empty()) {
            u8 const waiting = realtime.first()->queued_policy.priority;
            goes_on = at_end ? waiting < policy.priority : waiting <= policy.priority;
        }
    }
    if (goes_on) return &previous;
    previous.queued_on.store(cpu.value() + 1, std::memory_order_relaxed);
    if (!is_realtime && realtime.empty()) {
        RunEntity& next = fair.exchange_first(previous);
        next.queued_on.store(0, std::memory_order_relaxed);
        return &static_cast<Thread&>(next);
    }
    Thread* const next = take_next();
    ++queued_count;
    if (!is_realtime)
        fair.insert_running(previous);
    else if (at_end)
        realtime.push_back(previous);
    else
        realtime.push_front(previous);
    return next;
}

ISR_SAFE void RunQueue::dequeue(Thread& thread) {
    ASSERT(holds(thread));
    if (thread.queued_policy.is_realtime())
        realtime.remove(thread);
    else
        fair.remove(thread);
    thread.queued_on.store(0, std::memory_order_relaxed);
    --queued_count;
}

ISR_SAFE void RunQueue::drain_inbox() {
    Thread* thread = inbox.take_all();
    while (thread != nullptr) {
        Thread* const next = Inbox::next(*thread);
        enqueue(*thread);
        thread = next;
    }
}

ISR_SAFE Thread* RunQueue::take_next() {
    RunEntity* const entity = realtime.empty() ? fair.first() : realtime.first();
    if (entity == nullptr) return nullptr;
    Thread& thread = static_cast<Thread&>(*entity);
    dequeue(thread);
    return &thread;
}

ISR_SAFE Thread* RunQueue::take_for(CpuId target) {
    auto const fits = [&](RunEntity& entity) {
        Thread const& thread = static_cast<Thread&>(entity);
        // acquire: pairs with the release in finish_switch(); the registers are saved.
        return thread.pin_depth_ == 0 && thread.affinity_.contains(target) &&
               !thread.on_cpu_.load(std::memory_order_acquire);
    };
    RunEntity* entity = realtime.first();
    while (entity != nullptr && !fits(*entity)) entity = realtime.next(*entity);
    if (entity == nullptr) {
        entity = fair.first();
        while (entity != nullptr && !fits(*entity)) entity = fair.next(*entity);
    }
    if (entity == nullptr) return nullptr;
    Thread& thread = static_cast<Thread&>(*entity);
    dequeue(thread);
    return &thread;
}

ISR_SAFE bool RunQueue::precedes_current(Thread const& thread) const {
    if (current == nullptr || current->is_idle_) return true;
    Policy const running = current->policy();
    Policy const woken = thread.queued_policy;
    if (woken.is_realtime()) return !running.is_realtime() || woken.priority > running.priority;
    if (running.is_realtime()) return false;
    if (running.kind == PolicyKind::Idle && woken.kind != PolicyKind::Idle) return true;
    return static_cast<i64>(current->virtual_time - thread.virtual_time) > kWakeGranularity;
}

ISR_SAFE bool RunQueue::first_precedes_current() {
    RunEntity* const entity = realtime.empty() ? fair.first() : realtime.first();
    return entity != nullptr && precedes_current(static_cast<Thread const&>(*entity));
}

ISR_SAFE void RunQueue::account(Nanoseconds now) {
    Nanoseconds const used = now - clock;
    if (used <= Nanoseconds{}) return;
    clock = now;
    if (current == nullptr) return;
    // relaxed, here and below: statistics with one writer.
    if (current->is_idle_) {
        idle_time.store(idle_time.load(std::memory_order_relaxed) + used.count(), std::memory_order_relaxed);
        idle_since.store(now.count(), std::memory_order_relaxed);
        return;
    }
    current->cpu_time_.store(current->cpu_time_.load(std::memory_order_relaxed) + used.count(),
                             std::memory_order_relaxed);
    Policy const policy = current->policy();
    if (!policy.is_realtime()) {
        FairQueue::charge(*current, used);
        fair.update_minimum(current);
    } else if (policy.kind == PolicyKind::RoundRobin) {
        current->slice_left -= used;
    }
}

ISR_SAFE bool RunQueue::slice_is_over(Nanoseconds now) const {
    if (queued_count == 0 || current->is_idle_) return false;
    Policy const policy = current->policy();
    if (policy.kind == PolicyKind::Fifo) return false;
    if (policy.kind == PolicyKind::RoundRobin) return current->slice_left <= Nanoseconds{};
    return now >= slice_start + kSlice;
}

ISR_SAFE void RunQueue::publish_load() {
    // relaxed: hints, each a word by itself; written only when they change, to leave the readers' caches alone.
    auto const set = [](std::atomic<u32>& word, u32 value) {
        if (word.load(std::memory_order_relaxed) != value) word.store(value, std::memory_order_relaxed);
    };
    bool const runs = !current->is_idle_;
    set(load, queued_count + (runs ? 1 : 0));
    set(queued_hint, queued_count);
    Policy const policy = current->policy();
    set(current_rank, !runs ? 0u : policy.is_realtime() ? 1u + policy.priority : 1u);
    if (queued_count == 0 || marked_overloaded) return;
    marked_overloaded = true;
    mark_overloaded(cpu);
}

ISR_SAFE void RunQueue::clear_overloaded() {
    marked_overloaded = false;
    sched::clear_overloaded(cpu);
}

}  // namespace tutti::sched
