// SPDX-License-Identifier: BSD-3-Clause
// The symbols that code compiled with -fsanitize=thread calls, in place of the sanitizer's own library; memory
// allocation; and what engine/interleave.hpp promises.
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <new>

#include "engine/engine.hpp"

using namespace tutti::interleave;

namespace {

// In the checker from here on. Remembers where the program's stack is.
struct Inside {
    explicit Inside(void* frame) {
        g->inside = true;
        g->self().frame = reinterpret_cast<u64>(frame) + 16;
    }
    ~Inside() { g->inside = false; }
};
[[gnu::always_inline]] inline bool simulating() { return g != nullptr && g->simulating(); }

}  // namespace

#define PC static_cast<u32>(reinterpret_cast<u64>(__builtin_return_address(0)))
#define INSIDE Inside const inside_scope { __builtin_frame_address(0) }
#define ADDRESS reinterpret_cast<u64>(pointer)

#define ATOMIC(bits, type)                                                                                             \
    extern "C" type __tsan_atomic##bits##_load(type const volatile* pointer, int order) {                              \
        if (!simulating()) return *pointer;                                                                            \
        INSIDE;                                                                                                        \
        return static_cast<type>(g->load(ADDRESS, sizeof(type), order, PC));                                           \
    }                                                                                                                  \
    extern "C" void __tsan_atomic##bits##_store(type volatile* pointer, type value, int order) {                       \
        if (!simulating()) {                                                                                           \
            *pointer = value;                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        INSIDE;                                                                                                        \
        g->store(ADDRESS, sizeof(type), value, order, PC);                                                             \
    }                                                                                                                  \
    CHANGE(bits, type, exchange, Exchange)                                                                             \
    CHANGE(bits, type, fetch_add, Add)                                                                                 \
    CHANGE(bits, type, fetch_sub, Subtract)                                                                            \
    CHANGE(bits, type, fetch_and, And)                                                                                 \
    CHANGE(bits, type, fetch_or, Or)                                                                                   \
    CHANGE(bits, type, fetch_xor, Xor)                                                                                 \
    CHANGE(bits, type, fetch_nand, Nand)                                                                               \
    extern "C" type __tsan_atomic##bits##_compare_exchange_val(type volatile* pointer, type expected, type value,       \
                                                               int order, int failure) {                               \
        Change const change{Change::Compare, value, expected, true};                                                   \
        if (!simulating()) {                                                                                           \
            type const old = *pointer;                                                                                 \
            if (old == expected) *pointer = value;                                                                     \
            return old;                                                                                                \
        }                                                                                                              \
        INSIDE;                                                                                                        \
        return static_cast<type>(g->change(ADDRESS, sizeof(type), order, failure, PC, change));                        \
    }
#define CHANGE(bits, type, name, what)                                                                                 \
    extern "C" type __tsan_atomic##bits##_##name(type volatile* pointer, type value, int order) {                      \
        Change const change{Change::what, value};                                                                      \
        if (!simulating()) {                                                                                           \
            type const old = *pointer;                                                                                 \
            *pointer = static_cast<type>(change.result(old));                                                          \
            return old;                                                                                                \
        }                                                                                                              \
        INSIDE;                                                                                                        \
        return static_cast<type>(g->change(ADDRESS, sizeof(type), order, order, PC, change));                          \
    }

ATOMIC(8, u8)
ATOMIC(16, u16)
ATOMIC(32, u32)
ATOMIC(64, u64)
ATOMIC(128, u128)

#define PLAIN(name, size, write)                                  \
    extern "C" void __tsan_##name(void* pointer) {                \
        if (!simulating()) return;                                \
        INSIDE;                                                   \
        g->plain(ADDRESS, size, write, PC);                       \
    }
