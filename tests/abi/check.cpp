// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace tutti::check {
namespace {

struct Test {
    const char* name;
    TestFunction function;
};

constexpr int kMaxTests = 200;
Test tests[kMaxTests];
int test_count = 0;

std::atomic<const char*> running{nullptr};
std::atomic<unsigned> serial{0};  // counts tests started: the watchdog sees progress by it
std::atomic<int> failures{0};     // of the running test
std::atomic<bool> skipped{false};
char skip_reason[200];

void print(const char* prefix, const char* format, va_list arguments) {
    char line[1000];
    int used = snprintf(line, sizeof line, "%s", prefix);
    used += vsnprintf(line + used, sizeof line - 2 - used, format, arguments);
    if (used > (int)sizeof line - 2) used = sizeof line - 2;
    line[used++] = '\n';
    if (write(1, line, used) != used) _exit(3);
}

void print_line(const char* format, ...) __attribute__((format(printf, 1, 2)));
void print_line(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print("", format, arguments);
    va_end(arguments);
}

void* watchdog(void* limit) {
    const int seconds = (int)(intptr_t)limit;
    unsigned seen = serial.load(std::memory_order_relaxed);
    for (int waited = 0; waited < seconds; ++waited) {
        sleep_ms(1000);
        const unsigned current = serial.load(std::memory_order_relaxed);
        if (current != seen) {
            seen = current;
            waited = 0;
        }
    }
    print_line("Bail out! %s did not end within %d s", running.load(std::memory_order_relaxed), seconds);
    _exit(2);
}

void start_watchdog() {
    const char* text = getenv("CHECK_TIMEOUT");
    const int seconds = text ? atoi(text) : 60;
    if (seconds <= 0) return;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);  // signals of the tests are not for this thread
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, watchdog, (void*)(intptr_t)seconds);
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
    if (error != 0) note("no watchdog: pthread_create: %s", strerror(error));
}

bool selected(const char* name, int argc, char** argv) {
    if (argc < 2) return true;
    for (int i = 1; i < argc; ++i)
        if (strstr(name, argv[i])) return true;
    return false;
}

void remove_tree(const std::string& path) {
    if (DIR* directory = opendir(path.c_str())) {
        while (dirent* entry = readdir(directory)) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") remove_tree(path + "/" + name);
        }
        closedir(directory);
        rmdir(path.c_str());
    } else {
        unlink(path.c_str());
    }
}

}  // namespace

Registration::Registration(const char* name, TestFunction function) {
    if (test_count == kMaxTests) abort();
    tests[test_count++] = {name, function};
}

int run_all(int argc, char** argv) {
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (int i = 0; i < test_count; ++i) print_line("%s", tests[i].name);
        return 0;
    }
    start_watchdog();
    int planned = 0;
    for (int i = 0; i < test_count; ++i) planned += selected(tests[i].name, argc, argv);
    print_line("1..%d", planned);
    int number = 0, failed = 0;
    for (int i = 0; i < test_count; ++i) {
        const Test& test = tests[i];
        if (!selected(test.name, argc, argv)) continue;
        running.store(test.name, std::memory_order_relaxed);
        serial.fetch_add(1, std::memory_order_relaxed);
        failures.store(0, std::memory_order_relaxed);
        skipped.store(false, std::memory_order_relaxed);
        test.function();
        const bool passed = failures.load(std::memory_order_relaxed) == 0;
        failed += !passed;
        print_line("%sok %d - %s%s%s", passed ? "" : "not ", ++number, test.name,
                   passed && skipped.load(std::memory_order_relaxed) ? " # SKIP " : "",
                   passed && skipped.load(std::memory_order_relaxed) ? skip_reason : "");
    }
    if (failed) print_line("# %d of %d tests failed", failed, planned);
    return failed || planned == 0 ? 1 : 0;
}

void note(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print("# ", format, arguments);
    va_end(arguments);
}

