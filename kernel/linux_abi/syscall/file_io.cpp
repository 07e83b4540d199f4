// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/file_io.hpp"

#include <algorithm>

#include "linux_abi/signal/send.hpp"
#include "linux_abi/syscall/file_support.hpp"
#include "linux_abi/user_vectors.hpp"
#include "mem/frame/frame_allocator.hpp"

namespace tutti::linux_abi {

namespace {

// A write to a pipe or socket without readers also raises SIGPIPE.
SyscallResult written(Task& task, Result<u64> const& result) {
    if (!result && result.error() == Error::BrokenPipe) send_broken_pipe(task);
    return result;
}

Result<vm::IoBuffer> user_buffer(u64 address, u64 size) {
    if (static_cast<i64>(size) < 0) return fail(Error::InvalidArgument);
    size = std::min(size, kMaxRwCount);
    if (!vm::is_user_range(VirtAddr{address}, size)) return fail(Error::BadAddress);
    return vm::IoBuffer::user(VirtAddr{address}, size);
}

// Moves up to `count` bytes between two files through one page of kernel memory. A null offset means the file's
// position; given offsets are advanced.
Result<u64> move_between(vfs::File& in, u64* in_offset, vfs::File& out, u64* out_offset, u64 count) {
    mem::FrameRef const page = TRY(mem::allocate_frame());
    u64 done = 0;
    while (done < count) {
        u64 const wanted = std::min(kPageSize, count - done);
        vm::IoBuffer to = vm::IoBuffer::kernel(std::span<u8>{page.data<u8>(), wanted});
        Result<u64> const got = in_offset != nullptr ? in.read_at(*in_offset, to) : in.read(to);
        if (!got) return done != 0 ? Result<u64>{done} : got;
        if (*got == 0) break;
        vm::IoBuffer from = vm::IoBuffer::kernel(std::span<u8 const>{page.data<u8>(), *got});
        Result<u64> const put = out_offset != nullptr ? out.write_at(*out_offset, from) : out.write(from);
        u64 const moved = put.value_or(0);
        if (in_offset != nullptr)
            *in_offset += moved;
        else if (moved < *got)
            (void)in.seek(-static_cast<i64>(*got - moved), vfs::SeekOrigin::Current);  // what was not taken stays
        if (out_offset != nullptr) *out_offset += moved;
        done += moved;
        if (!put) return done != 0 ? Result<u64>{done} : put;
        if (moved < wanted) break;
    }
    return done;
}

}  // namespace

SyscallResult sys_read(Task& task, i32 fd, u64 buffer, u64 size) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    vm::IoBuffer to = TRY(user_buffer(buffer, size));
    return file->read(to);
}

SyscallResult sys_write(Task& task, i32 fd, u64 buffer, u64 size) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    vm::IoBuffer from = TRY(user_buffer(buffer, size));
    return written(task, file->write(from));
}

SyscallResult sys_pread64(Task& task, i32 fd, u64 buffer, u64 size, i64 offset) {
    if (offset < 0) return kEINVAL;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    vm::IoBuffer to = TRY(user_buffer(buffer, size));
    return file->read_at(static_cast<u64>(offset), to);
}

SyscallResult sys_pwrite64(Task& task, i32 fd, u64 buffer, u64 size, i64 offset) {
    if (offset < 0) return kEINVAL;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    vm::IoBuffer from = TRY(user_buffer(buffer, size));
    return written(task, file->write_at(static_cast<u64>(offset), from));
}

SyscallResult sys_readv(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    UserVectors list;
    TRY(list.read(vectors, count, Error::InvalidArgument));
    vm::IoBuffer to = list.buffer();
    return file->read(to);
}

SyscallResult sys_writev(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    UserVectors list;
    TRY(list.read(vectors, count, Error::InvalidArgument));
    vm::IoBuffer from = list.buffer();
    return written(task, file->write(from));
}

SyscallResult sys_preadv(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64) {
    if (static_cast<i64>(offset_low) < 0) return kEINVAL;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    UserVectors list;
    TRY(list.read(vectors, count, Error::InvalidArgument));
    vm::IoBuffer to = list.buffer();
    return file->read_at(offset_low, to);
}

SyscallResult sys_pwritev(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64) {
    if (static_cast<i64>(offset_low) < 0) return kEINVAL;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    UserVectors list;
    TRY(list.read(vectors, count, Error::InvalidArgument));
    vm::IoBuffer from = list.buffer();
    return written(task, file->write_at(offset_low, from));
}

SyscallResult sys_preadv2(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64 offset_high) {
    if (static_cast<i64>(offset_low) == -1) return sys_readv(task, fd, vectors, count);
    return sys_preadv(task, fd, vectors, count, offset_low, offset_high);
}

SyscallResult sys_pwritev2(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64 offset_high) {
    if (static_cast<i64>(offset_low) == -1) return sys_writev(task, fd, vectors, count);
    return sys_pwritev(task, fd, vectors, count, offset_low, offset_high);
}