#define PLAINS(size)                                              \
    PLAIN(read##size, size, false)                                \
    PLAIN(write##size, size, true)                                \
    PLAIN(unaligned_read##size, size, false)                      \
    PLAIN(unaligned_write##size, size, true)
PLAINS(1)
PLAINS(2)
PLAINS(4)
PLAINS(8)
PLAINS(16)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}
void __tsan_atomic_signal_fence(int) {}

void __tsan_atomic_thread_fence(int order) {
    if (!simulating()) return;
    INSIDE;
    g->fence(order, PC);
}
void __tsan_read_range(void* pointer, u64 size) {
    if (!simulating()) return;
    INSIDE;
    g->plain(ADDRESS, size, false, PC);
}
void __tsan_write_range(void* pointer, u64 size) {
    if (!simulating()) return;
    INSIDE;
    g->plain(ADDRESS, size, true, PC);
}
void __tsan_vptr_read(void** pointer) {
    if (!simulating()) return;
    INSIDE;
    g->plain(ADDRESS, 8, false, PC);
}
void __tsan_vptr_update(void** pointer, void* value) {
    if (!simulating() || *pointer == value) return;
    INSIDE;
    g->plain(ADDRESS, 8, true, PC);
}
void* __tsan_memcpy(void* to, void const* from, u64 size) {
    if (simulating()) {
        INSIDE;
        g->plain(reinterpret_cast<u64>(from), size, false, PC);
        g->plain(reinterpret_cast<u64>(to), size, true, PC);
    }
    return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, void const* from, u64 size) {
    if (simulating()) {
        INSIDE;
        g->plain(reinterpret_cast<u64>(from), size, false, PC);
        g->plain(reinterpret_cast<u64>(to), size, true, PC);
    }
    return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, u64 size) {
    if (simulating()) {
        INSIDE;
        g->plain(reinterpret_cast<u64>(to), size, true, PC);
    }
    return std::memset(to, value, size);
}

}  // extern "C"

// --- memory -------------------------------------------------------------------------------------------------------
namespace {
void* allocate(std::size_t size, std::size_t alignment, void* frame) {
    if (!simulating()) return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    Inside const inside_scope{frame};
    return g->allocate(size, alignment);
}
void release(void* pointer, void* frame, u32 pc) {
    if (pointer == nullptr) return;
    if (!Shadow::is_arena(reinterpret_cast<u64>(pointer))) {
        std::free(pointer);
        return;
    }
    if (!simulating()) return;
    Inside const inside_scope{frame};
    g->release(pointer, pc);
}
}  // namespace
#define FRAME __builtin_frame_address(0)
void* operator new(std::size_t size) { return allocate(size, 16, FRAME); }
void* operator new[](std::size_t size) { return allocate(size, 16, FRAME); }
void* operator new(std::size_t size, std::nothrow_t const&) noexcept { return allocate(size, 16, FRAME); }
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept { return allocate(size, 16, FRAME); }
void* operator new(std::size_t size, std::align_val_t a) { return allocate(size, static_cast<std::size_t>(a), FRAME); }
void* operator new[](std::size_t size, std::align_val_t a) { return allocate(size, static_cast<std::size_t>(a), FRAME); }
void* operator new(std::size_t size, std::align_val_t a, std::nothrow_t const&) noexcept {
    return allocate(size, static_cast<std::size_t>(a), FRAME);
}
void* operator new[](std::size_t size, std::align_val_t a, std::nothrow_t const&) noexcept {
    return allocate(size, static_cast<std::size_t>(a), FRAME);
}
void operator delete(void* pointer) noexcept { release(pointer, FRAME, PC); }
void operator delete[](void* pointer) noexcept { release(pointer, FRAME, PC); }
void operator delete(void* pointer, std::size_t) noexcept { release(pointer, FRAME, PC); }
void operator delete[](void* pointer, std::size_t) noexcept { release(pointer, FRAME, PC); }
void operator delete(void* pointer, std::align_val_t) noexcept { release(pointer, FRAME, PC); }
void operator delete[](void* pointer, std::align_val_t) noexcept { release(pointer, FRAME, PC); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { release(pointer, FRAME, PC); }
void operator delete[](void* pointer, std::size_t, std::align_val_t) noexcept { release(pointer, FRAME, PC); }

// --- engine/interleave.hpp ------------------------------------------------------------------------------------------
namespace tutti::interleave {

namespace {
constinit Program* g_programs = nullptr;
}
Program* programs() { return g_programs; }

Program::Program(char const* name_, void (*body_)(), Bounds bounds_)
    : name{name_}, body{body_}, bounds{bounds_}, next{nullptr} {
    Program** at = &g_programs;
    while (*at != nullptr) at = &(*at)->next;
    *at = this;
}

void run_tasks(Task const* tasks, unsigned count) {
    INSIDE;
    g->spawn(tasks, count, PC);
}

void fail(char const* kind, char const* format, ...) {
    g->inside = true;
    char buffer[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    g->fail(kind, buffer);
}

unsigned live_blocks() { return g->live_blocks; }

void outcome(unsigned value) {
    INSIDE;
    for (unsigned seen : g->outcomes)
        if (seen == value) return;
    g->outcomes.push_back(value);
}

unsigned choose(unsigned options) {
    INSIDE;
    return g->choose(options);
}

unsigned cpu_count() { return g->cpus; }
unsigned this_cpu() { return g->self().cpu; }
void* percpu_area(unsigned cpu) { return g->area_of(cpu); }

void pause() {
    INSIDE;
    g->pause(PC);
}

bool interrupts_enabled() { return g->self().interrupts; }
void set_interrupts(bool enabled) {
    INSIDE;
    g->self().interrupts = enabled;
    if (enabled) g->interrupt_point();
}
void interrupt_point() {
    if (!simulating()) return;
    INSIDE;
    g->interrupt_point();
}
void raise_interrupt(unsigned cpu, void (*handler)()) {
    INSIDE;
    g->raise(cpu, handler, PC);
}
void set_interrupt_wrapper(void (*wrapper)(void (*handler)())) { g->interrupt_wrapper = wrapper; }

void halt_until_interrupt() {
    INSIDE;
    if (g->tracing()) g->note("halts", PC);
    g->self().interrupts = true;
    g->block(Status::Halted, PC);
    g->self().interrupts = false;
}
void sleep() {
    INSIDE;
    if (g->tracing()) g->note("sleeps", PC);
    g->block(Status::Sleeping, PC);
}
void end_cpu() {
    g->inside = true;
    g->end_strand();
}
void end_program() {
    g->inside = true;
    g->stop(End::Complete);
}
void wake(unsigned cpu) {
    INSIDE;
    g->wake(cpu, PC);
}
std::uint64_t now() {
    Strand& strand = g->self();
    return strand.clock += g->time_step;
}
void set_clock(std::uint64_t time) {
    if (g->self().clock < time) g->self().clock = time;
}
void set_time_step(std::uint64_t step) { g->time_step = step; }

}  // namespace tutti::interleave