bool fail(const char* file, int line, const char* format, ...) {
    char prefix[300];
    const char* base = strrchr(file, '/');
    snprintf(prefix, sizeof prefix, "# %s: %s:%d: ", running.load(std::memory_order_relaxed), base ? base + 1 : file, line);
    failures.fetch_add(1, std::memory_order_relaxed);
    va_list arguments;
    va_start(arguments, format);
    print(prefix, format, arguments);
    va_end(arguments);
    return false;
}

void skip(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(skip_reason, sizeof skip_reason, format, arguments);
    va_end(arguments);
    skipped.store(true, std::memory_order_relaxed);
}

std::int64_t now_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return (std::int64_t)time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

timespec to_timespec(std::int64_t nanoseconds) { return {(time_t)(nanoseconds / 1'000'000'000), (long)(nanoseconds % 1'000'000'000)}; }

void sleep_ms(int milliseconds) {
    timespec left = to_timespec((std::int64_t)milliseconds * kMillisecond);
    while (nanosleep(&left, &left) == -1 && errno == EINTR) {
    }
}

bool eventually(const std::function<bool()>& condition, int limit_ms) {
    const std::int64_t end = now_ns() + limit_ms * kMillisecond;
    while (!condition()) {
        if (now_ns() > end) return condition();
        sleep_ms(1);
    }
    return true;
}

pid_t thread_id() { return (pid_t)syscall(SYS_gettid); }

void wait_until_blocked(pid_t tid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    bool readable = false;
    const bool blocked = eventually(
        [&] {
            const std::string text = read_file(path);
            const std::size_t end = text.rfind(')');
            if (end == std::string::npos || end + 2 >= text.size()) return true;
            readable = true;
            return text[end + 2] == 'S' || text[end + 2] == 'D';
        },
        5000);
    if (!readable || !blocked) sleep_ms(50);
}

Thread::Thread(std::function<void()> body) : body_(std::move(body)) {
    const int error = pthread_create(&handle_, nullptr, entry, this);
    if (error != 0) {
        print_line("Bail out! pthread_create: %s", strerror(error));
        _exit(2);
    }
}

Thread::~Thread() {
    if (!joined_) join();
}

void Thread::join() {
    pthread_join(handle_, nullptr);
    joined_ = true;
}

pid_t Thread::tid() const {
    pid_t value = 0;
    eventually([&] { return (value = __atomic_load_n(&tid_, __ATOMIC_ACQUIRE)) != 0; });
    return value;
}

void* Thread::entry(void* pointer) {
    Thread* self = static_cast<Thread*>(pointer);
    __atomic_store_n(&self->tid_, thread_id(), __ATOMIC_RELEASE);
    self->body_();
    return nullptr;
}

ScratchDirectory::ScratchDirectory() {
    const char* root = getenv("TMPDIR");
    std::string pattern = std::string(root ? root : "/tmp") + "/check.XXXXXX";
    if (!root) mkdir("/tmp", 01777);  // a bare initial file system may lack it
    if (!mkdtemp(pattern.data())) {
        print_line("Bail out! mkdtemp %s: %s", pattern.c_str(), strerror(errno));
        _exit(2);
    }
    path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() { remove_tree(path_); }

void write_file(const std::string& path, const std::string& content) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    std::size_t done = 0;
    while (fd >= 0 && done < content.size()) {
        const ssize_t count = write(fd, content.data() + done, content.size() - done);
        if (count <= 0) break;
        done += count;
    }
    if (done != content.size()) fail(__FILE__, __LINE__, "cannot write %s: %s", path.c_str(), strerror(errno));
    if (fd >= 0) close(fd);
}

std::string read_file(const std::string& path) {
    std::string content;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return content;
    char buffer[4096];
    for (ssize_t count; (count = read(fd, buffer, sizeof buffer)) > 0;) content.append(buffer, count);
    close(fd);
    return content;
}

}  // namespace tutti::check
