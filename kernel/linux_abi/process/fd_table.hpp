// SPDX-License-Identifier: BSD-3-Clause
// File descriptors: small numbers to open files.
//
// Lookups take no lock and write nothing shared but the file's reference count. Slots lie in chunks that double in
// size and stay until the table dies, so a slot's address never changes:
//
//   chunk 0: fds 0..63   chunk 1: 64..191   chunk 2: 192..447   ...   chunk k: 64 << k slots
//
// The race between a lookup and a close is settled by one hazard word per CPU:
//
//   lookup (preemption off)                    close
//     f = slot                                   f = slot.exchange(null)     (A)
//     hazard = f        (seq_cst)                for each CPU:
//     if slot != f: clear hazard, start again      while hazard(cpu) == f: spin   (B)
//     take a reference to f                      drop the table's reference to f
//     hazard = null     (release)
//
// The hazard store and the second load of the slot are sequentially consistent, as are (A) and the loads of (B): either
// the lookup sees the slot empty, or the close sees the hazard and waits the few instructions until the reference is
// taken. A file that was closed and opened again under the same number is the same to both.
#pragma once

#include <atomic>
#include <utility>

#include "base/ref.hpp"
#include "base/result.hpp"
#include "linux_abi/process/resource_limits.hpp"
#include "smp/spin/spin.hpp"
#include "vfs/file.hpp"

namespace tutti::linux_abi {

enum class FdFlag : u8 { None, CloseOnExec };

class FdTable {
  public:
    explicit FdTable(ResourceLimits const& limits) : limits_{limits} {}
    FdTable(FdTable const&) = delete;
    FdTable& operator=(FdTable const&) = delete;
    ~FdTable();

    // The open file `fd`. Error::BadFileDescriptor. Lock-free; any number of CPUs at once.
    [[nodiscard]] Result<Ref<vfs::File>> get(i32 fd);

    // Gives `file` the lowest free number at or above `from`. Errors: TooManyFiles (RLIMIT_NOFILE), InvalidArgument
    // (`from` beyond the limit), NoMemory.
    Result<i32> add(Ref<vfs::File> file, FdFlag flag, i32 from = 0);
    // Takes the lowest free number for a file that is still to be opened: install() or cancel() follows. To all others
    // the number is in use and not open. Errors: TooManyFiles, NoMemory.
    Result<i32> reserve(FdFlag flag);
    void install(i32 reserved, Ref<vfs::File> file);
    void cancel(i32 reserved);
    // Gives `file` the number `fd`, closing what had it (dup2). Error::BadFileDescriptor beyond the limit, Busy when
    // the number is reserved.
    Result<> replace(i32 fd, Ref<vfs::File> file, FdFlag flag);
    // Error::BadFileDescriptor. May block in the file's own close.
    Result<> close(i32 fd);
    void close_all();

    [[nodiscard]] Result<FdFlag> flag(i32 fd);
    Result<> set_flag(i32 fd, FdFlag flag);

    // The first open number at or above `from`, or -1.
    [[nodiscard]] i32 next_from(i32 from);

  private:
    static constexpr u32 kFirstChunk = 64;
    static constexpr u32 kChunks = 15;  // up to 2 Mi numbers: more than nr_open
    struct Chunk;
    struct Position {
        u32 chunk;
        u32 index;
    };
    [[nodiscard]] static Position position(u32 fd);
    [[nodiscard]] std::atomic<vfs::File*>* slot(i32 fd) const;
    Result<> ensure_chunk(u32 chunk) REQUIRES(lock_);
    // The lowest unused number at or above `from` and below `limit`, whose chunk exists then.
    Result<u32> find_unused(u32 from, u32 limit) REQUIRES(lock_);
    [[nodiscard]] u32 limit() const;
    Result<u32> take_unused(u32 from, FdFlag flag) REQUIRES(lock_);
    [[nodiscard]] bool is_used(u32 fd) const REQUIRES(lock_);
    void mark_used(u32 fd, FdFlag flag) REQUIRES(lock_);
    void mark_unused(u32 fd) REQUIRES(lock_);
    // After `file` left its slot: waits until no lookup can still take a reference, then drops the table's.
    static void release(vfs::File* file);

    ResourceLimits const& limits_;
    smp::SpinLock lock_{smp::LockRank::FdTable, "file descriptors"};
    std::atomic<Chunk*> chunks_[kChunks] = {};  // set once each under lock_ (release); read bare (acquire)
    u32 lowest_unused_ GUARDED_BY(lock_) = 0;   // no unused number lies below
};

// A reserved number, given back unless it gets its file.
class FdReservation {
  public:
    [[nodiscard]] static Result<FdReservation> create(FdTable& table, FdFlag flag) {
        return FdReservation{table, TRY(table.reserve(flag))};
    }
    FdReservation(FdReservation&& other) noexcept : table_{other.table_}, fd_{std::exchange(other.fd_, -1)} {}
    FdReservation& operator=(FdReservation&&) = delete;
    ~FdReservation() {
        if (fd_ >= 0) table_.cancel(fd_);
    }

    // The number, now `file`'s.
    [[nodiscard]] i32 install(Ref<vfs::File> file) && {
        table_.install(fd_, std::move(file));
        return std::exchange(fd_, -1);
    }

  private:
    FdReservation(FdTable& table, i32 fd) : table_{table}, fd_{fd} {}

    FdTable& table_;
    i32 fd_;
};

}  // namespace tutti::linux_abi
