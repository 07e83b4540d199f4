// SPDX-License-Identifier: BSD-3-Clause
#include "vm/visited_space_test.hpp"

#include "sched/current.hpp"
#include "sched/thread.hpp"
#include "smp/context/preempt.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::vm {
namespace {

constinit smp::PerCpu<AddressSpace*> visited PERCPU_SECTION;
constexpr sched::ThreadHooks kHooks{
    .switch_in = [](sched::Thread&, sched::Residence) ISR_SAFE_LAMBDA { visited.load()->activate(); }};

}  // namespace

void call_in_space(AddressSpace& space, Visit visit, void* argument) {
    smp::PinGuard const pin;
    {
        smp::PreemptGuard const guard;
        visited.store(&space);
        sched::current().set_hooks(&kHooks);
        space.activate();
    }
    visit(space, argument);
    smp::PreemptGuard const guard;
    sched::current().set_hooks(nullptr);
    deactivate();
}

}  // namespace tutti::vm
