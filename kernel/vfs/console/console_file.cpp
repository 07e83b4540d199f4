// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/console/console_file.hpp"

#include <atomic>
#include <new>

#include "drivers/link/host_link.hpp"
#include "vfs/console/terminal_control.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::vfs {

namespace {

namespace host = drivers::host_link;

// Set once before the program starts. Relaxed: the start of its first thread orders them.
constinit std::atomic<bool> is_terminal{false};
constinit std::atomic<bool> has_input{false};

constexpr DeviceNumber kTerminalDevice{136, 0};

class ConsoleFile final : public File {
  public:
    ConsoleFile(ConsoleStream stream, OpenFlags flags, String path)
        : File{flags, {}, std::move(path)}, stream_{stream} {}

    [[nodiscard]] Attributes attributes() override {
        Attributes result;
        if (console_is_terminal()) {
            result.type = FileType::CharacterDevice;
            result.permissions = 0620;
            result.device = kTerminalDevice;
            result.block_size = 1024;
        } else {
            result.type = FileType::Fifo;
            result.permissions = 0600;
        }
        result.inode = 3;
        result.filesystem = 1;
        return result;
    }

    Result<i64> control(u32 command, u64 argument) override {
        if (command == kBytesReadable)
            return answer_int(argument, has_console_input() ? static_cast<i32>(host::input_available()) : 0);
        if (!console_is_terminal()) return fail(Error::NotTerminal);
        return terminal_control(command, argument);
    }

    [[nodiscard]] PollEvents poll() override {
        PollEvents events = 0;
        if (reads() && (!has_console_input() || host::input_ready())) events |= kPollIn | kPollReadNormal;
        if (writes() && host::output_ready()) events |= kPollOut | kPollWriteNormal;
        return events;
    }
    [[nodiscard]] sched::WaitQueue* poll_queue() override {
        return reads() ? &host::input_queue() : &host::output_queue();
    }
    Result<> synchronize() override { return fail(Error::InvalidArgument); }
    Result<Ref<File>> reopen(OpenFlags flags) override { return open_console(stream_, flags); }

  protected:
    Result<u64> do_read(u64, vm::IoBuffer& to) override {
        if (!has_console_input()) return u64{0};
        return host::read_input(to, wait_mode());
    }
    Result<u64> do_write(u64&, vm::IoBuffer& from) override {
        auto const stream =
            stream_ == ConsoleStream::Error ? drivers::OutputStream::Stderr : drivers::OutputStream::Stdout;
        return host::write_output(stream, from, wait_mode());
    }

  private:
    [[nodiscard]] bool reads() const {
        return stream_ == ConsoleStream::Input || stream_ == ConsoleStream::Terminal;
    }
    [[nodiscard]] bool writes() const { return stream_ != ConsoleStream::Input || console_is_terminal(); }
    [[nodiscard]] static bool has_console_input() { return has_input.load(std::memory_order_relaxed); }
    [[nodiscard]] drivers::LinkWait wait_mode() const {
        return is_nonblocking() ? drivers::LinkWait::NoWait : drivers::LinkWait::Interruptible;
    }
    ConsoleStream const stream_;
};

}  // namespace

void configure_console(bool terminal, bool input) {
    is_terminal.store(terminal, std::memory_order_relaxed);
    has_input.store(input, std::memory_order_relaxed);
}

bool console_is_terminal() { return is_terminal.load(std::memory_order_relaxed); }

Result<Ref<File>> open_console(ConsoleStream stream, OpenFlags flags) {
    if (stream == ConsoleStream::Terminal && !console_is_terminal()) return fail(Error::NoDeviceAddress);
    String path = TRY(String::create(console_is_terminal() ? "/dev/pts/0" : "pipe:[3]"));
    auto* const file = new (std::nothrow) ConsoleFile{stream, flags, std::move(path)};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<File>::adopt(file);
}

}  // namespace tutti::vfs
