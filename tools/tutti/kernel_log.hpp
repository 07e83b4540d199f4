// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The guest's kernel log: kept for a crash report, shown live when asked.

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace tutti::cli {

class KernelLog {
  public:
    // Lines go to `live_fd` as they are completed; -1: nowhere.
    explicit KernelLog(int live_fd) : live_fd_(live_fd) {}

    void append(std::string_view text);
    // The last `lines` lines, each with its newline, the unfinished one included.
    [[nodiscard]] std::string tail(std::size_t lines) const;
    [[nodiscard]] bool is_live() const { return live_fd_ >= 0; }
    [[nodiscard]] bool empty() const { return lines_.empty() && partial_.empty(); }

  private:
    static constexpr std::size_t kMaxLines = 20000;
    static constexpr std::size_t kMaxLineLength = 4096;
    void end_line();

    int live_fd_;
    std::deque<std::string> lines_;
    std::string partial_;
};

}  // namespace tutti::cli
