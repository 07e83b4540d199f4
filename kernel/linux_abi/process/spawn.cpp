// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/spawn.hpp"

#include "arch/cpu.hpp"
#include "arch/traps.hpp"
#include "base/log.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/signal/deliver.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

namespace {

// What a new thread needs before it can enter the program; lives in the Task until then.
void enter_program(void* argument) {
    auto& task = *static_cast<Task*>(argument);
    arch::TrapFrame frame = task.start_frame;  // a local: the task may outlive its start, the frame must not
    frame.force_full_return();
    std::ignore = arch::disable_interrupts();
    arch::enter_user_frame(&frame);
}

ISR_SAFE void switch_out(sched::Thread& thread) {
    auto* const task = static_cast<Task*>(thread.owner());
    if (task == nullptr) return;
    task->fpu.save_at_switch();
    task->registers.save();
}

ISR_SAFE void switch_in(sched::Thread& thread, sched::Residence residence) {
    auto* const task = static_cast<Task*>(thread.owner());
    if (task == nullptr || residence == sched::Residence::StillThere) return;
    task->process().address_space().activate();
    task->fpu.load_at_switch();
    task->registers.load();
}

constexpr sched::ThreadHooks kHooks{
    .switch_out = switch_out,
    .switch_in = switch_in,
    .return_to_user = [](sched::Thread&, arch::TrapFrame& frame) { return_to_user(frame); },
};

Result<Ref<Task>> make_task(Process& process, i32 tid, sched::ThreadOptions options) {
    Ref<Task> task = TRY(Task::create(process, tid));
    options.hooks = &kHooks;
    options.owner = task.get();
    task->attach_thread(TRY(sched::Thread::create(options, enter_program, task.get())));
    return task;
}

// Hands the reference in `task` to the thread itself: exit_task drops it.
Result<> start(Ref<Task> task) {
    TRY(task->process().threads().add(*task));
    Task* const running = task.leak();
    running->thread().start();
    return {};
}

}  // namespace

Result<i32> spawn_thread(Task& parent, arch::TrapFrame const& frame, SpawnOptions const& options) {
    Process& process = parent.process();
    sched::ThreadOptions thread_options;
    thread_options.policy = parent.thread().policy();
    smp::CpuSet affinity = TRY(smp::CpuSet::create(smp::cpu_count()));
    parent.thread().copy_affinity(affinity);
    thread_options.affinity = &affinity;
    i32 const tid = process.threads().allocate_tid();
    thread_options.name = parent.name();
    Ref<Task> child = TRY(make_task(process, tid, thread_options));
    TRY(child->fpu.create_copy_of_current());
    child->start_frame = frame;
    child->start_frame.set_return_value(0);
    if (options.stack_pointer != 0) child->start_frame.set_stack_pointer(VirtAddr{options.stack_pointer});
    child->registers = parent.registers;
    child->registers.save();
    if (options.set_tls) child->registers.set_thread_pointer(options.tls);
    child->blocked = parent.blocked;
    child->clear_child_tid = options.clear_child_tid;
    child->timer_slack_ns = parent.timer_slack_ns;
    // Both before the child can run: it may read them, or end and be joined through them.
    if (options.parent_tid != 0) TRY(write_user(UserPtr<i32>{options.parent_tid}, tid));
    if (options.child_tid != 0) TRY(write_user(UserPtr<i32>{options.child_tid}, tid));
    TRY(start(std::move(child)));
    return tid;
}

Result<> spawn_first_thread(Process& process, std::string_view name, VirtAddr entry, VirtAddr stack_pointer) {
    Ref<Task> task = TRY(make_task(process, process.threads().allocate_tid(), {.name = name}));
    TRY(task->fpu.create());
    task->start_frame = arch::TrapFrame::of_program(entry, stack_pointer);
    return start(std::move(task));
}

}  // namespace tutti::linux_abi
