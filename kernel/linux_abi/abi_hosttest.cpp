// SPDX-License-Identifier: BSD-3-Clause
// Our ABI structures and numbers against the headers of the C library of the architecture that this is built for.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cerrno>

#include "linux_abi/abi/file.hpp"
#include "linux_abi/abi/mman.hpp"
#include "linux_abi/abi/signal.hpp"
#include "linux_abi/abi/system.hpp"
#include "linux_abi/abi/thread.hpp"
#include "linux_abi/errno.hpp"
#include "linux_abi/machine/file_structures.hpp"
#include "linux_abi/syscall/syscall_names.hpp"

namespace ours = tutti::linux_abi;

#define SAME_FIELD(type, our_field, theirs, their_field)                    \
    EXPECT_EQ(offsetof(type, our_field), offsetof(theirs, their_field));    \
    EXPECT_EQ(sizeof(type::our_field), sizeof(theirs::their_field))

TEST(Abi, StatMatches) {
    using Host = struct stat;
    EXPECT_EQ(sizeof(ours::Stat), sizeof(Host));
    SAME_FIELD(ours::Stat, device, Host, st_dev);
    SAME_FIELD(ours::Stat, inode, Host, st_ino);
    SAME_FIELD(ours::Stat, link_count, Host, st_nlink);
    SAME_FIELD(ours::Stat, mode, Host, st_mode);
    SAME_FIELD(ours::Stat, uid, Host, st_uid);
    SAME_FIELD(ours::Stat, gid, Host, st_gid);
    SAME_FIELD(ours::Stat, rdev, Host, st_rdev);
    SAME_FIELD(ours::Stat, size, Host, st_size);
    SAME_FIELD(ours::Stat, block_size, Host, st_blksize);
    SAME_FIELD(ours::Stat, blocks, Host, st_blocks);
    SAME_FIELD(ours::Stat, atime, Host, st_atim);
    SAME_FIELD(ours::Stat, mtime, Host, st_mtim);
    SAME_FIELD(ours::Stat, ctime, Host, st_ctim);
}

TEST(Abi, StatxMatches) {
    using Host = struct statx;
    EXPECT_EQ(sizeof(ours::Statx), sizeof(Host));
    SAME_FIELD(ours::Statx, attributes, Host, stx_attributes);
    SAME_FIELD(ours::Statx, mode, Host, stx_mode);
    SAME_FIELD(ours::Statx, inode, Host, stx_ino);
    SAME_FIELD(ours::Statx, size, Host, stx_size);
    SAME_FIELD(ours::Statx, atime, Host, stx_atime);
    SAME_FIELD(ours::Statx, mtime, Host, stx_mtime);
    SAME_FIELD(ours::Statx, rdev_major, Host, stx_rdev_major);
    SAME_FIELD(ours::Statx, dev_minor, Host, stx_dev_minor);
    SAME_FIELD(ours::Statx, mount_id, Host, stx_mnt_id);
}

TEST(Abi, StatfsMatches) {
    using Host = struct statfs;
    EXPECT_EQ(sizeof(ours::Statfs), sizeof(Host));
    SAME_FIELD(ours::Statfs, blocks_available, Host, f_bavail);
    SAME_FIELD(ours::Statfs, name_length, Host, f_namelen);
    SAME_FIELD(ours::Statfs, flags, Host, f_flags);
}

