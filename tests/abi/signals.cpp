// SPDX-License-Identifier: BSD-3-Clause
// Signals: handlers, masks, sigaction flags, directed signals, waiting for signals, interrupted calls.
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <initializer_list>
#include <vector>

#include "check.hpp"

using namespace tutti::check;

namespace {

volatile sig_atomic_t count;
volatile sig_atomic_t depth, deepest;
siginfo_t last_info;
std::atomic<pid_t> handled_by{0};

void counting_handler(int) {
    count = count + 1;
    handled_by.store(thread_id(), std::memory_order_release);
}

void info_handler(int, siginfo_t* info, void*) {
    last_info = *info;
    count = count + 1;
}

struct sigaction make_action(void (*handler)(int), int flags = 0) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    return action;
}

// Installs an action for the length of a scope, with the counter at zero.
class ScopedAction {
  public:
    ScopedAction(int signal, struct sigaction action) : signal_(signal) {
        count = 0;
        CHECK_OK(sigaction(signal, &action, &old_));
    }
    ScopedAction(int signal, void (*handler)(int), int flags = 0) : ScopedAction(signal, make_action(handler, flags)) {}
    ~ScopedAction() { sigaction(signal_, &old_, nullptr); }

  private:
    int signal_;
    struct sigaction old_ {};
};

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : signals) sigaddset(&set, signal);
    return set;
}

class ScopedBlock {
  public:
    explicit ScopedBlock(std::initializer_list<int> signals) {
        const sigset_t set = set_of(signals);
        pthread_sigmask(SIG_BLOCK, &set, &old_);
    }
    ~ScopedBlock() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }

  private:
    sigset_t old_;
};

long tgkill_self(int signal) { return syscall(SYS_tgkill, getpid(), thread_id(), signal); }

TEST(signalfd_reads_blocked_signals) {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
    const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    REQUIRE(fd >= 0);
    signalfd_siginfo info{};
    CHECK_ERR(read(fd, &info, sizeof info), EAGAIN);
    CHECK_ERR(read(fd, &info, sizeof info - 1), EINVAL);
    pollfd entry{fd, POLLIN, 0};
    CHECK_EQ(poll(&entry, 1, 0), 0);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(poll(&entry, 1, 10000), 1);
    CHECK_EQ(read(fd, &info, sizeof info), static_cast<ssize_t>(sizeof info));
    CHECK_EQ(info.ssi_signo, static_cast<unsigned>(SIGUSR1));
    CHECK_EQ(info.ssi_pid, static_cast<unsigned>(getpid()));
    CHECK_EQ(info.ssi_code, SI_USER);

    // The set can be changed; a signal outside of it stays pending.
    sigdelset(&set, SIGUSR2);
    CHECK_EQ(signalfd(fd, &set, 0), fd);
    CHECK_OK(kill(getpid(), SIGUSR2));
    CHECK_ERR(read(fd, &info, sizeof info), EAGAIN);
    sigset_t pending;
    CHECK_OK(sigpending(&pending));
    CHECK(sigismember(&pending, SIGUSR2) == 1);
    timespec const none{};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK_EQ(sigtimedwait(&set, nullptr, &none), SIGUSR2);

    CHECK_ERR(signalfd(fd, &set, ~0), EINVAL);
    CHECK_ERR(signalfd(0, &set, 0), EINVAL);
    close(fd);
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, nullptr));
}

}  // namespace

TEST(handler_runs_before_the_call_that_raised_it_returns) {
    ScopedAction action(SIGUSR1, counting_handler);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(count, 1);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(count, 2);
    CHECK_OK(tgkill_self(SIGUSR1));
    CHECK_EQ(count, 3);
}

