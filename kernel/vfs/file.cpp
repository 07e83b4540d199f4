// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/file.hpp"

#include "vm/backing.hpp"

namespace tutti::vfs {

void File::change_flags(OpenFlags flags) {
    u32 current = flags_.load(std::memory_order_relaxed);
    u32 changed = 0;
    do {
        changed = (current & ~OpenFlags::kChangeable) | (flags.bits() & OpenFlags::kChangeable);
    } while (!flags_.compare_exchange_weak(current, changed, std::memory_order_relaxed));
}

Result<u64> File::read(vm::IoBuffer& to) {
    if (!flags().has(OpenFlags::Read)) return fail(Error::BadFileDescriptor);
    if (positioning() == Positioning::Stream) return do_read(0, to);
    sched::MutexGuard guard{position_mutex_};
    u64 const position = position_.load(std::memory_order_relaxed);
    u64 const count = TRY(do_read(position, to));
    position_.store(position + count, std::memory_order_relaxed);
    return count;
}

Result<u64> File::write(vm::IoBuffer& from) {
    if (!flags().has(OpenFlags::Write)) return fail(Error::BadFileDescriptor);
    u64 offset = 0;
    if (positioning() == Positioning::Stream) return do_write(offset, from);
    sched::MutexGuard guard{position_mutex_};
    offset = position_.load(std::memory_order_relaxed);
    u64 const count = TRY(do_write(offset, from));
    position_.store(offset + count, std::memory_order_relaxed);
    return count;
}

Result<u64> File::read_at(u64 offset, vm::IoBuffer& to) {
    if (!flags().has(OpenFlags::Read)) return fail(Error::BadFileDescriptor);
    if (positioning() == Positioning::Stream) return fail(Error::SeekOnPipe);
    return do_read(offset, to);
}

Result<u64> File::write_at(u64 offset, vm::IoBuffer& from) {
    if (!flags().has(OpenFlags::Write)) return fail(Error::BadFileDescriptor);
    if (positioning() == Positioning::Stream) return fail(Error::SeekOnPipe);
    return do_write(offset, from);  // with Append Linux, too, appends (pwrite(2), BUGS)
}

Result<u64> File::seek(i64 offset, SeekOrigin origin) {
    if (positioning() == Positioning::Stream) return fail(Error::SeekOnPipe);
    sched::MutexGuard guard{position_mutex_};
    i64 base = 0;
    u64 const size = origin == SeekOrigin::Start || origin == SeekOrigin::Current ? 0 : size_for_seek();
    switch (origin) {
        case SeekOrigin::Start: break;
        case SeekOrigin::Current: base = static_cast<i64>(position_.load(std::memory_order_relaxed)); break;
        case SeekOrigin::End: base = static_cast<i64>(size); break;
        case SeekOrigin::Data:
        case SeekOrigin::Hole:
            // No holes are reported: all is data up to the end, where the one hole begins.
            if (offset < 0 || static_cast<u64>(offset) >= size) return fail(Error::NoDeviceAddress);
            position_.store(origin == SeekOrigin::Data ? static_cast<u64>(offset) : size, std::memory_order_relaxed);
            return position_.load(std::memory_order_relaxed);
    }
    i64 target = 0;
    if (__builtin_add_overflow(base, offset, &target)) return fail(Error::Overflow);
    if (target < 0) return fail(Error::InvalidArgument);
    position_.store(static_cast<u64>(target), std::memory_order_relaxed);
    return static_cast<u64>(target);
}

Attributes File::attributes() {
    if (inode_) return inode_->attributes();
    Attributes result;
    result.type = FileType::Unknown;
    result.permissions = 0600;
    return result;
}

Result<i64> File::control(u32, u64) { return fail(Error::NotTerminal); }
Result<Ref<File>> File::reopen(OpenFlags) { return fail(Error::NoDeviceAddress); }
Result<Ref<vm::Backing>> File::backing() { return fail(Error::NoDevice); }
Result<> File::truncate(u64) { return fail(Error::InvalidArgument); }
Result<> File::allocate(u64, u64, bool) {
    return fail(positioning() == Positioning::Stream ? Error::SeekOnPipe : Error::NoDevice);
}
Result<> File::punch_hole(u64, u64) { return fail(Error::NotSupported); }
Result<> File::list(DirectorySink&) { return fail(Error::NotDirectory); }
Result<u64> File::do_read(u64, vm::IoBuffer&) { return fail(Error::InvalidArgument); }
Result<u64> File::do_write(u64&, vm::IoBuffer&) { return fail(Error::InvalidArgument); }

}  // namespace tutti::vfs
