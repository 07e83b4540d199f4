// SPDX-License-Identifier: BSD-3-Clause
// Where an execution may go one way or another. Depth-first over all ways, at random, or along a recorded way.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "engine/knowledge.hpp"

namespace tutti::interleave {

enum class Choosing : u8 { Exhaustive, Random, Replay };

class Choices {
  public:
    void start(Choosing mode, u64 seed);
    void begin_execution() { depth_ = 0; }
    // Which of `options` this execution takes; 0 is the plain one (go on, read the newest).
    u32 choose(u32 options, bool is_schedule);
    // To the next way; false when all have been taken.
    bool advance();
    // On the way to the place where this execution first differs from the last one.
    [[nodiscard]] bool repeating() const { return mode_ == Choosing::Exhaustive && depth_ < path_.size(); }

    [[nodiscard]] std::string to_string() const;
    // False: not a schedule.
    bool parse(std::string const& text);

  private:
    struct Node {
        u16 chosen;
        u16 options;
    };
    u64 random();

    Choosing mode_ = Choosing::Exhaustive;
    u64 state_ = 0;
    std::vector<Node> path_;
    std::size_t depth_ = 0;
};

// States that have been explored, each with the fewest preemptions it was reached with.
class Visited {
  public:
    Visited();
    void clear();
    // False: was there with as few preemptions already.
    bool insert(u64 key, u8 preemptions);
    [[nodiscard]] std::size_t size() const { return used_; }

  private:
    void grow();
    std::vector<u64> keys_;
    std::vector<u8> costs_;
    std::size_t used_ = 0;
};

}  // namespace tutti::interleave
