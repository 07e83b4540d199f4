// SPDX-License-Identifier: BSD-3-Clause
// Which function handles which system call, and what happens when a signal interrupts it: the calls that every architecture
// has, and how an architecture makes its table of these and its own (machine/syscall_table.cpp). What is in no row answers
// ENOSYS. docs/linux-abi.md says what each call does not do; a test keeps the two lists equal.
#pragma once

#include <array>

#include "linux_abi/socket/socket_calls.hpp"
#include "linux_abi/socket/socket_messages.hpp"
#include "linux_abi/socket/socket_options.hpp"
#include "linux_abi/syscall/descriptors.hpp"
#include "linux_abi/syscall/directories.hpp"
#include "linux_abi/syscall/dispatch.hpp"
#include "linux_abi/syscall/event_files.hpp"
#include "linux_abi/syscall/file_io.hpp"
#include "linux_abi/syscall/futex.hpp"
#include "linux_abi/syscall/identity.hpp"
#include "linux_abi/syscall/memory.hpp"
#include "linux_abi/syscall/metadata.hpp"
#include "linux_abi/syscall/poll.hpp"
#include "linux_abi/syscall/scheduling.hpp"
#include "linux_abi/syscall/signal.hpp"
#include "linux_abi/syscall/syscall_names.hpp"
#include "linux_abi/syscall/system.hpp"
#include "linux_abi/syscall/thread.hpp"
#include "linux_abi/syscall/time.hpp"
#include "linux_abi/syscall/timer.hpp"

