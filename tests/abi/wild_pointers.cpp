// SPDX-License-Identifier: BSD-3-Clause
// Wild pointers in system calls: the call must fail with EFAULT, and nothing else may happen.
//
// The first test holds a row for each pointer argument of the calls that real programs use. The second calls
// every number with wild values in every position and only asks that the machine lives on. It could harm a
// real system, so it runs only where CHECK_SWEEP=1 is set: in a virtual machine.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "absent_calls.hpp"
#include "check.hpp"

using namespace tutti::check;

namespace {

constexpr long W = 0x7777'0001;  // stands for the wild pointer in a row

struct Row {
    const char* name;
    long number;
    long arguments[6];
    bool kernel_writes;  // then a read-only page is wild too
};

const long kWildValues[] = {0x8,
                            0x1000,
                            0x7fff'ffff'f000 - 1,
                            0x1234'5678'9abc'def0,
                            (long)0x8000'0000'0000'0000,
                            (long)0xffff'0000'4000'0000,
                            (long)0xffff'8000'0000'0000,
                            (long)0xffff'8000'0010'0000,
                            (long)0xffff'ffff'8000'0000,
                            -1,
                            -4096};

// Things for the other arguments to name.
struct Surroundings {
    ScratchDirectory scratch;
    std::string file = scratch.path("file");
    std::string link = scratch.path("link");
    int fd = -1, empty_pipe = -1, pipe_writer = -1, event = -1, timer = -1, epoll = -1, pair[2] = {-1, -1};
    int directory = -1;
    char* page = nullptr;       // readable and writable, then a page without access
    char* read_only = nullptr;  // one page

    Surroundings() {
        write_file(file, std::string(10'000, 'f'));
        CHECK_OK(symlink("file", link.c_str()));
        fd = open(file.c_str(), O_RDWR | O_CLOEXEC);
        directory = open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int ends[2];
        CHECK_OK(pipe2(ends, O_CLOEXEC));
        empty_pipe = ends[0];
        pipe_writer = ends[1];
        event = eventfd(1, EFD_CLOEXEC);
        timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        epoll = epoll_create1(EPOLL_CLOEXEC);
        epoll_event watch{};
        watch.events = EPOLLIN;
        CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &watch));
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) CHECK_EQ(write(pair[1], "data", 4), 4);
        page = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK_OK(mprotect(page + 4096, 4096, PROT_NONE));
        read_only = static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    }
    ~Surroundings() {
        for (int f : {fd, directory, empty_pipe, pipe_writer, event, timer, epoll, pair[0], pair[1]})
            if (f >= 0) close(f);
        munmap(page, 8192);
        munmap(read_only, 4096);
    }
};

// Calls the row once with `wild` in place of W. Returns 0 or the error.
int call(const Row& row, long wild) {
    long a[6];
    for (int i = 0; i < 6; ++i) a[i] = row.arguments[i] == W ? wild : row.arguments[i];
    return syscall(row.number, a[0], a[1], a[2], a[3], a[4], a[5]) == -1 ? errno : 0;
}

}  // namespace

