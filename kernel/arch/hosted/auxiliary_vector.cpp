// SPDX-License-Identifier: BSD-3-Clause
#include "arch/auxiliary_vector.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include "arch/host_call.hpp"

namespace tutti::arch {

u64 auxiliary_value(u64 type) {
    i64 const file = host_call(SYS_openat, static_cast<u64>(AT_FDCWD), host_argument("/proc/self/auxv"), O_RDONLY | O_CLOEXEC);
    u64 pair[2]{};
    while (file >= 0 && host_call(SYS_read, static_cast<u64>(file), host_argument(pair), sizeof pair) == sizeof pair)
        if (pair[0] == type) break;
    if (file >= 0) host_call(SYS_close, static_cast<u64>(file));
    return pair[0] == type ? pair[1] : 0;
}

}  // namespace tutti::arch
