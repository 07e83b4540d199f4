// SPDX-License-Identifier: BSD-3-Clause
// epoll(7): an instance is an open file that watches other open files.
#pragma once

#include "vfs/file.hpp"

namespace tutti::vfs {

// Flags beside the events in an epoll_event; the values are the ABI's on every architecture.
inline constexpr u32 kEpollExclusive = 1u << 28;
inline constexpr u32 kEpollWakeUp = 1u << 29;
inline constexpr u32 kEpollOneShot = 1u << 30;
inline constexpr u32 kEpollEdge = 1u << 31;

struct EpollEvent {
    u32 events = 0;
    u64 data = 0;
};

class EpollFile : public File {
  public:
    // Error::NoMemory.
    [[nodiscard]] static Result<Ref<EpollFile>> create();

    // A watch is named by the open file and the descriptor number together. Thread context.
    // Exists, NotPermitted (the file has no readiness), InvalidArgument (itself), TooManySymlinks (a loop or more than
    // five instances nested), NoMemory.
    [[nodiscard]] virtual Result<> add(File& file, i32 descriptor, EpollEvent event) = 0;
    [[nodiscard]] virtual Result<> modify(File& file, i32 descriptor, EpollEvent event) = 0;  // NotFound
    [[nodiscard]] virtual Result<> remove(File& file, i32 descriptor) = 0;                    // NotFound

    // Events that are ready, at most events.size(), at least one unless the deadline passes (0 then) or a signal comes
    // (Interrupted).
    [[nodiscard]] virtual Result<size_t> wait(std::span<EpollEvent> events, Deadline deadline) = 0;

  protected:
    using File::File;
};

// The instance behind a file, or null.
[[nodiscard]] EpollFile* epoll_of(File& file);

}  // namespace tutti::vfs
