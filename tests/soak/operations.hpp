// SPDX-License-Identifier: BSD-3-Clause
// What the storm's threads do, in random order. Each operation ends by itself on a correct system, however many other
// threads are at work: a wait that is not timed is for something that another thread is bound to do.
#pragma once

#include <span>

#include "shared.hpp"

namespace soak {

struct Operation {
    char const* name;
    unsigned weight;
    void (*run)(Shared& shared, Worker& worker);
};

std::span<Operation const> operations();
Operation const& pick(Worker& worker);

}  // namespace soak
