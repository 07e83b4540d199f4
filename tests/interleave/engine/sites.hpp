// SPDX-License-Identifier: BSD-3-Clause
// Where in the source an operation stands, and mutants: the same program with one memory order weaker.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/knowledge.hpp"

namespace tutti::interleave {

enum class Kind : u8 { Load, Store, ReadModifyWrite, CompareFailure, Fence };

// Orders as the compiler passes them: std::memory_order's values.
inline constexpr int kRelaxed = 0, kAcquire = 2, kRelease = 3, kAcqRel = 4, kSeqCst = 5, kRemoved = 6;
[[nodiscard]] char const* order_name(int order);
[[nodiscard]] char const* kind_name(Kind kind);

struct Mutant {
    std::string place;  // file:line:column
    Kind kind;
    int from, to;
    bool operator==(Mutant const&) const = default;
    [[nodiscard]] std::string to_string() const;
};

class Sites {
  public:
    // The order that the operation at `pc` has in this run.
    int order(u32 pc, Kind kind, int order) {
        if (recording_) record(pc, kind, order);
        if (mutant_ == nullptr) return order;
        return mutated(pc, kind, order);
    }
    void forget_recorded() {
        recorded_.clear();
        seen_.clear();
    }
    void set_recording(bool on) { recording_ = on; }
    void set_mutant(Mutant const* mutant);
    // One step weaker at each place that has been recorded in files whose path contains `under`.
    [[nodiscard]] std::vector<Mutant> mutants(std::string const& under);
    [[nodiscard]] std::string place(u32 pc);
    // The function and where it was called from, for reports.
    [[nodiscard]] std::string description(u32 pc);

  private:
    struct Frame {
        std::string function, file;
        int line, column;
    };
    std::vector<Frame> const& frames(u32 pc);
    void record(u32 pc, Kind kind, int order);
    int mutated(u32 pc, Kind kind, int order);

    bool recording_ = false;
    Mutant const* mutant_ = nullptr;
    std::unordered_map<u32, std::string> places_;
    std::unordered_map<u64, bool> decided_;  // (pc, kind, order) -> is the mutant's
    std::map<std::string, std::vector<std::pair<Kind, int>>> recorded_;
    std::unordered_map<u64, bool> seen_;
    std::unordered_map<u32, std::vector<Frame>> frames_;
    int to_symbolizer_ = -1;
    int from_symbolizer_ = -1;
    std::string unread_;
};

}  // namespace tutti::interleave