TEST(each_pointer_argument_of_common_calls) {
    Surroundings s;
    const long path = (long)s.file.c_str(), buffer = (long)s.page, at = AT_FDCWD;
    const Row rows[] = {
        // files
        {"read", SYS_read, {s.fd, W, 64}, true},
        {"read of a large range", SYS_read, {s.fd, W, 9000}, true},
        {"write", SYS_write, {s.fd, W, 64}, false},
        {"write to a pipe", SYS_write, {s.pipe_writer, W, 64}, false},
        {"pread64", SYS_pread64, {s.fd, W, 64, 0}, true},
        {"pwrite64", SYS_pwrite64, {s.fd, W, 64, 0}, false},
        {"readv", SYS_readv, {s.fd, W, 2}, false},
        {"writev", SYS_writev, {s.fd, W, 2}, false},
        {"open", SYS_open, {W, O_RDONLY, 0}, false},
        {"openat", SYS_openat, {at, W, O_RDONLY, 0}, false},
        {"openat with creation", SYS_openat, {at, W, O_CREAT | O_RDWR, 0600}, false},
        {"stat, path", SYS_stat, {W, buffer}, false},
        {"stat, buffer", SYS_stat, {path, W}, true},
        {"lstat, buffer", SYS_lstat, {path, W}, true},
        {"fstat", SYS_fstat, {s.fd, W}, true},
        {"newfstatat, path", SYS_newfstatat, {at, W, buffer, 0}, false},
        {"newfstatat, buffer", SYS_newfstatat, {at, path, W, 0}, true},
        {"statx, path", SYS_statx, {at, W, 0, 0x7ff, buffer}, false},
        {"statx, buffer", SYS_statx, {at, path, 0, 0x7ff, W}, true},
        {"access", SYS_access, {W, F_OK}, false},
        {"faccessat", SYS_faccessat, {at, W, F_OK}, false},
        {"readlink, path", SYS_readlink, {W, buffer, 64}, false},
        {"readlink, buffer", SYS_readlink, {(long)s.link.c_str(), W, 64}, true},
        {"readlinkat, buffer", SYS_readlinkat, {at, (long)s.link.c_str(), W, 64}, true},
        {"getcwd", SYS_getcwd, {W, 4096}, true},
        {"chdir", SYS_chdir, {W}, false},
        {"mkdir", SYS_mkdir, {W, 0700}, false},
        {"mkdirat", SYS_mkdirat, {at, W, 0700}, false},
        {"rmdir", SYS_rmdir, {W}, false},
        {"unlink", SYS_unlink, {W}, false},
        {"unlinkat", SYS_unlinkat, {at, W, 0}, false},
        {"rename, from", SYS_rename, {W, path}, false},
        {"rename, to", SYS_rename, {path, W}, false},
        {"link, to", SYS_link, {path, W}, false},
        {"symlink, target", SYS_symlink, {W, path}, false},
        {"symlink, name", SYS_symlink, {path, W}, false},
        {"chmod", SYS_chmod, {W, 0600}, false},
        {"chown", SYS_chown, {W, -1, -1}, false},
        {"truncate", SYS_truncate, {W, 5}, false},
        {"utimensat, path", SYS_utimensat, {at, W, 0, 0}, false},
        {"utimensat, times", SYS_utimensat, {at, path, W, 0}, false},
        {"getdents64", SYS_getdents64, {s.directory, W, 1000}, true},
        {"statfs, path", SYS_statfs, {W, buffer}, false},
        {"statfs, buffer", SYS_statfs, {path, W}, true},
        {"pipe2", SYS_pipe2, {W, 0}, true},
        {"fcntl F_GETLK", SYS_fcntl, {s.fd, F_GETLK, W}, true},
        // memory: residency vector
        {"mincore", SYS_mincore, {buffer, 4096, W}, true},
        // threads and futex
        {"futex wait", SYS_futex, {W, 0, 0, 0}, false},
        {"futex wait, timeout", SYS_futex, {buffer, 0, 0, W}, false},
        {"futex requeue, second", SYS_futex, {buffer, 4, 0, 0, W, 0}, false},
        {"clone3", SYS_clone3, {W, 88}, false},
        {"sched_getaffinity", SYS_sched_getaffinity, {0, 1024, W}, true},
        {"sched_setaffinity", SYS_sched_setaffinity, {0, 128, W}, false},
        {"sched_getparam", SYS_sched_getparam, {0, W}, true},
        {"sched_setparam", SYS_sched_setparam, {0, W}, false},
        {"sched_setscheduler", SYS_sched_setscheduler, {0, SCHED_OTHER, W}, false},
        {"sched_rr_get_interval", SYS_sched_rr_get_interval, {0, W}, true},
        {"getcpu", SYS_getcpu, {W, 0, 0}, true},
        // signals
        {"rt_sigaction, new", SYS_rt_sigaction, {SIGUSR1, W, 0, 8}, false},
        {"rt_sigaction, old", SYS_rt_sigaction, {SIGUSR1, 0, W, 8}, true},
        {"rt_sigprocmask, set", SYS_rt_sigprocmask, {SIG_BLOCK, W, 0, 8}, false},
        {"rt_sigprocmask, old", SYS_rt_sigprocmask, {SIG_BLOCK, 0, W, 8}, true},
        {"rt_sigpending", SYS_rt_sigpending, {W, 8}, true},
        {"rt_sigtimedwait, set", SYS_rt_sigtimedwait, {W, 0, 0, 8}, false},
        {"rt_sigtimedwait, timeout", SYS_rt_sigtimedwait, {buffer, 0, W, 8}, false},
        {"rt_sigsuspend", SYS_rt_sigsuspend, {W, 8}, false},
        {"sigaltstack, new", SYS_sigaltstack, {W, 0}, false},
        {"sigaltstack, old", SYS_sigaltstack, {0, W}, true},
        // time
        {"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, W}, true},
        {"clock_getres", SYS_clock_getres, {CLOCK_MONOTONIC, W}, true},
        {"gettimeofday", SYS_gettimeofday, {W, 0}, true},
        {"time", SYS_time, {W}, true},
        {"nanosleep", SYS_nanosleep, {W, 0}, false},
        {"clock_nanosleep", SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, W, 0}, false},
        {"setitimer, new", SYS_setitimer, {0, W, 0}, false},
        {"getitimer", SYS_getitimer, {0, W}, true},
        {"times", SYS_times, {W}, true},
        {"getrusage", SYS_getrusage, {RUSAGE_SELF, W}, true},
        {"timerfd_settime, new", SYS_timerfd_settime, {s.timer, 0, W, 0}, false},
        {"timerfd_gettime", SYS_timerfd_gettime, {s.timer, W}, true},
        {"timer_create, id", SYS_timer_create, {CLOCK_MONOTONIC, 0, W}, true},
        // events
        {"poll", SYS_poll, {W, 1, 0}, false},
        {"ppoll, descriptors", SYS_ppoll, {W, 1, 0, 0, 8}, false},
        {"ppoll, timeout", SYS_ppoll, {0, 0, W, 0, 8}, false},
        {"ppoll, mask", SYS_ppoll, {0, 0, buffer, W, 8}, false},
        {"select", SYS_select, {8, W, 0, 0, buffer}, false},
        {"select, timeout", SYS_select, {0, 0, 0, 0, W}, false},
        {"pselect6, timeout", SYS_pselect6, {0, 0, 0, 0, W, 0}, false},
        {"epoll_ctl", SYS_epoll_ctl, {s.epoll, EPOLL_CTL_MOD, s.event, W}, false},
        {"epoll_wait", SYS_epoll_wait, {s.epoll, W, 4, 0}, true},
        {"epoll_pwait, mask", SYS_epoll_pwait, {s.epoll, buffer, 4, 0, W, 8}, false},
        // the system
        {"uname", SYS_uname, {W}, true},
        {"sysinfo", SYS_sysinfo, {W}, true},
        {"getrandom", SYS_getrandom, {W, 32, 0}, true},
        {"getrlimit", SYS_getrlimit, {RLIMIT_NOFILE, W}, true},
        {"setrlimit", SYS_setrlimit, {RLIMIT_NOFILE, W}, false},
        {"prlimit64, new", SYS_prlimit64, {0, RLIMIT_NOFILE, W, 0}, false},
        {"prlimit64, old", SYS_prlimit64, {0, RLIMIT_NOFILE, 0, W}, true},
        {"prctl PR_SET_NAME", SYS_prctl, {PR_SET_NAME, W}, false},
        {"prctl PR_GET_NAME", SYS_prctl, {PR_GET_NAME, W}, true},
        {"arch_prctl ARCH_GET_FS", SYS_arch_prctl, {0x1003, W}, true},
        {"execve", SYS_execve, {W, 0, 0}, false},
        // sockets
        {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, W}, true},
        {"sendto", SYS_sendto, {s.pair[0], W, 64, MSG_DONTWAIT, 0, 0}, false},
        {"recvfrom", SYS_recvfrom, {s.pair[0], W, 64, MSG_DONTWAIT, 0, 0}, true},
        {"sendmsg", SYS_sendmsg, {s.pair[0], W, MSG_DONTWAIT}, false},
        {"recvmsg", SYS_recvmsg, {s.pair[0], W, MSG_DONTWAIT}, false},
        {"bind", SYS_bind, {s.pair[0], W, 10}, false},
        {"getsockname", SYS_getsockname, {s.pair[0], W, buffer}, false},
        {"getsockopt", SYS_getsockopt, {s.pair[0], SOL_SOCKET, SO_TYPE, buffer + 64, W}, false},
    };
    int absent = 0;
    for (const Row& row : rows) {
        if (row.number == -1) continue;
        if (row.arguments[0] == -1 && row.number != SYS_mmap) continue;  // no sockets here
        std::vector<long> values(std::begin(kWildValues), std::end(kWildValues));
        values.push_back((long)s.page + 4096);  // mapped without access
        values.push_back((long)s.page + 4093);  // begins in good memory and runs into bad
        if (row.kernel_writes) values.push_back((long)s.read_only);
        for (long value : values) {
            memset(s.page, 0, 4096);
            memset(s.page + 4080, 'x', 16);  // no end of a string before the bad page
            *reinterpret_cast<int*>(s.page) = 0;
            // A length for calls that read one through a pointer, and room for what they write.
            if (row.number == SYS_getsockname) *reinterpret_cast<int*>(s.page) = 110;
            const int error = call(row, value);
            if (error == ENOSYS) {
                note("%s is missing", row.name);
                ++absent;
                break;
            }
            // An address that is not aligned may be refused for that reason by futex.
            if (error == EINVAL && row.number == SYS_futex && value % 4 != 0) continue;
            // Calls that move bytes may stop where the bad page begins; a single byte's or word's place may fit before it.
            const bool partly = value == (long)s.page + 4093;
            if (error == EFAULT || (partly && error == 0)) continue;
            fail(__FILE__, __LINE__, "%s with 0x%lx: error %d (%s), expected EFAULT", row.name, value, error, strerrorname_np(error));
        }
    }
    if (absent) note("%d calls are missing", absent);
    struct stat status {};
    CHECK_OK(fstat(s.fd, &status));
}

