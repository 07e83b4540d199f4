// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The initial file system image: the manifest first, then the files, in memory that vanishes with the command.

#include <cstdint>
#include <string>

#include "file_set.hpp"
#include "manifest.hpp"
#include "unique_fd.hpp"

namespace tutti::cli {

class Initrd {
  public:
    // Throws CliError.
    Initrd(Manifest const& manifest, FileSet const& files);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] std::uint64_t size() const { return size_; }

  private:
    UniqueFd fd_;
    std::uint64_t size_ = 0;
};

}  // namespace tutti::cli
