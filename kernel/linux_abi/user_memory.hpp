// SPDX-License-Identifier: BSD-3-Clause
// Typed access to the calling program's memory. Every function may fault pages in and block; a wild pointer is
// Error::BadAddress. Thread context, no spin lock held.
#pragma once

#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"
#include "base/string.hpp"
#include "base/vector.hpp"
#include "vm/user_copy.hpp"

namespace tutti::linux_abi {

using vm::UserPtr;

template <class T>
[[nodiscard]] Result<std::remove_const_t<T>> read_user(UserPtr<T> from) {
    std::remove_const_t<T> value;
    TRY(vm::copy_from_user(&value, from.address(), sizeof value));
    return value;
}

template <class T>
[[nodiscard]] Result<> write_user(UserPtr<T> to, std::type_identity_t<T> const& value) {
    return vm::copy_to_user(to.address(), &value, sizeof value);
}

// As write_user, for a result that the program may not want: a null pointer is success.
template <class T>
[[nodiscard]] Result<> write_user_if_wanted(UserPtr<T> to, std::type_identity_t<T> const& value) {
    return to.is_null() ? Result<>{} : write_user(to, value);
}

}  // namespace tutti::linux_abi
