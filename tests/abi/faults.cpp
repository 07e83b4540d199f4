// SPDX-License-Identifier: BSD-3-Clause
// Processor faults become signals with the address and code that Linux gives; a handler may recover.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include <vector>

#include "check.hpp"

using namespace tutti::check;

namespace {

thread_local sigjmp_buf recovery;
thread_local siginfo_t seen;
thread_local std::uintptr_t frame_address;

void recovering_handler(int, siginfo_t* info, void*) {
    int local = 0;
    frame_address = reinterpret_cast<std::uintptr_t>(&local);
    seen = *info;
    siglongjmp(recovery, 1);
}

// Installs the handler for all fault signals while it lives, on an alternate stack of this thread.
class FaultCatcher {
  public:
    FaultCatcher() : stack_(65536) {
        stack_t stack{};
        stack.ss_sp = stack_.data();
        stack.ss_size = stack_.size();
        CHECK_OK(sigaltstack(&stack, nullptr));
        struct sigaction action {};
        action.sa_sigaction = recovering_handler;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        for (int i = 0; i < kSignals; ++i) sigaction(signals_[i], &action, &old_[i]);
    }
    ~FaultCatcher() {
        for (int i = 0; i < kSignals; ++i) sigaction(signals_[i], &old_[i], nullptr);
        stack_t off{};
        off.ss_flags = SS_DISABLE;
        sigaltstack(&off, nullptr);
    }
    // True when `body` was ended by a signal; `seen` then tells about it.
    template <class Body>
    bool catches(Body body) {
        memset(&seen, 0, sizeof seen);
        if (sigsetjmp(recovery, 1) != 0) return true;
        body();
        return false;
    }
    bool on_alternate_stack() const { return frame_address - (std::uintptr_t)stack_.data() < stack_.size(); }

  private:
    static constexpr int kSignals = 5;
    const int signals_[kSignals] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction old_[kSignals] = {};
    std::vector<char> stack_;
};

void* map(std::size_t size, int protection) {
    void* memory = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

// Opaque to the compiler, so that the access is made and made as written.
void store(void* address) { *static_cast<volatile char*>(address) = 1; }
char load(const void* address) { return *static_cast<const volatile char*>(address); }

__attribute__((noinline)) int overflow_stack(volatile char* above) {
    volatile char block[4096];
    block[0] = above ? above[0] : 1;
    if (block[0] == 2) return 0;  // never: only keeps the recursion from being endless by its form
    return overflow_stack(block) + block[0];
}

}  // namespace

TEST(access_to_unmapped_memory_is_maperr) {
    FaultCatcher catcher;
    char* memory = static_cast<char*>(map(8192, PROT_READ | PROT_WRITE));
    REQUIRE(memory);
    munmap(memory, 8192);
    CHECK(catcher.catches([&] { load(memory + 5000); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_MAPERR);
    CHECK(seen.si_addr == memory + 5000);
    CHECK(catcher.catches([&] { store(memory + 3); }));
    CHECK_EQ(seen.si_code, SEGV_MAPERR);
    CHECK(seen.si_addr == memory + 3);
    CHECK(catcher.on_alternate_stack());
}

TEST(null_pointer) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] { load(nullptr); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_MAPERR);
    CHECK(seen.si_addr == nullptr);
}

TEST(write_to_read_only_memory_is_accerr) {
    FaultCatcher catcher;
    char* memory = static_cast<char*>(map(4096, PROT_READ));
    REQUIRE(memory);
    CHECK_EQ(load(memory), 0);
    CHECK(catcher.catches([&] { store(memory + 7); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_ACCERR);
    CHECK(seen.si_addr == memory + 7);
    munmap(memory, 4096);
}

TEST(any_access_to_prot_none_is_accerr) {
    FaultCatcher catcher;
    char* memory = static_cast<char*>(map(4096, PROT_NONE));
    REQUIRE(memory);
    CHECK(catcher.catches([&] { load(memory); }));
    CHECK_EQ(seen.si_code, SEGV_ACCERR);
    CHECK(seen.si_addr == memory);
    CHECK_OK(mprotect(memory, 4096, PROT_READ | PROT_WRITE));
    CHECK(!catcher.catches([&] { store(memory); }));
    munmap(memory, 4096);
}

TEST(the_programs_own_text_is_read_only) {
    FaultCatcher catcher;
    void* text = reinterpret_cast<void*>(&overflow_stack);
    CHECK(catcher.catches([&] { store(text); }));
    CHECK_EQ(seen.si_code, SEGV_ACCERR);
    CHECK(seen.si_addr == text);
}

TEST(kernel_addresses_are_out_of_reach) {
    FaultCatcher catcher;
    for (std::uintptr_t address : {0xffff'8000'0000'0000ul, 0xffff'ffff'8000'0000ul, 0xffff'ffff'ffff'fff0ul}) {
        CHECK(catcher.catches([&] { load(reinterpret_cast<void*>(address)); }));
        CHECK_EQ(seen.si_signo, SIGSEGV);
        CHECK(catcher.catches([&] { store(reinterpret_cast<void*>(address)); }));
        CHECK_EQ(seen.si_signo, SIGSEGV);
    }
}

#ifdef __x86_64__
TEST(a_non_canonical_address_is_a_segv_from_the_kernel) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] { load(reinterpret_cast<void*>(0x1234'5678'9abc'def0)); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SI_KERNEL);
}

TEST(division_by_zero) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] {
        int dividend = 1, zero = 0;
        asm volatile("cltd; idivl %1" : "+a"(dividend) : "r"(zero) : "edx");
    }));
    CHECK_EQ(seen.si_signo, SIGFPE);
    CHECK_EQ(seen.si_code, FPE_INTDIV);
    CHECK(seen.si_addr != nullptr);
}

// QEMU's own processors compute the flags of vector instructions but raise no exceptions.
bool is_emulated() {
    unsigned words[4] = {0x40000000};
    asm volatile("cpuid" : "+a"(words[0]), "=b"(words[1]), "=c"(words[2]), "=d"(words[3]));
    return memcmp(&words[1], "TCGTCGTCGTCG", 12) == 0;
}

TEST(unmasked_x87_exception) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] {
        const unsigned short control = 0x37f & ~0x4u;  // divide-by-zero not masked
        asm volatile("fldcw %0; fld1; fldz; fdivrp; fwait" ::"m"(control));
    }));
    CHECK_EQ(seen.si_signo, SIGFPE);
    CHECK_EQ(seen.si_code, FPE_FLTDIV);
    asm volatile("fninit");
}