TEST(signal_numbers_are_checked) {
    CHECK_ERR(kill(getpid(), 65), EINVAL);
    CHECK_ERR(kill(getpid(), -1), EINVAL);
    CHECK_OK(kill(getpid(), 0));
    CHECK_ERR(tgkill_self(65), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, getpid(), 999'999, SIGUSR1), ESRCH);
    CHECK_ERR(syscall(SYS_tgkill, -1, thread_id(), SIGUSR1), EINVAL);
    struct sigaction action = make_action(counting_handler);
    CHECK_ERR(sigaction(SIGKILL, &action, nullptr), EINVAL);
    CHECK_ERR(sigaction(SIGSTOP, &action, nullptr), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, nullptr, 4), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, nullptr, 4), EINVAL);
    sigset_t set = set_of({});
    CHECK_ERR(syscall(SYS_rt_sigprocmask, 77, &set, nullptr, 8), EINVAL);
}

TEST(sigaction_returns_the_old_action) {
    ScopedAction action(SIGUSR2, counting_handler, SA_RESTART | SA_NODEFER);
    struct sigaction seen {};
    CHECK_OK(sigaction(SIGUSR2, nullptr, &seen));
    CHECK(seen.sa_handler == counting_handler);
    CHECK_EQ(seen.sa_flags & (SA_RESTART | SA_NODEFER | SA_RESETHAND | SA_SIGINFO), SA_RESTART | SA_NODEFER);
}

TEST(ignored_signals_do_nothing) {
    ScopedAction action(SIGUSR1, SIG_IGN);
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(raise(SIGCHLD));  // ignored by default
    CHECK_OK(raise(SIGURG));
    CHECK_OK(raise(SIGWINCH));
    CHECK_EQ(count, 0);
}

TEST(blocked_signals_wait_and_plain_ones_merge) {
    ScopedAction action(SIGUSR1, counting_handler);
    {
        ScopedBlock block{SIGUSR1};
        for (int i = 0; i < 3; ++i) raise(SIGUSR1);
        CHECK_EQ(count, 0);
        sigset_t pending;
        CHECK_OK(sigpending(&pending));
        CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
        CHECK_EQ(sigismember(&pending, SIGUSR2), 0);
    }
    CHECK_EQ(count, 1);
}

TEST(real_time_signals_queue_with_their_values_in_order) {
    static std::vector<int> values;
    values.clear();
    values.reserve(16);
    struct sigaction collect {};
    collect.sa_flags = SA_SIGINFO;
    collect.sa_sigaction = [](int, siginfo_t* info, void*) { values.push_back(info->si_value.sival_int); };
    ScopedAction action(SIGRTMIN + 1, collect);
    {
        ScopedBlock block{SIGRTMIN + 1};
        for (int i = 0; i < 5; ++i) {
            sigval value{};
            value.sival_int = i * 11;
            CHECK_OK(pthread_sigqueue(pthread_self(), SIGRTMIN + 1, value));
        }
    }
    REQUIRE(values.size() == 5);
    for (int i = 0; i < 5; ++i) CHECK_EQ(values[i], i * 11);
}

TEST(kill_and_sigmask_cannot_block_sigkill) {
    sigset_t all, seen;
    sigfillset(&all);
    sigset_t old;
    CHECK_OK(pthread_sigmask(SIG_SETMASK, &all, &old));
    CHECK_OK(pthread_sigmask(SIG_SETMASK, &old, &seen));
    CHECK_EQ(sigismember(&seen, SIGKILL), 0);
    CHECK_EQ(sigismember(&seen, SIGSTOP), 0);
    CHECK_EQ(sigismember(&seen, SIGTERM), 1);
}

TEST(siginfo_tells_the_sender) {
    struct sigaction with_info {};
    with_info.sa_sigaction = info_handler;
    with_info.sa_flags = SA_SIGINFO;
    ScopedAction action(SIGUSR1, with_info);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(last_info.si_signo, SIGUSR1);
    CHECK_EQ(last_info.si_code, SI_USER);
    CHECK_EQ(last_info.si_pid, getpid());
    CHECK_EQ(last_info.si_uid, getuid());
    CHECK_OK(tgkill_self(SIGUSR1));
    CHECK_EQ(last_info.si_code, SI_TKILL);
}

