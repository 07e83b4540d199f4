// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/pipe/pipe_file.hpp"

#include <new>

#include "vfs/wall_clock.hpp"

namespace tutti::vfs {
namespace {

constexpr u32 kBytesReadable = 0x541b;  // FIONREAD

std::atomic<u64> next_pipe_number{1};

class PipeFile final : public File {
  public:
    PipeFile(OpenFlags flags, Ref<Inode> inode, String path, Ref<PipeBuffer> pipe, u64 number)
        : File{flags, std::move(inode), std::move(path)}, pipe_{std::move(pipe)}, number_{number},
          writers_before_{pipe_->count_writers()} {
        if (reads()) pipe_->add_reader();
        if (writes()) pipe_->add_writer();
    }
    ~PipeFile() override {
        if (reads()) pipe_->remove_reader();
        if (writes()) pipe_->remove_writer();
    }

    Result<i64> control(u32 command, u64 argument) override {
        if (command != kBytesReadable) return File::control(command, argument);
        i32 const bytes = static_cast<i32>(pipe_->available());
        TRY(vm::copy_to_user(VirtAddr{argument}, &bytes, sizeof bytes));
        return 0;
    }
    PollEvents poll() override {
        PollEvents events = 0;
        if (reads()) {
            if (pipe_->can_read()) events |= kPollIn | kPollReadNormal;
            if (pipe_->writers() == 0 && pipe_->had_writer_since(writers_before_) && !writes())
                events |= kPollHangUp;
        }
        if (writes()) {
            if (pipe_->readers() == 0) events |= kPollError;
            if (pipe_->can_write() || pipe_->readers() == 0) events |= kPollOut | kPollWriteNormal;
        }
        return events;
    }
    sched::WaitQueue* poll_queue() override { return &pipe_->queue(); }
    Result<> synchronize() override { return fail(Error::InvalidArgument); }
    Attributes attributes() override {
        if (inode() != nullptr) return inode()->attributes();
        Attributes attributes;
        attributes.inode = number_;
        attributes.type = FileType::Fifo;
        attributes.permissions = 0600;
        attributes.access_time = attributes.modify_time = attributes.change_time = wall_clock_now();
        return attributes;
    }
    PipeBuffer* pipe() override { return pipe_.get(); }
    Result<Ref<File>> reopen(OpenFlags flags) override {
        return open_fifo(pipe_, flags, {}, TRY(String::create(path())));
    }

  protected:
    Result<u64> do_read(u64, vm::IoBuffer& to) override { return pipe_->read(to, is_nonblocking()); }
    Result<u64> do_write(u64&, vm::IoBuffer& from) override { return pipe_->write(from, is_nonblocking()); }

  private:
    [[nodiscard]] bool reads() const { return flags().has(OpenFlags::Read); }
    [[nodiscard]] bool writes() const { return flags().has(OpenFlags::Write); }

    Ref<PipeBuffer> const pipe_;
    u64 const number_;
    u32 const writers_before_;  // an end hangs up only after a writer
};

Result<Ref<File>> make_end(Ref<PipeBuffer> const& pipe, OpenFlags flags, Ref<Inode> inode, String path, u64 number) {
    auto* const file = new (std::nothrow) PipeFile{flags, std::move(inode), std::move(path), pipe, number};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<File>::adopt(file);
}

}  // namespace

Result<PipePair> make_pipe(OpenFlags flags) {
    Ref<PipeBuffer> pipe = TRY(PipeBuffer::create());
    u64 const number = next_pipe_number.fetch_add(1, std::memory_order_relaxed);
    u32 const common = flags.bits() & (OpenFlags::NonBlock | OpenFlags::Direct);
    char name[32];
    std::string_view const text = format_to(name, "pipe:[{}]", number);
    PipePair pair;
    pair.reader = TRY(make_end(pipe, OpenFlags{common | OpenFlags::Read}, {}, TRY(String::create(text)), number));
    pair.writer = TRY(make_end(pipe, OpenFlags{common | OpenFlags::Write}, {}, TRY(String::create(text)), number));
    return pair;
}

Result<Ref<File>> open_fifo(Ref<PipeBuffer> pipe, OpenFlags flags, Ref<Inode> inode, String path) {
    bool const reads = flags.has(OpenFlags::Read);
    bool const writes = flags.has(OpenFlags::Write);
    bool const nonblocking = flags.has(OpenFlags::NonBlock);
    if (writes && !reads && nonblocking && pipe->readers() == 0) return fail(Error::NoDeviceAddress);
    u32 const readers_before = pipe->count_readers();
    u32 const writers_before = pipe->count_writers();
    Ref<File> file = TRY(make_end(pipe, flags, std::move(inode), std::move(path), 0));
    // fifo(7): opening blocks until the other end is open, except with both ends or non-blocking.
    if (!nonblocking && reads != writes)
        TRY(reads ? pipe->wait_for_writer(writers_before) : pipe->wait_for_reader(readers_before));
    return file;
}

PipeBuffer* pipe_of(File& file) { return file.pipe(); }

}  // namespace tutti::vfs
