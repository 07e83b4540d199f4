// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Reads the Test Anything Protocol out of a kernel log, line by line, and judges it. Lines that are not TAP
// (kernel messages) are ignored.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::tap {

enum class LineKind { Other, Plan, Pass, Fail, Skip, Comment, BailOut };

class TapParser {
  public:
    // One line without its newline.
    LineKind line(std::string_view text);

    // What is wrong with the lines so far, taken as a whole run; empty when it passed.
    [[nodiscard]] std::vector<std::string> problems() const;

    [[nodiscard]] std::size_t passed() const { return passed_; }
    [[nodiscard]] std::size_t skipped() const { return skipped_; }
    [[nodiscard]] std::vector<std::string> const& failed() const { return failed_; }
    [[nodiscard]] std::size_t results() const { return passed_ + skipped_ + failed_.size(); }
    [[nodiscard]] std::optional<std::size_t> planned() const { return planned_; }

  private:
    LineKind result(bool ok, std::string_view rest);

    std::optional<std::size_t> planned_;
    bool second_plan_ = false;
    std::size_t passed_ = 0;
    std::size_t skipped_ = 0;
    std::vector<std::string> failed_;
    std::vector<std::string> misnumbered_;
    std::optional<std::string> bail_out_;
};

}  // namespace tutti::tap
