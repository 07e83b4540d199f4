// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/fd_table.hpp"

#include <bit>
#include <new>

#include "arch/cpu.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::linux_abi {

namespace {

// The file that a lookup on this CPU is about to take a reference to.
PERCPU_SECTION constinit smp::PerCpu<std::atomic<vfs::File*>> lookup_hazard;

}  // namespace

// `slots`, then the two bitmaps: used numbers and close-on-exec, guarded by the table's lock.
struct FdTable::Chunk {
    explicit Chunk(u32 slot_count) : size{slot_count} {}
    u32 const size;
    std::atomic<vfs::File*>* slots = nullptr;
    u64* used = nullptr;
    u64* close_on_exec = nullptr;
};

FdTable::Position FdTable::position(u32 fd) {
    // fd + 64 has its highest bit at 6 + chunk.
    u32 const shifted = fd + kFirstChunk;
    u32 const chunk = static_cast<u32>(std::bit_width(shifted)) - 7;
    return {.chunk = chunk, .index = shifted - (kFirstChunk << chunk)};
}

std::atomic<vfs::File*>* FdTable::slot(i32 fd) const {
    if (fd < 0) return nullptr;
    Position const at = position(static_cast<u32>(fd));
    if (at.chunk >= kChunks) return nullptr;
    Chunk* const chunk = chunks_[at.chunk].load(std::memory_order_acquire);  // pairs with ensure_chunk
    return chunk == nullptr ? nullptr : &chunk->slots[at.index];
}

Result<> FdTable::ensure_chunk(u32 index) {
    if (chunks_[index].load(std::memory_order_relaxed) != nullptr) return {};
    u32 const size = kFirstChunk << index;
    auto* const chunk = new (std::nothrow) Chunk{size};
    if (chunk == nullptr) return fail(Error::NoMemory);
    chunk->slots = new (std::nothrow) std::atomic<vfs::File*>[size]();
    chunk->used = new (std::nothrow) u64[size / 32]();  // both bitmaps in one piece
    if (chunk->slots == nullptr || chunk->used == nullptr) {
        delete[] chunk->slots;
        delete[] chunk->used;
        delete chunk;
        return fail(Error::NoMemory);
    }
    chunk->close_on_exec = chunk->used + size / 64;
    chunks_[index].store(chunk, std::memory_order_release);  // pairs with slot()
    return {};
}

FdTable::~FdTable() {
    close_all();
    for (auto& entry : chunks_) {
        Chunk* const chunk = entry.load(std::memory_order_relaxed);  // nobody else is left
        if (chunk == nullptr) continue;
        delete[] chunk->slots;
        delete[] chunk->used;
        delete chunk;
    }
}

Result<Ref<vfs::File>> FdTable::get(i32 fd) {
    std::atomic<vfs::File*>* const at = slot(fd);
    if (at == nullptr) return fail(Error::BadFileDescriptor);
    smp::PreemptGuard guard;
    std::atomic<vfs::File*>& hazard = lookup_hazard.local(guard);
    while (true) {
        vfs::File* const file = at->load(std::memory_order_relaxed);  // a guess, checked below
        if (file == nullptr) return fail(Error::BadFileDescriptor);
        hazard.exchange(file, std::memory_order_seq_cst);  // with release(): see the head of fd_table.hpp
        if (at->load(std::memory_order_seq_cst) == file) {
            Ref<vfs::File> reference{*file};
            hazard.store(nullptr, std::memory_order_release);  // the reference is visible before the hazard is gone
            return reference;
        }
        hazard.store(nullptr, std::memory_order_release);
    }
}

void FdTable::release(vfs::File* file) {
    smp::for_each_cpu([&](CpuId cpu) {
        // seq_cst: ordered after the exchange that emptied the slot; acquire: the reference taken is visible.
        while (lookup_hazard.on(cpu).load(std::memory_order_seq_cst) == file) arch::pause();
    });
    file->put();
}

Result<u32> FdTable::find_unused(u32 from, u32 limit) {
    u32 fd = std::max(from, lowest_unused_);
    while (fd < limit) {
        Position const at = position(fd);
        if (at.chunk >= kChunks) break;
        Chunk const* const chunk = chunks_[at.chunk].load(std::memory_order_relaxed);
        if (chunk == nullptr) return fd;
        u64 const unused = ~chunk->used[at.index / 64] >> (at.index % 64);
        if (unused != 0) {
            fd += static_cast<u32>(std::countr_zero(unused));
            if (fd >= limit) break;
            return fd;
        }
        fd += 64 - at.index % 64;
    }
    return fail(Error::TooManyFiles);
}

void FdTable::mark_used(u32 fd, FdFlag flag) {
    Position const at = position(fd);
    Chunk* const chunk = chunks_[at.chunk].load(std::memory_order_relaxed);
    u64 const bit = u64{1} << (at.index % 64);
    chunk->used[at.index / 64] |= bit;
    if (flag == FdFlag::CloseOnExec)
        chunk->close_on_exec[at.index / 64] |= bit;
    else
        chunk->close_on_exec[at.index / 64] &= ~bit;
    if (fd == lowest_unused_) ++lowest_unused_;
}

void FdTable::mark_unused(u32 fd) {
    Position const at = position(fd);
    Chunk* const chunk = chunks_[at.chunk].load(std::memory_order_relaxed);
    u64 const bit = u64{1} << (at.index % 64);
    chunk->used[at.index / 64] &= ~bit;
    chunk->close_on_exec[at.index / 64] &= ~bit;
    lowest_unused_ = std::min(lowest_unused_, fd);
}