TEST(the_signal_is_blocked_in_its_own_handler) {
    static auto nested = [](int) {
        depth = depth + 1;
        if (depth > deepest) deepest = depth;
        count = count + 1;
        if (count == 1) raise(SIGUSR1);
        depth = depth - 1;
    };
    depth = 0;
    deepest = 0;
    {
        ScopedAction action(SIGUSR1, nested);
        raise(SIGUSR1);
        CHECK_EQ(count, 2);
        CHECK_EQ(deepest, 1);
    }
    depth = 0;
    deepest = 0;
    {
        ScopedAction action(SIGUSR1, nested, SA_NODEFER);
        raise(SIGUSR1);
        CHECK_EQ(count, 2);
        CHECK_EQ(deepest, 2);
    }
}

TEST(the_mask_of_the_action_holds_in_the_handler) {
    static volatile sig_atomic_t usr2_ran, usr2_ran_inside;
    usr2_ran = 0;
    usr2_ran_inside = 0;
    ScopedAction inner(SIGUSR2, [](int) { usr2_ran = 1; });
    struct sigaction outer = make_action([](int) {
        raise(SIGUSR2);
        usr2_ran_inside = usr2_ran;
    });
    sigaddset(&outer.sa_mask, SIGUSR2);
    ScopedAction action(SIGUSR1, outer);
    raise(SIGUSR1);
    CHECK_EQ(usr2_ran_inside, 0);
    CHECK_EQ(usr2_ran, 1);
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    CHECK_EQ(sigismember(&mask, SIGUSR1), 0);
    CHECK_EQ(sigismember(&mask, SIGUSR2), 0);
}

TEST(resethand_restores_the_default_first) {
    ScopedAction action(SIGURG, counting_handler, SA_RESETHAND);  // the default of SIGURG is to ignore
    raise(SIGURG);
    raise(SIGURG);
    CHECK_EQ(count, 1);
    struct sigaction seen {};
    CHECK_OK(sigaction(SIGURG, nullptr, &seen));
    CHECK(seen.sa_handler == SIG_DFL);
}

TEST(handler_runs_on_the_alternate_stack) {
    static char alternate[65536];
    static volatile std::uintptr_t frame;
    static volatile int flags_inside;
    stack_t stack{}, old{};
    stack.ss_sp = alternate;
    stack.ss_size = sizeof alternate;
    CHECK_OK(sigaltstack(&stack, &old));
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    const auto handler = [](int) {
        int local = 0;
        frame = reinterpret_cast<std::uintptr_t>(&local);
        stack_t now{};
        sigaltstack(nullptr, &now);
        flags_inside = now.ss_flags;
    };
    const auto inside = [] { return frame - reinterpret_cast<std::uintptr_t>(alternate) < sizeof alternate; };
    {
        ScopedAction action(SIGUSR1, handler, SA_ONSTACK);
        raise(SIGUSR1);
        CHECK(inside());
        CHECK_EQ(flags_inside, SS_ONSTACK);
    }
    {
        ScopedAction action(SIGUSR1, handler);
        raise(SIGUSR1);
        CHECK(!inside());
        CHECK_EQ(flags_inside, 0);
    }
    stack.ss_size = 512;
    CHECK_ERR(sigaltstack(&stack, nullptr), ENOMEM);
    stack.ss_flags = 0x40;
    CHECK_ERR(sigaltstack(&stack, nullptr), EINVAL);
    stack.ss_flags = SS_DISABLE;
    CHECK_OK(sigaltstack(&stack, nullptr));
}

TEST(tgkill_reaches_the_named_thread) {
    ScopedAction action(SIGUSR1, counting_handler);
    std::atomic<bool> stop{false};
    Thread other([&] {
        while (!stop.load(std::memory_order_acquire)) sleep_ms(1);
    });
    const pid_t tid = other.tid();
    handled_by.store(0, std::memory_order_relaxed);
    CHECK_OK(syscall(SYS_tgkill, getpid(), tid, SIGUSR1));
    CHECK(eventually([&] { return handled_by.load(std::memory_order_acquire) == tid; }));
    handled_by.store(0, std::memory_order_relaxed);
    CHECK_EQ(pthread_kill(other.handle(), SIGUSR1), 0);
    CHECK(eventually([&] { return handled_by.load(std::memory_order_acquire) == tid; }));
    stop.store(true, std::memory_order_release);
}

