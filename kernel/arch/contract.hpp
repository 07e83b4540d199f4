// SPDX-License-Identifier: BSD-3-Clause
// The functions of the architecture that is built, as members of one type: what the concepts of hal/architecture.hpp are
// asked of. A line for each member, nothing else.
#pragma once

#include "arch/context_switch.hpp"
#include "arch/cpu.hpp"
#include "arch/crash_report.hpp"
#include "arch/memory_layout.hpp"
#include "arch/percpu.hpp"
#include "arch/trap_frame.hpp"
#include "arch/traps.hpp"

namespace tutti::arch {

// `name` as a static member that takes whatever the function takes, templates included.
#define TUTTI_MEMBER(name)                                                 \
    template <class... Arguments>                                          \
        requires requires(Arguments&&... arguments) { arch::name(arguments...); } \
    static decltype(auto) name(Arguments&&... arguments) {                 \
        return arch::name(arguments...);                                   \
    }

struct CorePort {
    using IrqState = arch::IrqState;
    using TrapFrame = arch::TrapFrame;
    TUTTI_MEMBER(interrupts_enabled)
    TUTTI_MEMBER(disable_interrupts)
    TUTTI_MEMBER(interrupts_were_enabled)
    TUTTI_MEMBER(restore_interrupts)
    TUTTI_MEMBER(enable_interrupts)
    TUTTI_MEMBER(halt_until_interrupt)
    TUTTI_MEMBER(halt_forever)
    TUTTI_MEMBER(pause)
    TUTTI_MEMBER(wait_for_change)
    TUTTI_MEMBER(read_counter)
    TUTTI_MEMBER(percpu_load)
    TUTTI_MEMBER(percpu_store)
    TUTTI_MEMBER(percpu_add)
    TUTTI_MEMBER(percpu_dec_and_test)
    TUTTI_MEMBER(percpu_index)
    TUTTI_MEMBER(percpu_install)
    TUTTI_MEMBER(percpu_size)
    TUTTI_MEMBER(percpu_address)
    TUTTI_MEMBER(percpu_address_in)
    static void switch_stacks(void** save, void* load) { ::switch_stacks(save, load); }
    TUTTI_MEMBER(prepare_stack)
    template <class T>
    static T* phys_to_virt(PhysAddr address) {
        return arch::phys_to_virt<T>(address);
    }
    TUTTI_MEMBER(virt_to_phys)
    TUTTI_MEMBER(fatal_frame)
    TUTTI_MEMBER(print_frame)
    TUTTI_MEMBER(print_backtrace)
};

}  // namespace tutti::arch
