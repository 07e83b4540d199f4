// SPDX-License-Identifier: BSD-3-Clause
// What open files without an inode have in common: eventfd, timerfd, epoll.
#pragma once

#include "vfs/file.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::vfs {

class AnonymousFile : public File {
  public:
    Attributes attributes() override {
        Attributes attributes;
        attributes.permissions = 0600;
        attributes.type = FileType::Unknown;  // as Linux: no format bits
        return attributes;
    }
    Result<> synchronize() override { return fail(Error::InvalidArgument); }

  protected:
    AnonymousFile(OpenFlags flags, String name) : File{flags, {}, std::move(name)} {}
};

}  // namespace tutti::vfs