TEST(vectors_with_wild_bases) {
    Surroundings s;
    for (long value : kWildValues) {
        long good_then_bad[4] = {(long)s.page, 16, value, 16};
        const long written = syscall(SYS_pwritev, s.fd, good_then_bad, 2, 0, 0);
        CHECK(written == 16 || (written == -1 && errno == EFAULT));
        const long got = syscall(SYS_preadv, s.fd, good_then_bad, 2, 0, 0);
        CHECK(got == 16 || (got == -1 && errno == EFAULT));
        long only_bad[2] = {value, 16};
        CHECK_ERR(syscall(SYS_pwritev, s.fd, only_bad, 1, 0, 0), EFAULT);
        CHECK_ERR(syscall(SYS_preadv, s.fd, only_bad, 1, 0, 0), EFAULT);
    }
}

TEST(partial_transfers_stop_at_the_bad_page) {
    Surroundings s;
    char* edge = s.page + 4096 - 100;
    CHECK_EQ(pread(s.fd, edge, 1000, 0) == 100 || errno == EFAULT, true);
    const ssize_t written = write(s.pipe_writer, edge, 1000);
    CHECK(written == 100 || (written == -1 && errno == EFAULT));
}

TEST(thread_end_with_wild_kernel_pointers) {
    // The words that the kernel writes when a thread ends: it must survive that they are bad.
    for (long value : kWildValues) {
        Thread([value] { syscall(SYS_set_robust_list, value, 24); }).join();
        // A list that begins well and then leads astray, into a cycle, or across a wild lock word.
        struct List {
            List* next;
            long offset;
            List* pending;
        };
        static List astray, cycle[2];
        astray = {reinterpret_cast<List*>(value), 0, nullptr};
        Thread([] { syscall(SYS_set_robust_list, &astray, 24); }).join();
        cycle[0] = {&cycle[1], value, nullptr};
        cycle[1] = {&cycle[1], 0, nullptr};
        Thread([] { syscall(SYS_set_robust_list, &cycle[0], 24); }).join();
    }
    // clear_child_tid: a bare clone, because pthread_join needs its own.
    static std::atomic<int> ran;
    ran.store(0, std::memory_order_relaxed);
    for (long value : kWildValues) {
        char* stack = static_cast<char*>(mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        const int before = ran.load(std::memory_order_relaxed);
        const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
        const int tid = clone([](void*) -> int {
            ran.fetch_add(1, std::memory_order_release);
            syscall(SYS_exit, 0);
            return 0;
        }, stack + 65536, flags, nullptr, nullptr, nullptr, reinterpret_cast<void*>(value));
        CHECK_OK(tid);
        if (tid < 0) continue;
        CHECK(eventually([&] { return ran.load(std::memory_order_acquire) == before + 1; }));
        CHECK(eventually([&] { return syscall(SYS_tgkill, getpid(), tid, 0) == -1 && errno == ESRCH; }));
        munmap(stack, 65536);
    }
}

TEST(a_signal_with_a_bad_stack_pointer_ends_only_by_segv) {
    // The frame cannot be written: Linux sends SIGSEGV, here caught on the alternate stack.
    static std::atomic<int> caught;
    static thread_local long saved_stack;
    static long resume_at;
    caught.store(0, std::memory_order_relaxed);
    char alternate[32768];
    stack_t stack{}, off{};
    stack.ss_sp = alternate;
    stack.ss_size = sizeof alternate;
    sigaltstack(&stack, nullptr);
    struct sigaction on_segv {}, old_segv {}, on_usr1 {}, old_usr1 {};
    on_segv.sa_flags = SA_SIGINFO | SA_ONSTACK;
    on_segv.sa_sigaction = [](int, siginfo_t*, void* context) {
        caught.fetch_add(1, std::memory_order_relaxed);
        auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#ifdef __x86_64__
        machine.gregs[REG_RSP] = saved_stack;
        machine.gregs[REG_RIP] = resume_at;
#else
        machine.sp = static_cast<unsigned long>(saved_stack);
        machine.pc = static_cast<unsigned long>(resume_at);
#endif
    };
    sigaction(SIGSEGV, &on_segv, &old_segv);
    on_usr1.sa_handler = [](int) {};
    sigaction(SIGUSR1, &on_usr1, &old_usr1);
    const long process = getpid(), self = thread_id();
    for (long value : kWildValues) {
        long number = SYS_tgkill;
#ifdef __x86_64__
        asm volatile(
            "leaq 1f(%%rip), %%rax\n\tmovq %%rax, %[resume]\n\t"
            "movq %%rsp, %[saved]\n\t"
            "movq %[number], %%rax\n\tmovq %[wild], %%rsp\n\tsyscall\n\t"
            "1:"
            : [resume] "=m"(resume_at), [saved] "=m"(saved_stack)
            : [number] "r"(number), [wild] "r"(value), "D"(process), "S"(self), "d"((long)SIGUSR1)
            : "rax", "rcx", "r11", "memory");
#else
        register long x0 asm("x0") = process;
        register long x1 asm("x1") = self;
        register long x2 asm("x2") = SIGUSR1;
        asm volatile(
            "adr x9, 1f\n\tstr x9, %[resume]\n\t"
            "mov x9, sp\n\tstr x9, %[saved]\n\t"
            "mov x8, %[number]\n\tmov sp, %[wild]\n\tsvc #0\n\t"
            "1:"
            : [resume] "=m"(resume_at), [saved] "=m"(saved_stack), "+r"(x0)
            : [number] "r"(number), [wild] "r"(value), "r"(x1), "r"(x2)
            : "x8", "x9", "memory");
#endif
    }
    CHECK_EQ(caught.load(std::memory_order_relaxed), (int)std::size(kWildValues));
    sigaction(SIGSEGV, &old_segv, nullptr);
    sigaction(SIGUSR1, &old_usr1, nullptr);
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, nullptr);
}

