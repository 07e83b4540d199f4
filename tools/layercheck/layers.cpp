// SPDX-License-Identifier: BSD-3-Clause
#include "layers.hpp"

#include <sstream>
#include <stdexcept>

namespace tutti::layercheck {

Layers Layers::parse(std::string_view text) {
    Layers layers;
    std::istringstream lines{std::string(text)};
    int rank = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        bool any = false;
        for (std::string folder; words >> folder; any = true) {
            if (!layers.rank_.emplace(folder, rank).second) throw std::runtime_error("LAYERS names " + folder + " twice");
        }
        if (any) ++rank;
    }
    if (layers.rank_.empty()) throw std::runtime_error("LAYERS names no folder");
    return layers;
}

bool Layers::may_include(std::string const& from, std::string const& to) const {
    return from == to || rank_.at(to) < rank_.at(from);
}

bool Layers::are_siblings(std::string const& a, std::string const& b) const {
    return a != b && rank_.at(a) == rank_.at(b);
}

std::vector<std::string> Layers::folders() const {
    std::vector<std::string> names;
    for (auto const& [name, rank] : rank_) names.push_back(name);
    return names;
}

}  // namespace tutti::layercheck