TEST(unmasked_vector_exception) {
    if (is_emulated()) return skip("QEMU raises no SIMD floating-point exceptions");
    FaultCatcher catcher;
    CHECK(catcher.catches([] {
        const unsigned control = 0x1f80 & ~0x200u;  // MXCSR: divide-by-zero not masked
        asm volatile("ldmxcsr %0" ::"m"(control));
        asm volatile("xorps %%xmm0, %%xmm0; movl $0x3f800000, %%eax; movd %%eax, %%xmm1; divss %%xmm0, %%xmm1" ::: "xmm0",
                     "xmm1", "eax");
    }));
    CHECK_EQ(seen.si_signo, SIGFPE);
    CHECK_EQ(seen.si_code, FPE_FLTDIV);
    const unsigned normal = 0x1f80;
    asm volatile("ldmxcsr %0" ::"m"(normal));
}

TEST(illegal_instruction) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] { asm volatile("ud2"); }));
    CHECK_EQ(seen.si_signo, SIGILL);
    CHECK_EQ(seen.si_code, ILL_ILLOPN);
    CHECK(seen.si_addr != nullptr);
}

TEST(privileged_instructions_are_refused) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] { asm volatile("cli"); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SI_KERNEL);
    CHECK(catcher.catches([] { asm volatile("hlt"); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK(catcher.catches([] { asm volatile("outb %%al, $0x64" ::"a"(0xfe)); }));  // would reset a PC
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK(catcher.catches([] { asm volatile("mov %%cr3, %%rax" ::: "rax"); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK(catcher.catches([] { asm volatile("wrmsr" ::"c"(0xc0000080), "a"(0), "d"(0)); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
}

TEST(breakpoint) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] { asm volatile("int3"); }));
    CHECK_EQ(seen.si_signo, SIGTRAP);
    CHECK_EQ(seen.si_code, SI_KERNEL);
}

TEST(interrupt_vectors_of_the_kernel_are_refused) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] { asm volatile("int $0x0e"); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK(catcher.catches([] { asm volatile("int $0xf0"); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
}
#else
TEST(addresses_that_no_program_has) {
    FaultCatcher catcher;
    for (std::uintptr_t address : {0x0012'5678'9abc'def0ul, 0x0001'0000'0000'0000ul, 0xfff0'0000'0000'0000ul}) {
        CHECK(catcher.catches([&] { load(reinterpret_cast<void*>(address)); }));
        CHECK_EQ(seen.si_signo, SIGSEGV);
        CHECK_EQ(seen.si_code, SEGV_MAPERR);
    }
}

TEST(the_top_byte_of_an_address_is_a_tag) {
    FaultCatcher catcher;
    const auto tagged = [](std::uintptr_t address) { return reinterpret_cast<void*>(address | 0x5aul << 56); };
    auto* memory = static_cast<char*>(map(4096, PROT_READ | PROT_WRITE));
    REQUIRE(memory);
    static_cast<volatile char*>(tagged(reinterpret_cast<std::uintptr_t>(memory)))[5] = 9;  // and the page is made for it
    CHECK_EQ(memory[5], 9);
    CHECK(catcher.catches([&] { load(tagged(0x1008)); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(reinterpret_cast<std::uintptr_t>(seen.si_addr), 0x1008u);
    CHECK_ERR(write(1, tagged(reinterpret_cast<std::uintptr_t>(memory)), 1), EFAULT);  // not for system calls
    munmap(memory, 4096);
}

TEST(instructions_that_are_not_for_programs) {
    FaultCatcher catcher;
    const auto refused = [&](auto body) {
        CHECK(catcher.catches(body));
        CHECK_EQ(seen.si_signo, SIGILL);
        CHECK_EQ(seen.si_code, ILL_ILLOPC);
        CHECK(seen.si_addr != nullptr);
    };
    refused([] { asm volatile("udf #0"); });
    refused([] { asm volatile("msr daifset, #2"); });
    refused([] { asm volatile("mrs x0, ttbr0_el1" ::: "x0"); });
    refused([] { asm volatile("msr vbar_el1, xzr"); });
    refused([] { asm volatile("mrs x0, cntv_ctl_el0" ::: "x0"); });
    refused([] { asm volatile("hvc #0"); });
    refused([] { asm volatile("smc #0"); });
    refused([] { asm volatile("eret"); });
}

TEST(instructions_that_are) {
    std::uint64_t first, second, line, thread;
    asm volatile("mrs %0, cntvct_el0\n\tisb\n\tmrs %1, cntvct_el0" : "=r"(first), "=r"(second));
    CHECK(second >= first);
    asm volatile("mrs %0, cntfrq_el0" : "=r"(first));
    CHECK(first > 0);
    asm volatile("mrs %0, ctr_el0" : "=r"(line));
    CHECK(line != 0);
    asm volatile("mrs %0, tpidr_el0\n\tmrs %1, tpidrro_el0" : "=r"(thread), "=r"(first));
    CHECK(thread != 0 && first == 0);
    asm volatile("mrs %0, dczid_el0" : "=r"(line));
    CHECK_EQ(line & 0x10, 0u);  // DC ZVA is allowed
    alignas(2048) static char block[2048];
    memset(block, 1, sizeof block);
    asm volatile("dc zva, %0" ::"r"(block) : "memory");
    CHECK_EQ(block[0], 0);
    asm volatile("wfe\n\tyield");
}

TEST(breakpoint) {
    FaultCatcher catcher;
    CHECK(catcher.catches([] { asm volatile("brk #7"); }));
    CHECK_EQ(seen.si_signo, SIGTRAP);
    CHECK_EQ(seen.si_code, TRAP_BRKPT);
    std::uint32_t instruction = 0;
    memcpy(&instruction, seen.si_addr, sizeof instruction);
    CHECK_EQ(instruction, 0xd42000e0u);
}

TEST(misaligned_addresses) {
    FaultCatcher catcher;
    static std::uint64_t words[2];
    char* const address = reinterpret_cast<char*>(words) + 1;
    CHECK(!catcher.catches([&] { asm volatile("ldr x0, [%0]" ::"r"(address) : "x0"); }));
    CHECK(catcher.catches([&] { asm volatile("ldxr x0, [%0]\n\tclrex" ::"r"(address) : "x0"); }));
    CHECK_EQ(seen.si_signo, SIGBUS);
    CHECK_EQ(seen.si_code, BUS_ADRALN);
    CHECK(seen.si_addr == address);
    const std::uintptr_t code = reinterpret_cast<std::uintptr_t>(&recovering_handler) + 1;
    CHECK(catcher.catches([&] { asm volatile("blr %0" ::"r"(code) : "x30", "memory"); }));
    CHECK_EQ(seen.si_signo, SIGBUS);
    CHECK_EQ(seen.si_code, BUS_ADRALN);
    CHECK_EQ(reinterpret_cast<std::uintptr_t>(seen.si_addr), code);
}

TEST(division_by_zero_is_zero) {
    long quotient = 1;
    asm volatile("sdiv %0, %1, xzr" : "=r"(quotient) : "r"(5l));
    CHECK_EQ(quotient, 0);
}

// The records behind the registers in a fault's context: floating-point state, the syndrome, the end.
TEST(a_fault_tells_its_syndrome) {
    static std::uint32_t magics[4];
    static std::uint64_t syndrome, fault_address;
    struct sigaction action {}, old {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t*, void* context) {
        auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
        fault_address = machine.fault_address;
        const unsigned char* at = machine.__reserved;
        for (std::uint32_t& magic : magics) {
            std::uint32_t size = 0;
            memcpy(&magic, at, sizeof magic);
            memcpy(&size, at + 4, sizeof size);
            if (magic == 0x45535201) memcpy(&syndrome, at + 8, sizeof syndrome);
            if (magic == 0 || size == 0) break;
            at += size;
        }
        machine.pc += 4;
    };
    sigaction(SIGSEGV, &action, &old);
    asm volatile("str wzr, [%0]" ::"r"(0x18l) : "memory");
    sigaction(SIGSEGV, &old, nullptr);
    CHECK_EQ(magics[0], 0x46508001u);
    CHECK_EQ(magics[1], 0x45535201u);
    CHECK_EQ(magics[2], 0u);
    CHECK_EQ(syndrome >> 26, 0x24u);             // data abort of a program
    CHECK_EQ(syndrome & 0x7c, 0x44u);            // write, translation fault
    CHECK_EQ(fault_address, 0x18u);
}
#endif

namespace {

// A function that returns `value`.
void write_function(unsigned char* at, unsigned value) {
#ifdef __x86_64__
    const unsigned char code[] = {0xb8, (unsigned char)value, (unsigned char)(value >> 8), 0, 0, 0xc3};  // mov eax, value; ret
#else
    const std::uint32_t code[] = {0x52800000 | value << 5, 0xd65f03c0};  // mov w0, value; ret
#endif
    memcpy(at, code, sizeof code);
}

unsigned run_function(unsigned char* at) {
    unsigned (*function)() = nullptr;
    memcpy(&function, &at, sizeof function);
    return function();
}

}  // namespace

TEST(code_that_a_program_wrote_runs) {
    auto* memory = static_cast<unsigned char*>(map(4096, PROT_READ | PROT_WRITE));
    REQUIRE(memory);
    for (unsigned i = 0; i < 200; ++i) {
        CHECK_OK(mprotect(memory, 4096, PROT_READ | PROT_WRITE));
        write_function(memory, i);
        CHECK_OK(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
        if (!CHECK_EQ(run_function(memory), i)) break;
    }
    CHECK_OK(mprotect(memory, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
    for (unsigned i = 0; i < 200; ++i) {
        write_function(memory, 1000 + i);
        __builtin___clear_cache(reinterpret_cast<char*>(memory), reinterpret_cast<char*>(memory) + 16);
        if (!CHECK_EQ(run_function(memory), 1000 + i)) break;
    }
    munmap(memory, 4096);
}

TEST(execution_of_data_is_refused) {
    FaultCatcher catcher;
    unsigned char* memory = static_cast<unsigned char*>(map(4096, PROT_READ | PROT_WRITE));
    REQUIRE(memory);
    write_function(memory, 7);
    CHECK(catcher.catches([&] { run_function(memory); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_ACCERR);
    CHECK(seen.si_addr == memory);
    CHECK_OK(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
    CHECK(!catcher.catches([&] { run_function(memory); }));
    munmap(memory, 4096);
}

TEST(a_jump_to_an_unmapped_address) {
    FaultCatcher catcher;
    void (*function)() = nullptr;
    const std::uintptr_t address = 0x10;
    memcpy(&function, &address, sizeof function);
    CHECK(catcher.catches([&] { function(); }));
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_MAPERR);
    CHECK(seen.si_addr == reinterpret_cast<void*>(address));
}

TEST(access_past_the_end_of_a_mapped_file_is_a_bus_error) {
    FaultCatcher catcher;
    ScratchDirectory scratch;
    const std::string path = scratch.path("file");
    write_file(path, std::string(100, 'a'));
    const int fd = open(path.c_str(), O_RDWR);
    REQUIRE(fd >= 0);
    for (int kind : {MAP_SHARED, MAP_PRIVATE}) {
        char* memory = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, kind, fd, 0));
        REQUIRE(memory != MAP_FAILED);
        CHECK_EQ(load(memory + 99), 'a');
        CHECK_EQ(load(memory + 4095), 0);  // the rest of the last page reads as zeros
        CHECK(catcher.catches([&] { load(memory + 4096); }));
        CHECK_EQ(seen.si_signo, SIGBUS);
        CHECK_EQ(seen.si_code, BUS_ADRERR);
        CHECK(seen.si_addr == memory + 4096);
        munmap(memory, 8192);
    }
    close(fd);
}

TEST(stack_overflow_is_handled_on_the_alternate_stack) {
    // In a thread with a small stack and a guard below it.
    bool caught = false, on_alternate = false;
    int signal = 0;
    std::uintptr_t address = 0, low = 0, high = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    const auto body = [&] {
        pthread_attr_t own;
        pthread_getattr_np(pthread_self(), &own);
        void* base;
        std::size_t size;
        pthread_attr_getstack(&own, &base, &size);
        pthread_attr_destroy(&own);
        low = reinterpret_cast<std::uintptr_t>(base);
        high = low + size;
        FaultCatcher catcher;
        caught = catcher.catches([] { overflow_stack(nullptr); });
        on_alternate = catcher.on_alternate_stack();
        signal = seen.si_signo;
        address = reinterpret_cast<std::uintptr_t>(seen.si_addr);
    };
    using Body = decltype(body);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, &attributes, [](void* b) -> void* { (*static_cast<const Body*>(b))(); return nullptr; },
                           const_cast<void*>(static_cast<const void*>(&body))) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    CHECK(caught);
    CHECK(on_alternate);
    CHECK_EQ(signal, SIGSEGV);
    CHECK(address < low + 8192 && address + 65536 > low);  // in the guard, just below the stack
    CHECK(high > low);
}

TEST(the_main_stack_grows_and_is_bounded) {
    rlimit limit{};
    CHECK_OK(getrlimit(RLIMIT_STACK, &limit));
    FaultCatcher catcher;
    // 1 MiB deeper than now, in steps of a page.
    volatile char* block = static_cast<volatile char*>(__builtin_alloca(1 << 20));
    for (int i = (1 << 20) - 1; i >= 0; i -= 4096) block[i] = 1;
    CHECK_EQ(block[4095], 1);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur <= (64u << 20)) {
        CHECK(catcher.catches([] { overflow_stack(nullptr); }));
        CHECK_EQ(seen.si_signo, SIGSEGV);
        CHECK(catcher.on_alternate_stack());
    }
}

TEST(faults_in_many_threads_at_once) {
    FaultCatcher main_catcher;  // the actions are the process's; each thread adds its alternate stack
    constexpr int kThreads = 8, kFaults = 200;
    int caught[kThreads] = {};
    std::vector<std::unique_ptr<Thread>> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.push_back(std::make_unique<Thread>([&caught, i] {
            char* memory = static_cast<char*>(map(4096, PROT_NONE));
            for (int n = 0; n < kFaults; ++n) {
                if (sigsetjmp(recovery, 1) == 0)
                    load(memory + i);
                else if (seen.si_addr == memory + i && seen.si_code == SEGV_ACCERR)
                    ++caught[i];
            }
            munmap(memory, 4096);
        }));
    threads.clear();
    for (int n : caught) CHECK_EQ(n, kFaults);
}

TEST(memory_can_be_supplied_from_the_handler) {
    // The way garbage collectors and lazily committed heaps work.
    static char* area;
    static int supplied;
    supplied = 0;
    area = static_cast<char*>(map(16 * 4096, PROT_NONE));
    REQUIRE(area);
    struct sigaction action {}, old {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
        const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(info->si_addr) & ~4095ul;
        if (mprotect(reinterpret_cast<void*>(page), 4096, PROT_READ | PROT_WRITE) != 0) _exit(9);
        ++supplied;
    };
    sigaction(SIGSEGV, &action, &old);
    for (int i = 0; i < 16; ++i) store(area + i * 4096);
    sigaction(SIGSEGV, &old, nullptr);
    CHECK_EQ(supplied, 16);
    munmap(area, 16 * 4096);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
