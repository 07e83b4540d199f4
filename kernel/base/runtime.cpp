// SPDX-License-Identifier: BSD-3-Clause
// What the language and the header-only libstdc++ refer to, in every image.
#include <bits/functexcept.h>

#include <new>

#include "base/assert.hpp"

namespace std {
nothrow_t const nothrow{};

// libstdc++ reports a broken precondition (std::string_view::substr past the end, say) through these.
ISR_SAFE void __throw_out_of_range_fmt(char const* format, ...) { panic("out of range: {}", format); }
ISR_SAFE void __throw_out_of_range(char const* what) { panic("out of range: {}", what); }
ISR_SAFE void __throw_length_error(char const* what) { panic("length error: {}", what); }
ISR_SAFE void __throw_logic_error(char const* what) { panic("logic error: {}", what); }
ISR_SAFE void __throw_invalid_argument(char const* what) { panic("invalid argument: {}", what); }
}  // namespace std

extern "C" [[noreturn]] ISR_SAFE void __cxa_pure_virtual() { panic("pure virtual function called"); }
