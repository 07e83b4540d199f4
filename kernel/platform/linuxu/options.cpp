// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/options.hpp"

#include <sys/syscall.h>

#include "arch/host_call.hpp"
#include "base/format.hpp"
#include "platform/linuxu/host_thread.hpp"

namespace tutti::platform {
namespace {

constexpr std::string_view kUsage =
    "usage: tutti-linuxu [--cpus N] [--memory SIZE[K|M|G]] [--tap INTERFACE] [--disk FILE[:ro]]... [--initrd-fd N]\n"
    "                    [--link-fd N] [WORD...]\n"
    "Runs the kernel as a process: N CPUs are N threads. WORDs go to the kernel: tests=GLOB seed=N log=LEVEL.\n"
    "A tap is a network device with a queue for each CPU, a file is a disk. The initial archive and the host link are open files of the process; `tutti run --platform linuxu` gives them.\n";

constinit char kernel_words[1024]{};

void write_error(std::string_view text) {
    arch::host_call(SYS_write, 2, arch::host_argument(text.data()), text.size());
}

[[noreturn]] void refuse(std::string_view word, std::string_view why) {
    char line[256];
    write_error(format_to(line, "tutti-linuxu: {}: {}\n", word, why));
    write_error(kUsage);
    for (;;) arch::host_call(SYS_exit_group, 2);
}

// What no image with a C library has: no drivers are in those.
void refuse_devices(std::string_view word) {
    if (!kRunsPrograms) refuse(word, "this image has no drivers");
}

u64 parse_size(std::string_view option, std::string_view text) {
    u64 value = 0;
    size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, u64(text[at] - '0'), &value))
            refuse(option, "too large");
    if (at == 0) refuse(option, "a number is missing");
    std::string_view const unit = text.substr(at);
    unsigned const shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 64;
    if (shift == 64) refuse(option, "units are K, M and G");
    if (value > (~u64{0} >> shift)) refuse(option, "too large");
    return value << shift;
}

int parse_file(std::string_view option, std::string_view text) {
    u64 const number = parse_size(option, text);
    if (number > 0xffff) refuse(option, "no file descriptor");
    return static_cast<int>(number);
}

DiskOption parse_disk(char* text) {
    constexpr std::string_view kReadOnly = ":ro";
    std::string_view const word = text;
    bool const read_only = word.ends_with(kReadOnly);
    if (read_only) text[word.size() - kReadOnly.size()] = 0;
    return {text, read_only};
}

}  // namespace

void end_before_boot(std::string_view option, std::string_view value, std::string_view why) {
    char line[512];
    write_error(format_to(line, "tutti-linuxu: {} {}: {}\n", option, value, why));
    for (;;) arch::host_call(SYS_exit_group, 2);
}

Options parse_options(int count, char** words) {
    Options options;
    size_t used = 0;
    for (int i = 1; i < count; ++i) {
        std::string_view const word = words[i];
        if (word == "--help") {
            write_error(kUsage);
            for (;;) arch::host_call(SYS_exit_group, 0);
        }
        if (!word.starts_with("--")) {
            if (used + word.size() + 1 > sizeof kernel_words) refuse(word, "too many words");
            if (used != 0) kernel_words[used++] = ' ';
            for (char const c : word) kernel_words[used++] = c;
            continue;
        }
        if (i + 1 == count) refuse(word, "unknown, or its value is missing");
        std::string_view const value = words[++i];
        if (word == "--cpus") {
            u64 const cpus = parse_size(word, value);
            if (cpus == 0 || cpus > 0xffff) refuse(word, "1 to 65535");
            options.cpus = static_cast<u32>(cpus);
        } else if (word == "--memory") {
            options.memory = parse_size(word, value) & ~kPageMask;
            if (options.memory < (u64{16} << 20)) refuse(word, "16M at least");
        } else if (word == "--initrd-fd") {
            options.initrd_file = parse_file(word, value);
        } else if (word == "--link-fd") {
            options.link_file = parse_file(word, value);
        } else if (word == "--tap") {
            refuse_devices(word);
            if (options.tap != nullptr) refuse(word, "one is all there can be");
            options.tap = words[i];
        } else if (word == "--disk") {
            refuse_devices(word);
            if (options.disk_count == kMaxDisks) refuse(word, "16 at most");
            options.disks[options.disk_count++] = parse_disk(words[i]);
        } else {
            refuse(word, "unknown");
        }
    }
    options.kernel_arguments = {kernel_words, used};
    return options;
}

}  // namespace tutti::platform
