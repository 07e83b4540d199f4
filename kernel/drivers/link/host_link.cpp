// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/link/host_link.hpp"

#include <array>
#include <atomic>

#include "drivers/link/link_session.hpp"
#include "drivers/link/start_link.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"

namespace tutti::drivers {
namespace {

// Set once by start_link(), before programs run; the session lives for ever.
constinit std::atomic<LinkSession*> g_session{nullptr};

LinkSession* session() {
    // acquire: pairs with the release in start_link().
    return g_session.load(std::memory_order_acquire);
}

// Without a session nothing wakes these: output is always ready, and input is at its end.
constinit sched::WaitQueue g_no_queue;

std::span<u8 const> bytes_of(std::string_view text) {
    return {reinterpret_cast<u8 const*>(text.data()), text.size()};
}
template <class T>
std::span<u8 const> bytes_of(T const& payload) {
    return {reinterpret_cast<u8 const*>(&payload), sizeof payload};
}

Result<> send(hal::FrameType type, std::span<std::span<u8 const> const> parts) {
    LinkSession* const link = session();
    return link != nullptr ? link->send(type, parts) : Result<>{};
}
Result<> send(hal::FrameType type, std::span<u8 const> part) { return send(type, {&part, 1}); }

Result<u64> write_to_console(vm::IoBuffer& from) {
    u64 const before = from.done();
    while (from.remaining() != 0) {
        std::array<char, 256> bytes;
        Result<u64> const taken = from.read_from(bytes.data(), bytes.size());
        if (!taken && from.done() == before) return taken;
        if (!taken || *taken == 0) break;
        hal::early_console_write({bytes.data(), static_cast<size_t>(*taken)});
    }
    return from.done() - before;
}

}  // namespace

Result<> start_link(BytePort& port) {
    if (session() != nullptr) return fail(Error::AlreadyInProgress);
    auto* const link = new (std::nothrow) LinkSession{port};
    if (link == nullptr) return fail(Error::NoMemory);
    link->connect();
    g_session.store(link, std::memory_order_release);
    return {};
}

namespace host_link {

bool attached() { return session() != nullptr; }

Result<u64> write_output(OutputStream stream, vm::IoBuffer& from, LinkWait wait) {
    if (LinkSession* const link = session()) return link->write_output(stream, from, wait);
    return write_to_console(from);
}
bool output_ready() { return !attached() || session()->output_ready(); }
sched::WaitQueue& output_queue() { return attached() ? session()->output_queue() : g_no_queue; }

Result<u64> read_input(vm::IoBuffer& to, LinkWait wait) {
    LinkSession* const link = session();
    return link != nullptr ? link->read_input(to, wait) : Result<u64>{0};
}
bool input_ready() { return !attached() || session()->input().is_ready(); }
size_t input_available() { return attached() ? session()->input().available() : 0; }
sched::WaitQueue& input_queue() { return attached() ? session()->input_queue() : g_no_queue; }
Result<> open_input() { return attached() ? session()->open_input() : Result<>{}; }

WindowSize window_size() { return attached() ? session()->window_size() : WindowSize{}; }
Result<> set_events(Events const& events) { return attached() ? session()->set_events(events) : Result<>{}; }

Result<> file_begin(std::string_view guest_path, u32 mode, u64 size) {
    hal::FileBeginPayload const payload{mode, 0, size};
    std::array const parts{bytes_of(payload), bytes_of(guest_path)};
    return send(hal::FrameType::FileBegin, parts);
}
Result<> file_data(std::span<u8 const> bytes) { return send(hal::FrameType::FileData, bytes); }
Result<> file_end() { return send(hal::FrameType::FileEnd, std::span<u8 const>{}); }

Result<> send_ready(Nanoseconds since_boot) {
    return send(hal::FrameType::Ready, bytes_of(hal::ReadyPayload{static_cast<u64>(since_boot.count())}));
}
Result<> send_summary(std::string_view json) { return send(hal::FrameType::Summary, bytes_of(json)); }

void send_note(std::string_view text) {
    if (attached()) {
        // The host is told what can be told: there is nobody to report a failure to.
        (void)send(hal::FrameType::Note, bytes_of(text));
        return;
    }
    hal::early_console_write("tutti: ");
    hal::early_console_write(text);
    hal::early_console_write("\n");
}

void send_exit(u32 exit_code, u32 signal) {
    LinkSession* const link = session();
    if (link == nullptr) return;
    if (send(hal::FrameType::Exit, bytes_of(hal::ExitPayload{exit_code, signal})))
        link->drain(hal::now() + Nanoseconds::from_s(5));
}

}  // namespace host_link
}  // namespace tutti::drivers
