// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// How long a run took and how busy each CPU was: for people (--summary) and for programs (--summary-file).

#include <string>

#include "guest_session.hpp"

namespace tutti::cli {

// Several lines, each with its newline.
std::string readable_summary(SessionResult const& result);
// One JSON object: {"status","seconds","seconds_to_ready","guest_ready_ns","guest":{the guest's own}}.
std::string json_summary(SessionResult const& result);

}  // namespace tutti::cli
