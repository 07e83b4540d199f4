// SPDX-License-Identifier: BSD-3-Clause
// From a node to the object that it lies in.
#pragma once

#include "base/types.hpp"

namespace tutti::smp {

template <class T, class Node>
[[nodiscard]] inline T* object_of(Node* node, Node T::*member) {
    // The member's offset, computed on a suitably aligned address that is never dereferenced.
    auto const offset = reinterpret_cast<uptr>(&(reinterpret_cast<T*>(alignof(T))->*member)) - alignof(T);
    return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
}

}  // namespace tutti::smp
