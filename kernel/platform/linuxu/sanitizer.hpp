// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// How many errors the sanitizer that this image is built with has reported so far. A run with any has failed.
[[nodiscard]] u32 sanitizer_reports();

}  // namespace tutti::platform