TEST(Abi, SignalStructuresMatch) {
    EXPECT_EQ(sizeof(ours::SigInfo), sizeof(siginfo_t));
    EXPECT_EQ(offsetof(ours::SigInfo, code), offsetof(siginfo_t, si_code));
    EXPECT_EQ(offsetof(ours::SigInfo, fields.sender.pid), offsetof(siginfo_t, si_pid));
    EXPECT_EQ(offsetof(ours::SigInfo, fields.sender.uid), offsetof(siginfo_t, si_uid));
    EXPECT_EQ(offsetof(ours::SigInfo, fields.sender.value), offsetof(siginfo_t, si_value));
    EXPECT_EQ(offsetof(ours::SigInfo, fields.timer.overrun), offsetof(siginfo_t, si_overrun));
    EXPECT_EQ(offsetof(ours::SigInfo, fields.fault.address), offsetof(siginfo_t, si_addr));
    EXPECT_EQ(sizeof(ours::SigAltStack), sizeof(stack_t));
    EXPECT_EQ(offsetof(ours::SigAltStack, size), offsetof(stack_t, ss_size));
    EXPECT_EQ(sizeof(ours::SigEvent), sizeof(sigevent));
    EXPECT_EQ(offsetof(ours::SigEvent, notify), offsetof(sigevent, sigev_notify));
    EXPECT_EQ(ours::kSIGSYS, SIGSYS);
    EXPECT_EQ(ours::kSIGVTALRM, SIGVTALRM);
    EXPECT_EQ(ours::kSIGWINCH, SIGWINCH);
    EXPECT_EQ(ours::kSegvAccErr, SEGV_ACCERR);
    EXPECT_EQ(ours::kBusAdrErr, BUS_ADRERR);
    EXPECT_EQ(ours::kFpeIntDiv, FPE_INTDIV);
    EXPECT_EQ(ours::kFpeFltInv, FPE_FLTINV);
    EXPECT_EQ(static_cast<unsigned>(ours::kSaResetHand), static_cast<unsigned>(SA_RESETHAND));
    EXPECT_EQ(static_cast<unsigned>(ours::kSaOnStack), static_cast<unsigned>(SA_ONSTACK));
}

TEST(Abi, SystemStructuresMatch) {
    EXPECT_EQ(sizeof(ours::Utsname), sizeof(utsname));
    EXPECT_EQ(offsetof(ours::Utsname, machine), offsetof(utsname, machine));
    EXPECT_EQ(sizeof(ours::SysInfo), sizeof(struct sysinfo));
    EXPECT_EQ(offsetof(ours::SysInfo, processes), offsetof(struct sysinfo, procs));
    EXPECT_EQ(offsetof(ours::SysInfo, memory_unit), offsetof(struct sysinfo, mem_unit));
    EXPECT_EQ(sizeof(ours::Rusage), sizeof(rusage));
    EXPECT_EQ(offsetof(ours::Rusage, max_rss), offsetof(rusage, ru_maxrss));
    EXPECT_EQ(offsetof(ours::Rusage, minor_faults), offsetof(rusage, ru_minflt));
    EXPECT_EQ(offsetof(ours::Rusage, involuntary_switches), offsetof(rusage, ru_nivcsw));
    EXPECT_EQ(sizeof(ours::Tms), sizeof(tms));
    EXPECT_EQ(sizeof(ours::Itimerval), sizeof(itimerval));
    EXPECT_EQ(static_cast<int>(ours::kRlimitFiles), static_cast<int>(RLIMIT_NOFILE));
    EXPECT_EQ(static_cast<int>(ours::kRlimitAddressSpace), static_cast<int>(RLIMIT_AS));
    EXPECT_EQ(static_cast<int>(ours::kRlimitRtTime), static_cast<int>(RLIMIT_RTTIME));
    EXPECT_EQ(ours::kCapVersion3, static_cast<unsigned>(_LINUX_CAPABILITY_VERSION_3));
}

TEST(Abi, ThreadAndFutexConstantsMatch) {
    EXPECT_EQ(sizeof(ours::CloneArgs), sizeof(clone_args));
    EXPECT_EQ(offsetof(ours::CloneArgs, tls), offsetof(clone_args, tls));
    EXPECT_EQ(ours::kCloneThread, static_cast<ours::CloneFlag>(CLONE_THREAD));
    EXPECT_EQ(ours::kCloneChildClearTid, static_cast<ours::CloneFlag>(CLONE_CHILD_CLEARTID));
    EXPECT_EQ(static_cast<int>(ours::kFutexCmpRequeue), FUTEX_CMP_REQUEUE);
    EXPECT_EQ(static_cast<int>(ours::kFutexWakeOp), FUTEX_WAKE_OP);
    EXPECT_EQ(static_cast<int>(ours::kFutexWaitBitset), FUTEX_WAIT_BITSET);
    EXPECT_EQ(static_cast<int>(ours::kFutexLockPi2), FUTEX_LOCK_PI2);
    EXPECT_EQ(ours::kFutexWaiters, static_cast<unsigned>(FUTEX_WAITERS));
    EXPECT_EQ(sizeof(ours::RobustListHead), sizeof(robust_list_head));
    EXPECT_EQ(offsetof(ours::RobustListHead, pending), offsetof(robust_list_head, list_op_pending));
    EXPECT_EQ(static_cast<int>(ours::kSchedBatch), SCHED_BATCH);
}

