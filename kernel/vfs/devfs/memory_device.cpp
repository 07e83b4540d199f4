// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/devfs/memory_device.hpp"

#include <algorithm>
#include <new>

#include "drivers/rng/entropy.hpp"
#include "vfs/console/terminal_control.hpp"
#include "mem/frame/frame_allocator.hpp"
#include "vm/backing.hpp"

namespace tutti::vfs {

namespace {

// A private mapping of /dev/zero is anonymous memory by another name.
class ZeroBacking final : public vm::Backing {
  public:
    Result<mem::FrameRef> page(u64) override;
    Result<mem::FrameRef> try_page(u64 index) override { return page(index); }
    void describe(vm::BackingDescription& description) const override { description.path.assign("/dev/zero"); }
};

class MemoryDeviceFile final : public File {
  public:
    MemoryDeviceFile(MemoryDevice device, Inode& inode, OpenFlags flags, String path)
        : File{flags, Ref<Inode>{inode}, std::move(path)}, device_{device} {}

    Result<u64> seek(i64, SeekOrigin) override { return u64{0}; }  // as on Linux: allowed, without effect
    Result<> synchronize() override { return fail(Error::InvalidArgument); }
    Result<i64> control(u32 command, u64 argument) override {
        constexpr u32 kEntropyCount = 0x80045200;
        if (device_ == MemoryDevice::Random && command == kEntropyCount) return answer_int(argument, 256);
        return fail(Error::NotTerminal);
    }
    Result<Ref<vm::Backing>> backing() override {
        if (device_ != MemoryDevice::Zero) return fail(Error::NoDevice);
        return Ref<vm::Backing>{TRY(make_ref<ZeroBacking>())};
    }

  protected:
    // Seekable in the sense that positioned calls are allowed; the position does not matter.
    [[nodiscard]] Positioning positioning() const override { return Positioning::Seekable; }

    Result<u64> do_read(u64, vm::IoBuffer& to) override {
        if (device_ == MemoryDevice::Null) return u64{0};
        if (device_ != MemoryDevice::Random) return to.write_zeros(to.remaining());
        u64 done = 0;
        u8 piece[256];
        while (to.remaining() != 0) {
            u64 const count = std::min<u64>(to.remaining(), sizeof piece);
            drivers::random_fill({piece, count});
            Result<u64> const moved = to.write_to(piece, count);
            if (!moved) return done != 0 ? Result<u64>{done} : moved;
            done += *moved;
            if (*moved < count) break;
        }
        return done;
    }

    Result<u64> do_write(u64&, vm::IoBuffer& from) override {
        if (device_ == MemoryDevice::Full) return fail(Error::NoSpace);
        u64 const size = from.remaining();
        if (device_ != MemoryDevice::Random) {
            from.skip(size);
            return size;
        }
        u64 done = 0;
        u8 piece[256];
        while (from.remaining() != 0) {
            Result<u64> const moved = from.read_from(piece, sizeof piece);
            if (!moved) return done != 0 ? Result<u64>{done} : moved;
            drivers::entropy_add({piece, *moved});
            done += *moved;
        }
        return done;
    }

  private:
    MemoryDevice const device_;
};

Result<mem::FrameRef> ZeroBacking::page(u64) { return mem::allocate_frame(mem::FrameFill::Zero); }

}  // namespace

Result<Ref<File>> open_memory_device(MemoryDevice device, Inode& inode, OpenFlags flags, String path) {
    auto* const file = new (std::nothrow) MemoryDeviceFile{device, inode, flags, std::move(path)};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<File>::adopt(file);
}

}  // namespace tutti::vfs
