// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/file_context.hpp"

namespace tutti::linux_abi {

Ref<vfs::Inode> FileContext::working_directory() const {
    smp::SpinGuard guard{lock_};
    return working_directory_;
}

void FileContext::set_working_directory(Ref<vfs::Inode> location) {
    smp::SpinGuard guard{lock_};
    std::swap(working_directory_, location);
    // The old one is dropped by the parameter's end, after the lock's: its last put() may block.
}

}  // namespace tutti::linux_abi
