// SPDX-License-Identifier: BSD-3-Clause
// signalfd(2): pending signals, read like a file by whichever thread asks.
#pragma once

#include "linux_abi/abi/signal.hpp"
#include "vfs/file.hpp"

namespace tutti::linux_abi {

class Process;

// `flags`: NonBlock or nothing. The process outlives the file. Error::NoMemory.
[[nodiscard]] Result<Ref<vfs::File>> make_signal_file(Process& process, SignalSet set, vfs::OpenFlags flags);
// Error::InvalidArgument when `file` is of another kind.
[[nodiscard]] Result<> change_signal_file(vfs::File& file, SignalSet set);

}  // namespace tutti::linux_abi
