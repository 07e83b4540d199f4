// SPDX-License-Identifier: BSD-3-Clause
// What the portable layers ask of an architecture, as concepts. kernel/arch/contract.cpp and user_contract.cpp hold each port
// against them, so that the compiler names what a new port lacks. What each member does, and in which context, is said where
// the first port declares it (kernel/arch/x86_64); docs/porting.md lists the headers.
#pragma once

#include <concepts>

#include "base/types.hpp"
#include "hal/hooks.hpp"

namespace tutti::hal {

// A: the functions of arch/cpu.hpp as static members. The interrupt mask of this CPU, waiting, halting.
template <class A>
concept InterruptMask = requires(typename A::IrqState before) {
    { A::interrupts_enabled() } -> std::same_as<bool>;
    { A::disable_interrupts() } -> std::same_as<typename A::IrqState>;
    { A::interrupts_were_enabled(before) } -> std::same_as<bool>;
    { A::restore_interrupts(before) } -> std::same_as<void>;
    { A::enable_interrupts() } -> std::same_as<void>;
    { A::halt_until_interrupt() } -> std::same_as<void>;
    { A::halt_forever() } -> std::same_as<void>;
};

template <class A>
concept SpinWait = requires(u32 const& word) {
    { A::pause() } -> std::same_as<void>;
    { A::wait_for_change(word, u32{}) } -> std::same_as<void>;
    { A::read_counter() } -> std::same_as<u64>;
};

// arch/percpu.hpp, for one type of variable: each an access that an interrupt cannot split.
template <class A, class T>
concept PerCpuAccess = requires(T& variable, T const& constant, T value, void* area) {
    { A::percpu_load(constant) } -> std::same_as<T>;
    { A::percpu_store(variable, value) } -> std::same_as<void>;
    { A::percpu_address(variable) } -> std::same_as<T*>;
    { A::percpu_address_in(area, variable) } -> std::same_as<T*>;
};
template <class A>
concept PerCpuStorage = PerCpuAccess<A, u8> && PerCpuAccess<A, u16> && PerCpuAccess<A, u32> && PerCpuAccess<A, u64> &&
                        PerCpuAccess<A, void*> && requires(u32& counter, u64& long_counter, void* area) {
                            { A::percpu_add(counter, u32{1}) } -> std::same_as<void>;
                            { A::percpu_add(long_counter, u64{1}) } -> std::same_as<void>;
                            { A::percpu_dec_and_test(counter) } -> std::same_as<bool>;
                            { A::percpu_index() } -> std::same_as<u32>;
                            { A::percpu_install(area, u32{}) } -> std::same_as<void>;
                            { A::percpu_size() } -> std::same_as<size_t>;
                        };

// arch/context_switch.hpp.
template <class A>
concept StackSwitch = requires(void** save, void* load, void (*entry)(void*), void* argument) {
    { A::switch_stacks(save, load) } -> std::same_as<void>;
    { A::prepare_stack(load, entry, argument) } -> std::same_as<void*>;
};

// arch/memory_layout.hpp: addresses of the kernel's half; constants, so that masks and shifts fold.
template <class A>
concept DirectMap = requires(PhysAddr address, void const* pointer) {
    { A::template phys_to_virt<u8>(address) } -> std::same_as<u8*>;
    { A::virt_to_phys(pointer) } -> std::same_as<PhysAddr>;
};

// arch/crash_report.hpp, arch/traps.hpp: what a panic tells.
template <class A>
concept CrashReport = requires(typename A::TrapFrame const& frame) {
    { A::fatal_frame() } -> std::same_as<typename A::TrapFrame const*>;
    { A::print_frame(frame) } -> std::same_as<void>;
    { A::print_backtrace(u64{}, u64{}) } -> std::same_as<void>;
};

// What the layers up to sched/ need: a port that has this runs the portable core.
template <class A>
concept CoreArchitecture =
    InterruptMask<A> && SpinWait<A> && PerCpuStorage<A> && StackSwitch<A> && DirectMap<A> && CrashReport<A>;

// arch/trap_frame.hpp: the registers of an interrupted program, by what they are for.
template <class Frame>
concept UserFrame = requires(Frame& frame, Frame const& constant, unsigned index, u64 value, VirtAddr address) {
    { constant.is_user() } -> std::same_as<bool>;
    { constant.is_syscall() } -> std::same_as<bool>;
    { constant.syscall_number() } -> std::same_as<u64>;
    { constant.syscall_argument(index) } -> std::same_as<u64>;
    { constant.return_value() } -> std::same_as<u64>;
    { frame.set_return_value(value) } -> std::same_as<void>;
    { constant.instruction_pointer() } -> std::same_as<VirtAddr>;
    { constant.stack_pointer() } -> std::same_as<VirtAddr>;
    { frame.set_stack_pointer(address) } -> std::same_as<void>;
    { frame.force_full_return() } -> std::same_as<void>;
    { Frame::of_program(address, address) } -> std::same_as<Frame>;
};

// arch/page_table_format.hpp: an entry by value.
template <class Entry, class Permissions>
concept PageTableEntry = std::regular<Entry> && requires(Entry const& entry, PhysAddr frame, Permissions permissions, u64 bits) {
    { Entry{bits} };
    { Entry::leaf(frame, permissions) } -> std::same_as<Entry>;
    { entry.with(permissions) } -> std::same_as<Entry>;
    { entry.bits() } -> std::same_as<u64>;
    { entry.frame() } -> std::same_as<PhysAddr>;
    { entry.is_mapped() } -> std::same_as<bool>;
    { entry.is_busy() } -> std::same_as<bool>;
    { Entry::kBusy } -> std::convertible_to<u64>;
    { entry.is_present() } -> std::same_as<bool>;
    { entry.is_writable() } -> std::same_as<bool>;
    { permissions.read } -> std::convertible_to<bool>;
    { permissions.write } -> std::convertible_to<bool>;
    { permissions.execute } -> std::convertible_to<bool>;
    { permissions.user } -> std::convertible_to<bool>;
};
template <class A>
concept PageTables = PageTableEntry<typename A::PageEntry, typename A::PagePermissions> &&
                     requires(PhysAddr root, u64 address, unsigned level) {
                         { A::table_index(address, level) } -> std::same_as<unsigned>;
                         { A::entry_span(level) } -> std::same_as<u64>;
                         { A::table_entry(root) } -> std::same_as<u64>;
                         { A::current_root() } -> std::same_as<PhysAddr>;
                         { A::load_root(root) } -> std::same_as<void>;
                         { A::load_kernel_root(root) } -> std::same_as<void>;
                         { A::publish_entries() } -> std::same_as<void>;
                         { A::flush_page(address) } -> std::same_as<void>;
                         { A::flush_range(address, address) } -> std::same_as<void>;
                     };

// arch/user_access.hpp, arch/fpu.hpp, arch/traps.hpp: what programs need beside memory.
template <class A>
concept UserMode = UserFrame<typename A::TrapFrame> &&
                   requires(typename A::TrapFrame& frame, typename A::TrapFrame const& constant, void* area,
                            void const* constant_area, void (*handler)(typename A::TrapFrame&)) {
                       { A::set_syscall_handler(handler) } -> std::same_as<void>;
                       { A::enter_user_frame(&frame) } -> std::same_as<void>;
                       { A::set_kernel_stack(area) } -> std::same_as<void>;
                       { A::find_fixup(u64{}) } -> std::same_as<u64>;
                       { A::fpu_area_size() } -> std::same_as<size_t>;
                       { A::fpu_reset(area) } -> std::same_as<void>;
                       { A::fpu_save(area) } -> std::same_as<void>;
                       { A::fpu_restore(constant_area) } -> std::same_as<void>;
                       { A::fpu_sanitize(area) } -> std::same_as<void>;
                   };

// What vm/ and linux_abi/ need as well: a port that has this runs Linux programs.
template <class A>
concept ProgramArchitecture = CoreArchitecture<A> && PageTables<A> && UserMode<A>;

}  // namespace tutti::hal