namespace tutti::linux_abi {

struct SyscallRow {
    u16 number;
    SyscallEntry entry;
};

template <auto Function>
consteval SyscallRow row(std::string_view name, Restart restart = Restart::Never) {
    return {syscall_number(name), {&detail::SyscallAdapter<Function>::call, restart}};
}

inline constexpr auto kCommonRows = std::to_array<SyscallRow>({
    // File data.
    row<sys_read>("read", Restart::Always),
    row<sys_write>("write", Restart::Always),
    row<sys_pread64>("pread64", Restart::Always),
    row<sys_pwrite64>("pwrite64", Restart::Always),
    row<sys_readv>("readv", Restart::Always),
    row<sys_writev>("writev", Restart::Always),
    row<sys_preadv>("preadv", Restart::Always),
    row<sys_pwritev>("pwritev", Restart::Always),
    row<sys_preadv2>("preadv2", Restart::Always),
    row<sys_pwritev2>("pwritev2", Restart::Always),
    row<sys_lseek>("lseek"),
    row<sys_sendfile>("sendfile", Restart::Always),
    row<sys_copy_file_range>("copy_file_range", Restart::Always),
    row<sys_fsync>("fsync"),
    row<sys_fsync>("fdatasync"),
    row<sys_sync>("sync"),
    row<sys_syncfs>("syncfs"),
    row<sys_sync_file_range>("sync_file_range"),
    row<sys_fadvise64>("fadvise64"),
    row<sys_readahead>("readahead"),
    row<sys_fallocate>("fallocate"),
    row<sys_truncate>("truncate"),
    row<sys_ftruncate>("ftruncate"),

    // Descriptors.
    row<sys_openat>("openat", Restart::Always),
    row<sys_openat2>("openat2", Restart::Always),
    row<sys_close>("close"),
    row<sys_close_range>("close_range"),
    row<sys_dup>("dup"),
    row<sys_dup3>("dup3"),
    row<sys_fcntl>("fcntl", Restart::Always),
    row<sys_ioctl>("ioctl", Restart::Always),
    row<sys_flock>("flock", Restart::Always),
    row<sys_pipe2>("pipe2"),
    row<sys_memfd_create>("memfd_create"),

    // Names and attributes.
    row<sys_fstat>("fstat"),
    row<sys_newfstatat>("newfstatat"),
    row<sys_statx>("statx"),
    row<sys_faccessat>("faccessat"),
    row<sys_faccessat2>("faccessat2"),
    row<sys_fchmod>("fchmod"),
    row<sys_fchmodat>("fchmodat"),
    row<sys_fchmodat2>("fchmodat2"),
    row<sys_fchown>("fchown"),
    row<sys_fchownat>("fchownat"),
    row<sys_utimensat>("utimensat"),
    row<sys_umask>("umask"),
    row<sys_statfs>("statfs"),
    row<sys_fstatfs>("fstatfs"),
    row<sys_xattr>("setxattr"),
    row<sys_lxattr>("lsetxattr"),
    row<sys_fxattr>("fsetxattr"),
    row<sys_xattr>("getxattr"),
    row<sys_lxattr>("lgetxattr"),
    row<sys_fxattr>("fgetxattr"),
    row<sys_xattr>("listxattr"),
    row<sys_lxattr>("llistxattr"),
    row<sys_fxattr>("flistxattr"),
    row<sys_xattr>("removexattr"),
    row<sys_lxattr>("lremovexattr"),
    row<sys_fxattr>("fremovexattr"),

    // Directories.
    row<sys_mkdirat>("mkdirat"),
    row<sys_renameat>("renameat"),
    row<sys_renameat2>("renameat2"),
    row<sys_linkat>("linkat"),
    row<sys_unlinkat>("unlinkat"),
    row<sys_symlinkat>("symlinkat"),
    row<sys_readlinkat>("readlinkat"),
    row<sys_mknodat>("mknodat"),
    row<sys_getdents64>("getdents64"),
    row<sys_getcwd>("getcwd"),
    row<sys_chdir>("chdir"),
    row<sys_fchdir>("fchdir"),
    row<sys_chroot>("chroot"),

    // Waiting for files.
    row<sys_ppoll>("ppoll", Restart::NoHandler),
    row<sys_pselect6>("pselect6", Restart::NoHandler),
    row<sys_epoll_create1>("epoll_create1"),
    row<sys_epoll_ctl>("epoll_ctl"),
    row<sys_epoll_pwait>("epoll_pwait"),
    row<sys_epoll_pwait2>("epoll_pwait2"),
    row<sys_eventfd2>("eventfd2"),
    row<sys_timerfd_create>("timerfd_create"),
    row<sys_timerfd_settime>("timerfd_settime"),
    row<sys_timerfd_gettime>("timerfd_gettime"),
    row<sys_signalfd4>("signalfd4"),

    // Memory.
    row<sys_mmap>("mmap"),
    row<sys_munmap>("munmap"),
    row<sys_mprotect>("mprotect"),
    row<sys_mremap>("mremap"),
    row<sys_madvise>("madvise"),
    row<sys_brk>("brk"),
    row<sys_msync>("msync"),
    row<sys_mincore>("mincore"),
    row<sys_mlock>("mlock"),
    row<sys_mlock2>("mlock2"),
    row<sys_munlock>("munlock"),
    row<sys_mlockall>("mlockall"),
    row<sys_munlockall>("munlockall"),
    row<sys_mbind>("mbind"),
    row<sys_set_mempolicy>("set_mempolicy"),
    row<sys_get_mempolicy>("get_mempolicy"),
    row<sys_pkey_alloc>("pkey_alloc"),
    row<sys_pkey_free>("pkey_free"),
    row<sys_pkey_mprotect>("pkey_mprotect"),

    // Threads.
    row<sys_clone>("clone"),
    row<sys_clone3>("clone3"),
    row<sys_exit>("exit"),
    row<sys_exit_group>("exit_group"),
    row<sys_set_tid_address>("set_tid_address"),
    row<sys_wait4>("wait4"),
    row<sys_waitid>("waitid"),
    row<sys_futex>("futex", Restart::Resume),
    row<sys_set_robust_list>("set_robust_list"),
    row<sys_get_robust_list>("get_robust_list"),
    row<sys_membarrier>("membarrier"),
    row<sys_rseq>("rseq"),

    // Scheduling.
    row<sys_sched_yield>("sched_yield"),
    row<sys_sched_setaffinity>("sched_setaffinity"),
    row<sys_sched_getaffinity>("sched_getaffinity"),
    row<sys_sched_setscheduler>("sched_setscheduler"),
    row<sys_sched_getscheduler>("sched_getscheduler"),
    row<sys_sched_setparam>("sched_setparam"),
    row<sys_sched_getparam>("sched_getparam"),
    row<sys_sched_get_priority_max>("sched_get_priority_max"),
    row<sys_sched_get_priority_min>("sched_get_priority_min"),
    row<sys_sched_rr_get_interval>("sched_rr_get_interval"),
    row<sys_sched_setattr>("sched_setattr"),
    row<sys_sched_getattr>("sched_getattr"),
    row<sys_getpriority>("getpriority"),
    row<sys_setpriority>("setpriority"),
    row<sys_getcpu>("getcpu"),
    row<sys_ioprio_get>("ioprio_get"),
    row<sys_ioprio_set>("ioprio_set"),

    // Signals.
    row<sys_rt_sigaction>("rt_sigaction"),
    row<sys_rt_sigprocmask>("rt_sigprocmask"),
    row<sys_rt_sigpending>("rt_sigpending"),
    row<sys_rt_sigsuspend>("rt_sigsuspend", Restart::NoHandler),
    row<sys_rt_sigtimedwait>("rt_sigtimedwait"),
    row<sys_rt_sigqueueinfo>("rt_sigqueueinfo"),
    row<sys_rt_tgsigqueueinfo>("rt_tgsigqueueinfo"),
    row<sys_rt_sigreturn>("rt_sigreturn"),
    row<sys_restart_syscall>("restart_syscall", Restart::Resume),
    row<sys_sigaltstack>("sigaltstack"),
    row<sys_kill>("kill"),
    row<sys_tkill>("tkill"),
    row<sys_tgkill>("tgkill"),

    // Time.
    row<sys_clock_gettime>("clock_gettime"),
    row<sys_clock_getres>("clock_getres"),
    row<sys_clock_settime>("clock_settime"),
    row<sys_clock_nanosleep>("clock_nanosleep", Restart::Resume),
    row<sys_nanosleep>("nanosleep", Restart::Resume),
    row<sys_gettimeofday>("gettimeofday"),
    row<sys_settimeofday>("settimeofday"),
    row<sys_times>("times"),
    row<sys_getrusage>("getrusage"),
    row<sys_timer_create>("timer_create"),
    row<sys_timer_settime>("timer_settime"),
    row<sys_timer_gettime>("timer_gettime"),
    row<sys_timer_getoverrun>("timer_getoverrun"),
    row<sys_timer_delete>("timer_delete"),
    row<sys_setitimer>("setitimer"),
    row<sys_getitimer>("getitimer"),

    // Identity: every program is root of its machine.
    row<sys_getpid>("getpid"),
    row<sys_getppid>("getppid"),
    row<sys_gettid>("gettid"),
    row<sys_getuid>("getuid"),
    row<sys_getuid>("geteuid"),
    row<sys_getuid>("getgid"),
    row<sys_getuid>("getegid"),
    row<sys_setuid>("setuid"),
    row<sys_setuid>("setgid"),
    row<sys_setreuid>("setreuid"),
    row<sys_setreuid>("setregid"),
    row<sys_setresuid>("setresuid"),
    row<sys_setresuid>("setresgid"),
    row<sys_getresuid>("getresuid"),
    row<sys_getresuid>("getresgid"),
    row<sys_setfsuid>("setfsuid"),
    row<sys_setfsuid>("setfsgid"),
    row<sys_getgroups>("getgroups"),
    row<sys_setgroups>("setgroups"),
    row<sys_getpgid>("getpgid"),
    row<sys_setpgid>("setpgid"),
    row<sys_getsid>("getsid"),
    row<sys_setsid>("setsid"),
    row<sys_capget>("capget"),
    row<sys_capset>("capset"),

    // Sockets. Those with a time limit do not restart (limited() in socket_file.hpp).
    row<sys_socket>("socket"),
    row<sys_socketpair>("socketpair"),
    row<sys_bind>("bind"),
    row<sys_listen>("listen"),
    row<sys_accept>("accept", Restart::Always),
    row<sys_accept4>("accept4", Restart::Always),
    row<sys_connect>("connect", Restart::Always),
    row<sys_getsockname>("getsockname"),
    row<sys_getpeername>("getpeername"),
    row<sys_shutdown>("shutdown"),
    row<sys_getsockopt>("getsockopt"),
    row<sys_setsockopt>("setsockopt"),
    row<sys_sendto>("sendto", Restart::Always),
    row<sys_recvfrom>("recvfrom", Restart::Always),
    row<sys_sendmsg>("sendmsg", Restart::Always),
    row<sys_recvmsg>("recvmsg", Restart::Always),
    row<sys_sendmmsg>("sendmmsg", Restart::Always),
    row<sys_recvmmsg>("recvmmsg", Restart::Always),

    // The machine.
    row<sys_uname>("uname"),
    row<sys_sysinfo>("sysinfo"),
    row<sys_getrandom>("getrandom"),
    row<sys_prctl>("prctl"),
    row<sys_personality>("personality"),
    row<sys_getrlimit>("getrlimit"),
    row<sys_setrlimit>("setrlimit"),
    row<sys_prlimit64>("prlimit64"),
    row<sys_sethostname>("sethostname"),
    row<sys_setdomainname>("setdomainname"),
    row<sys_syslog>("syslog"),
});

using SyscallTable = std::array<SyscallEntry, kSyscallLimit>;

template <size_t N>
consteval SyscallTable make_syscall_table(std::array<SyscallRow, N> const& own) {
    SyscallTable table{};
    for (SyscallRow const& r : kCommonRows) table[r.number] = r.entry;
    for (SyscallRow const& r : own) table[r.number] = r.entry;
    return table;
}

}  // namespace tutti::linux_abi