TEST(every_number_with_wild_values_everywhere) {
    const char* permitted = getenv("CHECK_SWEEP");
    if (!permitted || permitted[0] != '1') return skip("set CHECK_SWEEP=1 in a virtual machine");
    // Not swept: what ends, stops, detaches or harms the caller by its nature, or waits for good reason.
    static const long excluded[] = {
        SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_kill, SYS_tkill, SYS_tgkill,
        SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal, SYS_pause, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
        SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_futex,
        SYS_futex_waitv, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_mmap, SYS_brk, SYS_madvise, SYS_remap_file_pages, SYS_pkey_mprotect,
        SYS_shmdt, SYS_arch_prctl, SYS_set_tid_address, SYS_rseq, SYS_setrlimit, SYS_prlimit64, SYS_alarm, SYS_close_range, SYS_dup2,
        SYS_dup3, SYS_close, SYS_reboot, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid,
        SYS_setfsgid, SYS_setgroups, SYS_seccomp, SYS_personality, SYS_ptrace, SYS_vhangup, SYS_umask, SYS_unshare, SYS_kexec_load,
        SYS_clock_settime, SYS_settimeofday, SYS_sethostname, SYS_setdomainname, SYS_chroot, SYS_sync, SYS_wait4, SYS_waitid,
        SYS_restart_syscall, SYS_process_madvise, SYS_userfaultfd, SYS_swapoff, SYS_modify_ldt, SYS_mlockall, SYS_nanosleep,
        SYS_clock_nanosleep, SYS_io_uring_setup};
    struct sigaction action {}, old {};
    action.sa_handler = [](int) {};  // without SA_RESTART: ends a call that waits
    sigaction(SIGUSR1, &action, &old);
    const int saved_input = dup(0);
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    close(null);

    static std::atomic<long> calls, interrupted;
    static std::atomic<long> current;
    static std::atomic<bool> done;
    static char* buffer;
    calls.store(0, std::memory_order_relaxed);
    interrupted.store(0, std::memory_order_relaxed);
    done.store(false, std::memory_order_relaxed);
    buffer = static_cast<char*>(mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    Thread caller([] {
        for (long number = 0; number <= 460; ++number) {
            if (std::find(std::begin(excluded), std::end(excluded), number) != std::end(excluded)) continue;
            current.store(number, std::memory_order_relaxed);
            for (int position = -1; position < 6; ++position)  // -1: wild everywhere
                for (long others : {0l, (long)buffer})
                    for (long value : kWildValues) {
                        memset(buffer, 0, 65536);
                        long a[6];
                        for (int i = 0; i < 6; ++i) a[i] = position == -1 || i == position ? value : others;
                        const long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
                        calls.fetch_add(1, std::memory_order_relaxed);
                        if (result == -1 && errno == EINTR) interrupted.fetch_add(1, std::memory_order_relaxed);
                        if (result > 2 && result < 1024) close((int)result);  // may have been a new descriptor
                    }
        }
        done.store(true, std::memory_order_release);
    });
    const pid_t tid = caller.tid();
    for (long seen = -1; !done.load(std::memory_order_acquire);) {
        sleep_ms(500);
        const long now = calls.load(std::memory_order_relaxed);
        if (now == seen && !done.load(std::memory_order_acquire)) {
            note("call %ld waits: interrupting it", current.load(std::memory_order_relaxed));
            syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
        }
        seen = now;
    }
    caller.join();
    note("%ld calls, %ld interrupted", calls.load(std::memory_order_relaxed), interrupted.load(std::memory_order_relaxed));
    CHECK(calls.load(std::memory_order_relaxed) > 40'000);
    munmap(buffer, 65536);
    dup2(saved_input, 0);
    close(saved_input);
    sigaction(SIGUSR1, &old, nullptr);
}

TEST(everything_still_works_afterwards) {
    ScratchDirectory scratch;
    write_file(scratch.path("f"), "alive");
    CHECK(read_file(scratch.path("f")) == "alive");
    int answer = 0;
    Thread([&] { answer = 42; }).join();
    CHECK_EQ(answer, 42);
    sleep_ms(1);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