SyscallResult sys_lseek(Task& task, i32 fd, i64 offset, i32 whence) {
    constexpr vfs::SeekOrigin kOrigins[] = {vfs::SeekOrigin::Start, vfs::SeekOrigin::Current, vfs::SeekOrigin::End,
                                            vfs::SeekOrigin::Data, vfs::SeekOrigin::Hole};
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (whence < 0 || whence >= static_cast<i32>(std::size(kOrigins))) return kEINVAL;
    return file->seek(offset, kOrigins[whence]);
}

SyscallResult sys_sendfile(Task& task, i32 out, i32 in, UserPtr<i64> offset, u64 count) {
    Ref<vfs::File> const source = TRY(file_of(task, in));
    Ref<vfs::File> const target = TRY(file_of(task, out));
    count = std::min(count, kMaxRwCount);
    u64 position = 0;
    if (!offset.is_null()) {
        i64 const given = TRY(read_user(offset));
        if (given < 0) return kEINVAL;
        position = static_cast<u64>(given);
    }
    Result<u64> const moved =
        move_between(*source, offset.is_null() ? nullptr : &position, *target, nullptr, count);
    if (!moved) return written(task, moved);
    TRY(write_user_if_wanted(offset, static_cast<i64>(position)));
    return moved;
}

SyscallResult sys_copy_file_range(Task& task, i32 in, UserPtr<i64> in_offset, i32 out, UserPtr<i64> out_offset,
                                  u64 count) {
    Ref<vfs::File> const source = TRY(file_of(task, in));
    Ref<vfs::File> const target = TRY(file_of(task, out));
    if (target->flags().has(vfs::OpenFlags::Append)) return kEBADF;
    for (auto const& file : {source, target}) {
        if (file->attributes().type == vfs::FileType::Directory) return kEISDIR;
        if (file->attributes().type != vfs::FileType::Regular) return kEINVAL;
    }
    u64 from = 0, to = 0;
    if (!in_offset.is_null()) from = static_cast<u64>(TRY(read_user(in_offset)));
    if (!out_offset.is_null()) to = static_cast<u64>(TRY(read_user(out_offset)));
    if (static_cast<i64>(from) < 0 || static_cast<i64>(to) < 0) return kEINVAL;
    u64 const moved = TRY(move_between(*source, in_offset.is_null() ? nullptr : &from, *target,
                                       out_offset.is_null() ? nullptr : &to, std::min(count, kMaxRwCount)));
    TRY(write_user_if_wanted(in_offset, static_cast<i64>(from)));
    TRY(write_user_if_wanted(out_offset, static_cast<i64>(to)));
    return moved;
}

SyscallResult sys_fsync(Task& task, i32 fd) { return TRY(file_of(task, fd))->synchronize(); }
SyscallResult sys_sync(Task&) { return 0; }  // everything is in memory

SyscallResult sys_syncfs(Task& task, i32 fd) {
    TRY(file_of(task, fd));
    return 0;
}

SyscallResult sys_sync_file_range(Task& task, i32 fd, i64 offset, i64 length, u32 flags) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (offset < 0 || length < 0 || flags > 7) return kEINVAL;
    return file->synchronize();
}

SyscallResult sys_fadvise64(Task& task, i32 fd, i64, i64 length, i32 advice) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (file->attributes().type == vfs::FileType::Fifo) return kESPIPE;
    return length < 0 || advice < 0 || advice > 5 ? SyscallResult{kEINVAL} : SyscallResult{0};
}

SyscallResult sys_readahead(Task& task, i32 fd, i64, u64) {
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (!file->flags().has(vfs::OpenFlags::Read)) return kEBADF;
    return file->attributes().type == vfs::FileType::Regular ? SyscallResult{0} : SyscallResult{kEINVAL};
}

SyscallResult sys_fallocate(Task& task, i32 fd, i32 mode, i64 offset, i64 length) {
    constexpr i32 kKeepSize = 1, kPunchHole = 2, kZeroRange = 16;
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    if (offset < 0 || length <= 0) return kEINVAL;
    if (!file->flags().has(vfs::OpenFlags::Write)) return kEBADF;
    auto const from = static_cast<u64>(offset);
    auto const size = static_cast<u64>(length);
    switch (mode) {
        case 0:
        case kKeepSize: return file->allocate(from, size, mode == kKeepSize);
        case kPunchHole | kKeepSize: return file->punch_hole(from, size);
        case kZeroRange:
        case kZeroRange | kKeepSize:
            TRY(file->punch_hole(from, size));
            return file->allocate(from, size, (mode & kKeepSize) != 0);
        default: return kEOPNOTSUPP;
    }
}

SyscallResult sys_truncate(Task& task, UserPtr<char> path, i64 size) {
    if (size < 0) return kEINVAL;
    return TRY(resolve_at(task, kAtFdCwd, path, 0))->truncate(static_cast<u64>(size));
}

SyscallResult sys_ftruncate(Task& task, i32 fd, i64 size) {
    if (size < 0) return kEINVAL;
    return TRY(file_of(task, fd))->truncate(static_cast<u64>(size));
}

}  // namespace tutti::linux_abi
