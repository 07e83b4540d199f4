// SPDX-License-Identifier: BSD-3-Clause
// Calls that newer architectures never had: there they have no number.
#pragma once

#include <sys/syscall.h>

#ifndef SYS_open
#define SYS_open -1
#define SYS_stat -1
#define SYS_lstat -1
#define SYS_access -1
#define SYS_readlink -1
#define SYS_mkdir -1
#define SYS_rmdir -1
#define SYS_unlink -1
#define SYS_rename -1
#define SYS_link -1
#define SYS_symlink -1
#define SYS_chmod -1
#define SYS_chown -1
#define SYS_time -1
#define SYS_poll -1
#define SYS_select -1
#define SYS_epoll_wait -1
#define SYS_arch_prctl -1
#define SYS_fork -1
#define SYS_vfork -1
#define SYS_pause -1
#define SYS_alarm -1
#define SYS_dup2 -1
#define SYS_modify_ldt -1
#endif
