// SPDX-License-Identifier: BSD-3-Clause
// What the checker found, for people and for programs.
#pragma once

#include "check.hpp"

namespace isrcheck {

// The findings with their call chains, innermost last; then the boundaries and a summary in one line.
void print_report(std::string const& name, Image const& image, Result const& result, DebugInfo& debug_info);
// Functions without a mark that were reached, as FILE:LINE NAME, sorted.
void print_unmarked(Result const& result, DebugInfo& debug_info);
// Every call through a pointer that interrupts reach, and where it may go.
void print_indirect(Result const& result, DebugInfo& debug_info);
// {image, functions, reachable, edges, indirect: {...}, boundaries: [...], findings: [...], exemptions}.
void write_json(std::string const& path, std::string const& name, Image const& image, Result const& result,
                DebugInfo& debug_info);

}  // namespace isrcheck
