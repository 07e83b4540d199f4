// SPDX-License-Identifier: BSD-3-Clause
// Stands in for QEMU in the tests of `tutti run`: started under the name qemu-system-x86_64, it finds the host
// link among its arguments and plays the guest's part of the scenario named on the kernel command line.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "hal/host_link.hpp"

namespace {

using namespace tutti::hal;

int link_fd = -1;
std::string initrd;

void write_all(void const* bytes, std::size_t count) {
    char const* at = static_cast<char const*>(bytes);
    while (count > 0) {
        ssize_t const done = ::write(link_fd, at, count);
        if (done < 0) std::exit(50);
        at += done;
        count -= static_cast<std::size_t>(done);
    }
}

void send(FrameType type, std::string_view payload = {}) {
    auto const header = encode_frame_header(type, static_cast<std::uint32_t>(payload.size()));
    write_all(header.data(), header.size());
    write_all(payload.data(), payload.size());
}

template <class Payload>
void send_struct(FrameType type, Payload const& payload) {
    send(type, {reinterpret_cast<char const*>(&payload), sizeof payload});
}

struct Frame {
    FrameType type;
    std::string payload;
};

void read_all(void* bytes, std::size_t count) {
    char* at = static_cast<char*>(bytes);
    while (count > 0) {
        ssize_t const done = ::read(link_fd, at, count);
        if (done <= 0) std::exit(51);
        at += done;
        count -= static_cast<std::size_t>(done);
    }
}

Frame receive() {
    std::array<std::uint8_t, kFrameHeaderSize> bytes;
    read_all(bytes.data(), bytes.size());
    auto const header = decode_frame_header(bytes);
    if (!header) std::exit(52);
    Frame frame{header->type, std::string(header->length, '\0')};
    read_all(frame.payload.data(), frame.payload.size());
    return frame;
}

void ready() { send_struct(FrameType::Ready, ReadyPayload{12'000'000}); }
[[noreturn]] void exit_guest(std::uint32_t code, std::uint32_t signal = 0) {
    send_struct(FrameType::Exit, ExitPayload{code, signal});
    std::exit(0);
}

void send_file(std::string_view path, std::uint32_t mode, std::string_view data) {
    FileBeginPayload const begin{mode, 0, data.size()};
    std::string payload(reinterpret_cast<char const*>(&begin), sizeof begin);
    payload.append(path);
    send(FrameType::FileBegin, payload);
    for (std::size_t at = 0; at < data.size(); at += kMaxFramePayload) {
        send(FrameType::FileData, data.substr(at, kMaxFramePayload));
    }
    send(FrameType::FileEnd);
}

void echo() {
    constexpr std::uint32_t kCredit = 1000;
    std::uint32_t outstanding = kCredit;
    ready();
    send_struct(FrameType::StdinCredit, CreditPayload{kCredit});
    while (true) {
        Frame const frame = receive();
        if (frame.type == FrameType::StdinEof) exit_guest(0);
        if (frame.type != FrameType::Stdin) exit_guest(60);
        if (frame.payload.size() > outstanding) exit_guest(61);  // more than the credit
        outstanding -= static_cast<std::uint32_t>(frame.payload.size());
        send(FrameType::Stdout, frame.payload);
        if (outstanding == 0) {
            outstanding = kCredit;
            send_struct(FrameType::StdinCredit, CreditPayload{kCredit});
        }
    }
}

void play(std::string_view scenario) {
    if (scenario == "hello") {
        std::printf("kernel: booted\r\n");
        std::fflush(stdout);
        ready();
        send(FrameType::Stdout, std::string_view("out\0\xff\n", 6));
        send(FrameType::Stderr, "err\n");
        send(FrameType::Note, "a note");
        send(FrameType::Summary, R"({"boot_ns":1,"cpus":[{"busy_ns":3000000,"idle_ns":1000000}]})");
        exit_guest(7);
    }
    if (scenario == "echo") echo();
    if (scenario == "signal") {
        ready();
        send(FrameType::Stdout, "ready\n");
        Frame const frame = receive();
        std::uint32_t number = 0;
        std::memcpy(&number, frame.payload.data(), std::min(sizeof number, frame.payload.size()));
        exit_guest(0, frame.type == FrameType::Signal ? number : 0);
    }
    if (scenario == "fatal") {
        ready();
        exit_guest(0, 11);
    }
    if (scenario == "hang") {
        std::printf("kernel: stuck here\n");
        std::fflush(stdout);
        ready();
        ::pause();
    }
    if (scenario == "crash") {
        std::printf("PANIC: boom\nbacktrace: here\n");
        std::fflush(stdout);
        std::exit(99);
    }
    if (scenario == "vanish") std::exit(0);
    if (scenario == "refuse") {
        std::fprintf(stderr, "qemu: no such machine\n");
        std::exit(1);
    }
    if (scenario == "garbage") {
        write_all("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10);
        ::pause();
    }
    if (scenario == "linger") {
        ready();
        send_struct(FrameType::Exit, ExitPayload{3, 0});
        ::pause();
    }
    if (scenario == "flood") {
        ready();
        std::string const block(kMaxFramePayload, 'x');
        for (int i = 0; i < 320; ++i) send(FrameType::Stdout, block);
        exit_guest(0);
    }
    if (scenario == "files") {
        ready();
        send_file("/out", 040755, "");
        send_file("/out/one", 0100644, std::string(200'000, '1'));
        send_file("/out/sub/two", 0100755, "2");
        send_file("/out/link", 0120777, "one");
        exit_guest(0);
    }
    if (scenario == "thief") {
        ready();
        send_file("/etc/passwd", 0100644, "x");
        exit_guest(0);
    }
    if (scenario == "climber") {
        ready();
        send_file("/out/../escaped", 0100644, "x");
        exit_guest(0);
    }
    if (scenario == "linkclimber") {
        ready();
        send_file("/out/away", 0120777, "/tmp");
        send_file("/out/away/escaped", 0100644, "x");
        exit_guest(0);
    }
    if (scenario == "manifest") {
        ready();
        FILE* file = std::fopen(initrd.c_str(), "rb");
        char bytes[4096];
        std::size_t const count = file == nullptr ? 0 : std::fread(bytes, 1, sizeof bytes, file);
        send(FrameType::Stdout, {bytes, count});
        exit_guest(0);
    }
    std::exit(53);
}

}  // namespace

int main(int argc, char** argv) {
    std::string scenario;
    for (int i = 1; i < argc; ++i) {
        std::string_view const word = argv[i];
        constexpr std::string_view kLink = "socket,id=link,fd=";
        if (word.starts_with(kLink)) link_fd = std::atoi(argv[i] + kLink.size());
        if (word == "-append" && i + 1 < argc) scenario = argv[i + 1];
        if (word == "-initrd" && i + 1 < argc) initrd = argv[i + 1];
    }
    if (link_fd < 0) return 54;
    play(scenario);
    return 55;
}