TEST(Abi, FileConstantsMatch) {
    EXPECT_EQ(sizeof(ours::Flock), sizeof(flock));
    EXPECT_EQ(offsetof(ours::Flock, pid), offsetof(flock, l_pid));
    EXPECT_EQ(sizeof(ours::EpollEvent), sizeof(epoll_event));
    EXPECT_EQ(offsetof(ours::EpollEvent, data), offsetof(epoll_event, data));
    EXPECT_EQ(sizeof(ours::PollFd), sizeof(pollfd));
    EXPECT_EQ(static_cast<int>(ours::kOCloexec), O_CLOEXEC);
    EXPECT_EQ(static_cast<int>(ours::kODirectory), O_DIRECTORY);
    EXPECT_EQ(static_cast<int>(ours::kONoFollow), O_NOFOLLOW);
    EXPECT_EQ(static_cast<int>(ours::kODirect), O_DIRECT);
    EXPECT_EQ(static_cast<int>(ours::kOTmpFile), O_TMPFILE);
    EXPECT_EQ(static_cast<int>(ours::kOSync), O_SYNC);
    EXPECT_EQ(static_cast<int>(ours::kFGetLk), F_GETLK);
    EXPECT_EQ(ours::kAtFdCwd, AT_FDCWD);
    EXPECT_EQ(static_cast<int>(ours::kAtRemoveDir), AT_REMOVEDIR);
    EXPECT_EQ(static_cast<int>(ours::kMapFixed), MAP_FIXED);
    EXPECT_EQ(static_cast<int>(ours::kMapStack), MAP_STACK);
    EXPECT_EQ(static_cast<int>(ours::kMapGrowsDown), MAP_GROWSDOWN);
    EXPECT_EQ(static_cast<int>(ours::kMadvDontNeed), MADV_DONTNEED);
    EXPECT_EQ(static_cast<int>(ours::kMadvFree), MADV_FREE);
}

TEST(Abi, EveryErrorHasItsNumber) {
    EXPECT_EQ(ours::to_errno(tutti::Error::NotFound), ENOENT);
    EXPECT_EQ(ours::to_errno(tutti::Error::WouldBlock), EAGAIN);
    EXPECT_EQ(ours::to_errno(tutti::Error::NotSupported), EOPNOTSUPP);
    EXPECT_EQ(ours::to_errno(tutti::Error::TimedOut), ETIMEDOUT);
    EXPECT_EQ(ours::to_errno(tutti::Error::UnknownAddressFamily), EAFNOSUPPORT);
    EXPECT_EQ(ours::to_errno(tutti::Error::TooManySymlinks), ELOOP);
    EXPECT_EQ(ours::to_errno(tutti::Error::Overflow), EOVERFLOW);
    EXPECT_EQ(ours::to_errno(tutti::Error::NoBufferSpace), ENOBUFS);
}

TEST(Abi, SyscallNamesMatch) {
    EXPECT_EQ(ours::syscall_number("read"), SYS_read);
    EXPECT_EQ(ours::syscall_number("futex"), SYS_futex);
    EXPECT_EQ(ours::syscall_number("clone3"), SYS_clone3);
    EXPECT_EQ(ours::syscall_number("rseq"), SYS_rseq);
    EXPECT_EQ(ours::syscall_number("rt_sigreturn"), SYS_rt_sigreturn);
    EXPECT_EQ(ours::syscall_number("newfstatat"), SYS_newfstatat);
    EXPECT_EQ(ours::syscall_number("set_mempolicy_home_node"), SYS_set_mempolicy_home_node);
    EXPECT_EQ(ours::syscall_name(SYS_openat), "openat");
    EXPECT_TRUE(ours::syscall_name(400).empty());
    EXPECT_TRUE(ours::syscall_name(~0ULL).empty());
    for (auto const& entry : ours::kSyscallNames) EXPECT_LT(entry.number, ours::kSyscallLimit);
}
