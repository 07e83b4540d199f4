// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The order of the kernel's folders, as the file LAYERS states it.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tutti::layercheck {

class Layers {
  public:
    // One layer a line, lowest first; the folders of one layer separated by spaces; `#` starts a comment.
    // Throws std::runtime_error for a folder named twice, or when there is none.
    static Layers parse(std::string_view text);

    [[nodiscard]] bool knows(std::string const& folder) const { return rank_.contains(folder); }
    // True when files of `from` may include headers of `to`: itself and strictly lower layers.
    [[nodiscard]] bool may_include(std::string const& from, std::string const& to) const;
    [[nodiscard]] bool are_siblings(std::string const& a, std::string const& b) const;
    [[nodiscard]] std::vector<std::string> folders() const;

  private:
    std::map<std::string, int> rank_;
};

}  // namespace tutti::layercheck
