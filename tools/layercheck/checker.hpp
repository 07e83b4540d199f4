// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The rules of the source tree that a compiler does not see:
//
//   - a kernel folder includes itself and strictly lower layers; siblings of a layer never include each other
//     (unit tests, which use a layer as others do, may include any layer and the test harness);
//   - includes name their folder ("mem/frame/frame.hpp"), never a way up ("../frame.hpp");
//   - architecture and platform macros are tested only in arch/, platform/ and base/compiler.hpp;
//   - a sequentially consistent store is written as an exchange (docs/memory-model.md, "Store, then look");
//   - every kernel folder of LAYERS has a README.md, and so has each architecture and each platform;
//   - every source file starts with the SPDX line, and every header has `#pragma once`.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "layers.hpp"

namespace tutti::layercheck {

struct Violation {
    std::string file;      // relative to the tree
    std::size_t line = 0;  // 0: the file or folder as a whole
    std::string message;
};

class Checker {
  public:
    // `tree`: the top of the sources, with LAYERS and kernel/. Throws std::runtime_error.
    explicit Checker(std::filesystem::path tree);

    // All violations, sorted by file and line.
    std::vector<Violation> check();
    [[nodiscard]] std::size_t files() const { return files_; }

  private:
    void check_source(std::filesystem::path const& path);
    void check_include(std::string const& file, std::string const& folder, std::size_t line, std::string const& included);
    void check_readmes();
    void report(std::string file, std::size_t line, std::string message);

    std::filesystem::path tree_;
    Layers layers_;
    std::size_t files_ = 0;
    std::vector<Violation> violations_;
};

}  // namespace tutti::layercheck
