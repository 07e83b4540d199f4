// SPDX-License-Identifier: BSD-3-Clause
// What host_call() returns for an error of the host's that we tell apart, and the others in the kernel's terms.
#pragma once

#include <asm-generic/errno.h>

#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::platform {

inline constexpr i64 kHostInterrupted = -EINTR;
inline constexpr i64 kHostAgain = -EAGAIN;
inline constexpr i64 kHostInvalid = -EINVAL;
inline constexpr i64 kHostNoBuffers = -ENOBUFS;
inline constexpr i64 kHostBadState = -EBADFD;

// Of a device's reads and writes.
[[nodiscard]] constexpr Error host_error(i64 result) {
    switch (-result) {
        case EINVAL:
            return Error::InvalidArgument;
        case ENOSPC:
        case EDQUOT:
            return Error::NoSpace;
        case ENOMEM:
            return Error::NoMemory;
        default:
            return Error::IoError;
    }
}

// Of an attempt to open something.
[[nodiscard]] constexpr std::string_view host_error_text(i64 result) {
    switch (-result) {
        case ENOENT:
            return "there is none";
        case EPERM:
        case EACCES:
            return "the host does not permit it";
        case EROFS:
            return "it lies on a read-only file system";
        case EISDIR:
            return "it is a directory";
        case EBUSY:
            return "it is in use";
        case ETXTBSY:
            return "it is a program that runs";
        default:
            return "the host gives an error";
    }
}

}  // namespace tutti::platform
