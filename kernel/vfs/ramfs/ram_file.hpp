// SPDX-License-Identifier: BSD-3-Clause
// A regular file in memory, and memfd's nameless one.
#pragma once

#include "vfs/file.hpp"
#include "vfs/ramfs/ram_node.hpp"
#include "vfs/ramfs/ram_pages.hpp"

namespace tutti::vfs {

class RamFile final : public RamNode {
  public:
    RamFile(RamFilesystem& filesystem, u32 permissions, Ref<RamPages> pages)
        : RamNode{filesystem, FileType::Regular, permissions, 0}, pages_{std::move(pages)} {}

    [[nodiscard]] RamPages& pages() const { return *pages_; }
    Result<Ref<File>> open(OpenFlags flags, String path) override;
    Result<> truncate(u64 size) override;

  protected:
    void add_size(Attributes& attributes) override;

  private:
    Ref<RamPages> const pages_;
};

// An open file on a new regular file without a name (memfd_create). Error::NoMemory.
Result<Ref<File>> make_memory_file(OpenFlags flags, String path);

}  // namespace tutti::vfs