TEST(a_busy_thread_is_interrupted) {
    ScopedAction action(SIGUSR1, counting_handler);
    static std::atomic<bool> ready;
    ready.store(false, std::memory_order_relaxed);
    Thread spinner([&] {
        ready.store(true, std::memory_order_release);
        while (count == 0) {  // no system call: only the signal's delivery to a running thread ends this
        }
    });
    while (!ready.load(std::memory_order_acquire)) sleep_ms(1);
    CHECK_OK(syscall(SYS_tgkill, getpid(), spinner.tid(), SIGUSR1));
    spinner.join();
    CHECK_EQ(count, 1);
}

TEST(a_process_signal_goes_to_a_thread_that_does_not_block_it) {
    ScopedAction action(SIGUSR2, counting_handler);
    handled_by.store(0, std::memory_order_relaxed);
    std::atomic<bool> stop{false};
    ScopedBlock block{SIGUSR2};
    Thread other([&] {
        const sigset_t set = set_of({SIGUSR2});
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        while (!stop.load(std::memory_order_acquire)) sleep_ms(1);
    });
    const pid_t tid = other.tid();
    CHECK_OK(kill(getpid(), SIGUSR2));
    CHECK(eventually([&] { return handled_by.load(std::memory_order_acquire) != 0; }));
    CHECK_EQ(handled_by.load(std::memory_order_relaxed), tid);
    stop.store(true, std::memory_order_release);
}

TEST(a_new_thread_inherits_the_mask) {
    ScopedBlock block{SIGUSR1, SIGRTMIN + 3};
    int seen_usr1 = -1, seen_usr2 = -1, seen_real_time = -1;
    Thread([&] {
        sigset_t mask;
        pthread_sigmask(SIG_BLOCK, nullptr, &mask);
        seen_usr1 = sigismember(&mask, SIGUSR1);
        seen_usr2 = sigismember(&mask, SIGUSR2);
        seen_real_time = sigismember(&mask, SIGRTMIN + 3);
    }).join();
    CHECK_EQ(seen_usr1, 1);
    CHECK_EQ(seen_usr2, 0);
    CHECK_EQ(seen_real_time, 1);
}

TEST(sigwait_takes_a_pending_signal) {
    ScopedBlock block{SIGUSR1};
    raise(SIGUSR1);
    const sigset_t set = set_of({SIGUSR1});
    int signal = 0;
    CHECK_EQ(sigwait(&set, &signal), 0);
    CHECK_EQ(signal, SIGUSR1);
    sigset_t pending;
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
}

TEST(sigtimedwait) {
    ScopedBlock block{SIGUSR1, SIGUSR2};
    const sigset_t set = set_of({SIGUSR1});
    timespec timeout = to_timespec(20 * kMillisecond);
    const std::int64_t start = now_ns();
    CHECK_ERR(sigtimedwait(&set, nullptr, &timeout), EAGAIN);
    CHECK(now_ns() - start >= 20 * kMillisecond);
    timeout.tv_nsec = 1'000'000'000;
    CHECK_ERR(sigtimedwait(&set, nullptr, &timeout), EINVAL);

    const pid_t self = thread_id();
    Thread sender([&] {
        wait_until_blocked(self);
        syscall(SYS_tgkill, getpid(), self, SIGUSR1);
    });
    timeout = {30, 0};
    siginfo_t info{};
    CHECK_EQ(syscall(SYS_rt_sigtimedwait, &set, &info, &timeout, 8), SIGUSR1);  // glibc's own hides SI_TKILL
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_code, SI_TKILL);
    CHECK_EQ(info.si_pid, getpid());
}

TEST(sigsuspend_swaps_the_mask_and_restores_it) {
    ScopedAction action(SIGUSR1, counting_handler);
    ScopedBlock block{SIGUSR1};
    raise(SIGUSR1);
    CHECK_EQ(count, 0);
    sigset_t none = set_of({});
    CHECK_ERR(sigsuspend(&none), EINTR);
    CHECK_EQ(count, 1);
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    CHECK_EQ(sigismember(&mask, SIGUSR1), 1);
}

