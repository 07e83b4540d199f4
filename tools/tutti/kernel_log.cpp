// SPDX-License-Identifier: BSD-3-Clause
#include "kernel_log.hpp"

#include <unistd.h>

#include <algorithm>

namespace tutti::cli {

void KernelLog::append(std::string_view text) {
    for (char c : text) {
        if (c == '\n') {
            end_line();
        } else if (c != '\r') {
            // Control characters of a program or a firmware must not reach the user's terminal from here.
            bool const plain = c == '\t' || static_cast<unsigned char>(c) >= 0x20;
            partial_.push_back(plain ? c : '?');
            if (partial_.size() >= kMaxLineLength) end_line();
        }
    }
}

void KernelLog::end_line() {
    partial_.push_back('\n');
    if (live_fd_ >= 0) {
        [[maybe_unused]] ssize_t const written = ::write(live_fd_, partial_.data(), partial_.size());
    }
    lines_.push_back(std::move(partial_));
    partial_.clear();
    if (lines_.size() > kMaxLines) lines_.pop_front();
}

std::string KernelLog::tail(std::size_t lines) const {
    std::string text;
    std::size_t const first = lines_.size() - std::min(lines, lines_.size());
    for (std::size_t i = first; i < lines_.size(); ++i) text += lines_[i];
    if (!partial_.empty()) text += partial_ + "\n";
    return text;
}

}  // namespace tutti::cli