bool FdTable::is_used(u32 fd) const {
    Position const at = position(fd);
    return (chunks_[at.chunk].load(std::memory_order_relaxed)->used[at.index / 64] >> (at.index % 64) & 1) != 0;
}

u32 FdTable::limit() const { return static_cast<u32>(std::min<u64>(limits_.open_files(), 1U << 30)); }

Result<u32> FdTable::take_unused(u32 from, FdFlag flag) {
    u32 const fd = TRY(find_unused(from, limit()));
    TRY(ensure_chunk(position(fd).chunk));
    mark_used(fd, flag);
    return fd;
}

Result<i32> FdTable::add(Ref<vfs::File> file, FdFlag flag, i32 from) {
    if (from < 0 || static_cast<u32>(from) >= limit())
        return fail(from == 0 ? Error::TooManyFiles : Error::InvalidArgument);
    smp::SpinGuard guard{lock_};
    auto const fd = static_cast<i32>(TRY(take_unused(static_cast<u32>(from), flag)));
    // release: a lookup that finds the file sees it complete.
    slot(fd)->store(file.leak(), std::memory_order_release);
    return fd;
}

Result<i32> FdTable::reserve(FdFlag flag) {
    smp::SpinGuard guard{lock_};
    return static_cast<i32>(TRY(take_unused(0, flag)));
}

void FdTable::install(i32 reserved, Ref<vfs::File> file) {
    slot(reserved)->store(file.leak(), std::memory_order_release);  // as in add()
}

void FdTable::cancel(i32 reserved) {
    smp::SpinGuard guard{lock_};
    mark_unused(static_cast<u32>(reserved));
}

Result<> FdTable::replace(i32 fd, Ref<vfs::File> file, FdFlag flag) {
    if (fd < 0 || static_cast<u64>(fd) >= limits_.open_files()) return fail(Error::BadFileDescriptor);
    vfs::File* previous = nullptr;
    {
        smp::SpinGuard guard{lock_};
        u32 const chunk = position(static_cast<u32>(fd)).chunk;
        if (chunk >= kChunks) return fail(Error::BadFileDescriptor);
        TRY(ensure_chunk(chunk));
        // Relaxed: a reservation that is completed meanwhile came first or after this call, either is right.
        if (is_used(static_cast<u32>(fd)) && slot(fd)->load(std::memory_order_relaxed) == nullptr)
            return fail(Error::Busy);
        mark_used(static_cast<u32>(fd), flag);
        previous = slot(fd)->exchange(file.leak(), std::memory_order_seq_cst);  // (A) in the head comment
    }
    if (previous != nullptr) {
        previous->on_descriptor_closed();
        release(previous);
    }
    return {};
}

Result<> FdTable::close(i32 fd) {
    std::atomic<vfs::File*>* const at = slot(fd);
    if (at == nullptr) return fail(Error::BadFileDescriptor);
    vfs::File* file = nullptr;
    {
        smp::SpinGuard guard{lock_};
        file = at->exchange(nullptr, std::memory_order_seq_cst);  // (A) in the head comment
        if (file == nullptr) return fail(Error::BadFileDescriptor);
        mark_unused(static_cast<u32>(fd));
    }
    file->on_descriptor_closed();
    release(file);
    return {};
}

void FdTable::close_all() {
    for (i32 fd = next_from(0); fd >= 0; fd = next_from(fd + 1)) (void)close(fd);
}

Result<FdFlag> FdTable::flag(i32 fd) {
    smp::SpinGuard guard{lock_};
    std::atomic<vfs::File*>* const at = slot(fd);
    if (at == nullptr || at->load(std::memory_order_relaxed) == nullptr) return fail(Error::BadFileDescriptor);
    Position const where = position(static_cast<u32>(fd));
    u64 const word = chunks_[where.chunk].load(std::memory_order_relaxed)->close_on_exec[where.index / 64];
    return (word >> (where.index % 64) & 1) != 0 ? FdFlag::CloseOnExec : FdFlag::None;
}

Result<> FdTable::set_flag(i32 fd, FdFlag flag) {
    smp::SpinGuard guard{lock_};
    std::atomic<vfs::File*>* const at = slot(fd);
    if (at == nullptr || at->load(std::memory_order_relaxed) == nullptr) return fail(Error::BadFileDescriptor);
    mark_used(static_cast<u32>(fd), flag);
    return {};
}

i32 FdTable::next_from(i32 from) {
    smp::SpinGuard guard{lock_};
    for (u32 fd = from < 0 ? 0 : static_cast<u32>(from);;) {
        Position const at = position(fd);
        if (at.chunk >= kChunks) return -1;
        Chunk const* const chunk = chunks_[at.chunk].load(std::memory_order_relaxed);
        if (chunk == nullptr) {  // no number of this chunk was ever used (dup2 can leave such gaps)
            fd = (kFirstChunk << (at.chunk + 1)) - kFirstChunk;
            continue;
        }
        u64 const used = chunk->used[at.index / 64] >> (at.index % 64);
        if (used == 0) {
            fd += 64 - at.index % 64;
            continue;
        }
        fd += static_cast<u32>(std::countr_zero(used));
        // Relaxed: a number that is only reserved is not open.
        if (slot(static_cast<i32>(fd))->load(std::memory_order_relaxed) != nullptr) return static_cast<i32>(fd);
        ++fd;
    }
}

}  // namespace tutti::linux_abi
