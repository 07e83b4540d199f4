// SPDX-License-Identifier: BSD-3-Clause
// For tests that look into a program's memory while programs run.
#pragma once

#include <type_traits>

#include "vm/address_space.hpp"

namespace tutti::vm {

// A type of its own: tools/isrcheck takes functions of one void* for interrupt handlers.
using Visit = void (*)(AddressSpace&, void* argument);
void call_in_space(AddressSpace& space, Visit visit, void* argument);

// Runs function() on this CPU with `space` in place of whatever it has. A program that is switched to meanwhile brings its
// own space; ours comes back with this thread. One visitor on a CPU at a time, a thread without hooks.
template <class Function>
void in_space(Ref<AddressSpace> const& space, Function&& function) {
    call_in_space(*space, [](AddressSpace&, void* same) { (*static_cast<std::remove_reference_t<Function>*>(same))(); }, &function);
}

}  // namespace tutti::vm