TEST(pause_returns_eintr) {
    ScopedAction action(SIGUSR1, counting_handler);
    std::atomic<int> result{0};
    Thread sleeper([&] {
        const int r = pause();
        result.store(r == -1 ? errno : 1000, std::memory_order_release);
    });
    wait_until_blocked(sleeper.tid());
    CHECK_OK(syscall(SYS_tgkill, getpid(), sleeper.tid(), SIGUSR1));
    sleeper.join();
    CHECK_EQ(result.load(std::memory_order_acquire), EINTR);
}

TEST(a_blocked_read_ends_with_eintr_without_restart) {
    ScopedAction action(SIGUSR1, counting_handler);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    std::atomic<int> result{0};
    Thread reader([&] {
        char byte;
        const ssize_t r = read(ends[0], &byte, 1);
        result.store(r == -1 ? errno : 1000, std::memory_order_release);
    });
    wait_until_blocked(reader.tid());
    CHECK_OK(syscall(SYS_tgkill, getpid(), reader.tid(), SIGUSR1));
    reader.join();
    CHECK_EQ(result.load(std::memory_order_acquire), EINTR);
    CHECK_EQ(count, 1);
    close(ends[0]);
    close(ends[1]);
}

TEST(a_blocked_read_goes_on_with_restart) {
    ScopedAction action(SIGUSR1, counting_handler, SA_RESTART);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    std::atomic<long> result{0};
    Thread reader([&] {
        char byte = 0;
        const ssize_t r = read(ends[0], &byte, 1);
        result.store(r == 1 ? byte : -errno, std::memory_order_release);
    });
    wait_until_blocked(reader.tid());
    CHECK_OK(syscall(SYS_tgkill, getpid(), reader.tid(), SIGUSR1));
    CHECK(eventually([] { return count == 1; }));
    CHECK_EQ(write(ends[1], "x", 1), 1);
    reader.join();
    CHECK_EQ(result.load(std::memory_order_acquire), 'x');
    close(ends[0]);
    close(ends[1]);
}

TEST(nanosleep_reports_the_time_left) {
    ScopedAction action(SIGUSR1, counting_handler, SA_RESTART);  // nanosleep never restarts after a handler
    std::atomic<int> result{0};
    timespec left{};
    Thread sleeper([&] {
        const timespec request{20, 0};
        const int r = nanosleep(&request, &left);
        result.store(r == -1 ? errno : 1000, std::memory_order_release);
    });
    wait_until_blocked(sleeper.tid());
    CHECK_OK(syscall(SYS_tgkill, getpid(), sleeper.tid(), SIGUSR1));
    sleeper.join();
    CHECK_EQ(result.load(std::memory_order_acquire), EINTR);
    CHECK(left.tv_sec > 0 && left.tv_sec <= 20);  // Linux adds its timer slack to the request
}

TEST(an_ignored_signal_does_not_interrupt) {
    ScopedAction action(SIGUSR1, SIG_IGN);
    std::atomic<int> result{-1};
    Thread sleeper([&] {
        const timespec request = to_timespec(200 * kMillisecond);
        result.store(nanosleep(&request, nullptr), std::memory_order_release);
    });
    wait_until_blocked(sleeper.tid());
    CHECK_OK(syscall(SYS_tgkill, getpid(), sleeper.tid(), SIGUSR1));
    sleeper.join();
    CHECK_EQ(result.load(std::memory_order_acquire), 0);
}

