// SPDX-License-Identifier: BSD-3-Clause
#include "byte_queue.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli_error.hpp"

namespace tutti::cli {

ByteQueue::ByteQueue(int fd) : fd_(fd) {
    struct stat status {};
    bool const regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    bool const non_blocking = (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
    chunk_ = regular || non_blocking ? 1 << 20 : PIPE_BUF;
}

void ByteQueue::flush_some() {
    while (!empty()) {
        ssize_t const count = ::write(fd_, bytes_.data() + at_, std::min(chunk_, size()));
        if (count >= 0) {
            at_ += static_cast<std::size_t>(count);
            if (chunk_ == PIPE_BUF) break;  // poll again before the next piece
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN) break;
        discard();
        state_ = State::Closed;
        if (errno == EPIPE || errno == ECONNRESET) return;
        throw CliError(std::string("Cannot write the output: ") + std::strerror(errno) + ".");
    }
    constexpr std::size_t kCompactAt = 1 << 20;
    if (empty() || at_ > kCompactAt) {
        bytes_.erase(0, at_);
        at_ = 0;
    }
}

}  // namespace tutti::cli
