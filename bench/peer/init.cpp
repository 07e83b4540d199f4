// SPDX-License-Identifier: BSD-3-Clause
// The first program of the Linux guest that Tutti is measured against: prepares what a program expects to find,
// runs the one command that /command holds (arguments separated by NUL), reports its status and powers off.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void mount_on(char const* type, char const* path) {
    ::mkdir(path, 0755);
    if (::mount(type, path, type, 0, nullptr) != 0) std::perror(path);
}

void use_console() {
    int const console = ::open("/dev/console", O_RDWR);
    if (console < 0) return;
    for (int descriptor = 0; descriptor <= 2; ++descriptor) ::dup2(console, descriptor);
    if (console > 2) ::close(console);
    termios settings{};
    if (::tcgetattr(0, &settings) == 0) {
        ::cfmakeraw(&settings);
        ::tcsetattr(0, TCSANOW, &settings);
    }
}

std::string contents(char const* path) {
    std::string text;
    int const file = ::open(path, O_RDONLY);
    char block[4096];
    for (ssize_t size; file >= 0 && (size = ::read(file, block, sizeof block)) > 0;) {
        text.append(block, static_cast<std::size_t>(size));
    }
    if (file >= 0) ::close(file);
    return text;
}

int run(std::string words) {
    std::vector<char*> arguments;
    for (std::size_t at = 0; at < words.size(); at = words.find('\0', at) + 1) arguments.push_back(words.data() + at);
    if (arguments.empty()) return 127;
    arguments.push_back(nullptr);
    pid_t const child = ::fork();
    if (child == 0) {
        ::execvp(arguments[0], arguments.data());
        std::perror(arguments[0]);
        ::_exit(127);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) != child) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main() {
    mount_on("devtmpfs", "/dev");
    use_console();
    mount_on("proc", "/proc");
    mount_on("sysfs", "/sys");
    mount_on("tmpfs", "/tmp");
    mount_on("tmpfs", "/dev/shm");
    ::setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    ::setenv("HOME", "/root", 1);
    rlimit const files{65536, 65536};
    ::setrlimit(RLIMIT_NOFILE, &files);
    std::string command = contents("/command");
    if (!command.empty() && command.back() != '\0') command.push_back('\0');
    std::printf("@@begin\n");
    std::fflush(stdout);
    int const status = run(command);
    std::printf("\n@@end %d\n", status);
    std::fflush(stdout);
    ::tcdrain(1);
    ::reboot(RB_POWER_OFF);
    return 0;
}