TEST(alarm_and_setitimer) {
    ScopedAction action(SIGALRM, counting_handler);
    itimerval timer{};
    timer.it_value.tv_usec = 20'000;
    timer.it_interval.tv_usec = 10'000;
    CHECK_OK(setitimer(ITIMER_REAL, &timer, nullptr));
    CHECK(eventually([] { return count >= 3; }));
    itimerval stop{}, old{};
    CHECK_OK(setitimer(ITIMER_REAL, &stop, &old));
    CHECK_EQ(old.it_interval.tv_usec, 10'000);
    CHECK_EQ(alarm(100), 0u);
    const unsigned left = alarm(0);
    CHECK(left > 90 && left <= 100);
}

TEST(the_handler_may_change_the_interrupted_context) {
    // rt_sigreturn takes the registers and the mask from the frame.
    struct sigaction change {};
    change.sa_flags = SA_SIGINFO;
    change.sa_sigaction = [](int, siginfo_t*, void* context) {
        ucontext_t* ucontext = static_cast<ucontext_t*>(context);
        sigaddset(&ucontext->uc_sigmask, SIGWINCH);
#ifdef __x86_64__
        ucontext->uc_mcontext.gregs[REG_RBX] = 0x1234;
#else
        ucontext->uc_mcontext.regs[19] = 0x1234;
        CHECK_EQ(ucontext->uc_mcontext.pstate >> 28, 6u);  // Z and C
        asm volatile("cmp %0, #1" ::"r"(0l) : "cc");
#endif
    };
    ScopedAction action(SIGUSR1, change);
    const pid_t process = getpid(), self = thread_id();
#ifdef __x86_64__
    long result = SYS_tgkill;
    std::uint64_t rbx = 0;
    asm volatile("mov $1, %%rbx\n\tsyscall\n\tmov %%rbx, %1"
                 : "+a"(result), "=r"(rbx)
                 : "D"((long)process), "S"((long)self), "d"((long)SIGUSR1)
                 : "rbx", "rcx", "r11", "memory");
    CHECK_EQ(result, 0);
    CHECK_EQ(rbx, 0x1234u);
#else
    register long x0 asm("x0") = process;
    register long x1 asm("x1") = self;
    register long x2 asm("x2") = SIGUSR1;
    register long x8 asm("x8") = SYS_tgkill;
    std::uint64_t x19 = 0;
    long carry = 0;  // the flags come back too
    asm volatile("mov x19, #1\n\tcmp x19, #1\n\tsvc #0\n\tmov %1, x19\n\tcset %2, hs"
                 : "+r"(x0), "=&r"(x19), "=&r"(carry)
                 : "r"(x1), "r"(x2), "r"(x8)
                 : "x19", "memory", "cc");
    CHECK_EQ(x0, 0);
    CHECK_EQ(x19, 0x1234u);
    CHECK_EQ(carry, 1);
#endif
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    CHECK_EQ(sigismember(&mask, SIGWINCH), 1);
    const sigset_t winch = set_of({SIGWINCH});
    pthread_sigmask(SIG_UNBLOCK, &winch, nullptr);
}

#ifdef __aarch64__
TEST(a_frame_restores_the_timing_mode) {
    if ((getauxval(AT_HWCAP) & HWCAP_DIT) == 0) return skip("the CPU has no data-independent timing");
    struct sigaction clear {};
    clear.sa_flags = SA_SIGINFO;
    clear.sa_sigaction = [](int, siginfo_t*, void* context) {
        auto& pstate = static_cast<ucontext_t*>(context)->uc_mcontext.pstate;
        CHECK_EQ(pstate >> 24 & 1, 1u);
        pstate &= ~(1ull << 24);
    };
    ScopedAction action(SIGUSR1, clear);
    std::uint64_t mode = 1u << 24;
    asm volatile("msr s3_3_c4_c2_5, %0" ::"r"(mode) : "memory");
    CHECK_OK(raise(SIGUSR1));
    asm volatile("mrs %0, s3_3_c4_c2_5" : "=r"(mode)::"memory");
    CHECK_EQ(mode, 0u);
}

TEST(a_frame_with_the_kernels_state_is_refused) {
    static sigjmp_buf out;
    struct sigaction forge {};
    forge.sa_flags = SA_SIGINFO;
    forge.sa_sigaction = [](int, siginfo_t*, void* context) {
        static_cast<ucontext_t*>(context)->uc_mcontext.pstate |= 5;  // EL1 with its own stack pointer
    };
    ScopedAction action(SIGUSR1, forge);
    ScopedAction fault(SIGSEGV, [](int) { siglongjmp(out, 1); });
    if (sigsetjmp(out, 1) == 0) {
        raise(SIGUSR1);
        CHECK(!"the frame was taken");
    }
}
#endif

TEST(floating_point_state_survives_a_handler) {
    static volatile double sink;
    ScopedAction action(SIGUSR1, [](int) {
        double x = 1.0;
        for (int i = 1; i < 50; ++i) x = x * 1.5 + i;  // overwrites vector registers
        sink = x;
        if (sink > 0) count = count + 1;
    });
    for (int round = 0; round < 20; ++round) {
        double before[8], after[8];
        for (int i = 0; i < 8; ++i) before[i] = round * 8 + i + 0.25;
#ifdef __x86_64__
        long result = SYS_tgkill;
        asm volatile(
            "movupd (%[b]), %%xmm0\n\tmovupd 16(%[b]), %%xmm5\n\tmovupd 32(%[b]), %%xmm9\n\tmovupd 48(%[b]), %%xmm15\n\t"
            "syscall\n\t"
            "movupd %%xmm0, (%[a])\n\tmovupd %%xmm5, 16(%[a])\n\tmovupd %%xmm9, 32(%[a])\n\tmovupd %%xmm15, 48(%[a])"
            : "+a"(result)
            : "D"((long)getpid()), "S"((long)thread_id()), "d"((long)SIGUSR1), [b] "r"(before), [a] "r"(after)
            : "rcx", "r11", "memory", "xmm0", "xmm5", "xmm9", "xmm15");
#else
        register long x0 asm("x0") = getpid();
        register long x1 asm("x1") = thread_id();
        register long x2 asm("x2") = SIGUSR1;
        register long x8 asm("x8") = SYS_tgkill;
        asm volatile(
            "ldp q0, q7, [%[b]]\n\tldp q16, q31, [%[b], #32]\n\tsvc #0\n\tstp q0, q7, [%[a]]\n\tstp q16, q31, [%[a], #32]"
            : "+r"(x0)
            : "r"(x1), "r"(x2), "r"(x8), [b] "r"(before), [a] "r"(after)
            : "memory", "v0", "v7", "v16", "v31");
#endif
        for (int i = 0; i < 8; ++i) CHECK(before[i] == after[i]);
    }
    CHECK_EQ(count, 20);
}

namespace {

int frames_of_interrupted = 0;

[[gnu::noinline]] void interrupted_function() {
    raise(SIGUSR1);
    asm volatile("" ::: "memory");  // no tail call
}

}  // namespace

TEST(backtraces_lead_from_a_handler_to_what_it_interrupted) {
    frames_of_interrupted = 0;
    ScopedAction action(SIGUSR1, [](int) {
        _Unwind_Backtrace(
            [](_Unwind_Context* context, void*) {
                const auto start = reinterpret_cast<std::uintptr_t>(&interrupted_function);
                const std::uintptr_t address = _Unwind_GetIP(context);
                frames_of_interrupted += address > start && address < start + 64;
                return _URC_NO_REASON;
            },
            nullptr);
    });
    interrupted_function();
    CHECK_EQ(frames_of_interrupted, 1);
}

TEST(a_storm_of_signals_loses_none_of_the_real_time_ones) {
    constexpr int kSignals = 2000;
    const int signal = SIGRTMIN + 2;
    ScopedAction action(signal, counting_handler, SA_RESTART);
    static std::atomic<bool> stop;
    stop.store(false, std::memory_order_relaxed);
    Thread target([] {
        while (!stop.load(std::memory_order_acquire)) sched_yield();
    });
    const pid_t tid = target.tid();
    for (int i = 0; i < kSignals; ++i)
        while (syscall(SYS_tgkill, getpid(), tid, signal) == -1) {
            if (!CHECK(errno == EAGAIN)) break;  // the queue is full: let the target work
            sched_yield();
        }
    CHECK(eventually([] { return count == kSignals; }));
    CHECK_EQ(count, kSignals);
    stop.store(true, std::memory_order_release);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
