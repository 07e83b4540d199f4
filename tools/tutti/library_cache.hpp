// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// /etc/ld.so.cache as the dynamic loader reads it (glibc's "glibc-ld.so.cache1.1" format, ldconfig(8)).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "architecture.hpp"

namespace tutti::cli {

class LibraryCache {
  public:
    // An absent, older or damaged cache is an empty one: the loader then searches its default directories.
    static LibraryCache parse(std::string_view bytes, Architecture architecture);
    static LibraryCache read(std::string const& host_path, Architecture architecture);

    // The guest path for a library name, or empty. Plain entries of the architecture only: hardware-capability
    // variants are never needed, because the plain library is always there too.
    [[nodiscard]] std::string find(std::string const& name) const;

  private:
    std::map<std::string, std::string> paths_;
};

}  // namespace tutti::cli
