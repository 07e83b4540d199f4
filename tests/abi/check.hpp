// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// A small test kit for programs that check what Linux promises its programs. They run on any Linux and on
// Tutti, as one process, without fork. Output is TAP; exit status 0 means that every check passed.
//
//   TEST(name) { CHECK(x); CHECK_EQ(a, b); CHECK_OK(call); CHECK_ERR(call, EINVAL); REQUIRE(x); }
//   int main(int argc, char** argv) { return tutti::check::run_all(argc, argv); }
//
// CHECK records a failure and goes on; REQUIRE leaves the test (use it in the test function itself only). Checks may
// be made from any thread. `PROGRAM PATTERN...` runs only tests whose name contains one of the patterns;
// `PROGRAM --list` names them. A watchdog thread ends the program when one test takes longer than
// CHECK_TIMEOUT seconds (environment; 60 unless told), naming the test.

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace tutti::check {

using TestFunction = void (*)();

// Registration at start-up; tests run in the order of their definition in the file.
struct Registration {
    Registration(const char* name, TestFunction function);
};

int run_all(int argc, char** argv);

// Prints one line of TAP commentary ("# ..."), in one write.
void note(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Records a failed check of the running test. Returns false, for use in expressions.
bool fail(const char* file, int line, const char* format, ...) __attribute__((format(printf, 3, 4)));

// The running test is not applicable here: it counts as passed and says why.
void skip(const char* format, ...) __attribute__((format(printf, 1, 2)));

template <class A, class B>
bool equal(const char* file, int line, const char* text, const A& a, const B& b) {
    if (a == static_cast<A>(b)) return true;
    if constexpr (std::is_convertible_v<A, long long> || std::is_enum_v<A>)
        return fail(file, line, "%s: %lld (0x%llx) and %lld (0x%llx)", text, (long long)a, (long long)a, (long long)b,
                    (long long)b);
    else
        return fail(file, line, "%s", text);
}

inline bool ok(const char* file, int line, const char* text, long result) {
    return result >= 0 || fail(file, line, "%s: returned %ld, errno %d (%s)", text, result, errno, strerrorname_np(errno));
}

inline bool error(const char* file, int line, const char* text, long result, int expected) {
    const int seen = errno;
    if (result == -1 && seen == expected) return true;
    if (result != -1) return fail(file, line, "%s: returned %ld, expected %s", text, result, strerrorname_np(expected));
    return fail(file, line, "%s: errno %s, expected %s", text, strerrorname_np(seen), strerrorname_np(expected));
}

// ---- time ----
std::int64_t now_ns(clockid_t clock = CLOCK_MONOTONIC);
timespec to_timespec(std::int64_t nanoseconds);
void sleep_ms(int milliseconds);
inline constexpr std::int64_t kMillisecond = 1'000'000;

// Polls `condition` until it holds. False after `limit_ms`, which is only a bound against hanging.
bool eventually(const std::function<bool()>& condition, int limit_ms = 20'000);

// Waits until thread `tid` of this process sleeps (state S or D in /proc/self/task/TID/stat). The file may
// be absent: then it sleeps 50 ms, which is usually right and never wrong for correctness of a check.
void wait_until_blocked(pid_t tid);
pid_t thread_id();

// ---- threads ----
// A joinable thread that runs a function; joins when destroyed. tid() is known once it has started.
class Thread {
  public:
    explicit Thread(std::function<void()> body);
    ~Thread();
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
    void join();
    pid_t tid() const;
    pthread_t handle() const { return handle_; }

  private:
    static void* entry(void* self);
    std::function<void()> body_;
    pthread_t handle_{};
    pid_t tid_ = 0;  // written by the thread, read with acquire in tid()
    bool joined_ = false;
};

using Threads = std::vector<std::unique_ptr<Thread>>;

// ---- files ----
// A fresh directory under TMPDIR or /tmp; removed with all it holds at the end of its scope.
class ScratchDirectory {
  public:
    ScratchDirectory();
    ~ScratchDirectory();
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    std::string path(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

void write_file(const std::string& path, const std::string& content);
std::string read_file(const std::string& path);  // "" when it cannot be read

}  // namespace tutti::check

#define TEST(name)                                                             \
    static void test_##name();                                                 \
    static const tutti::check::Registration register_##name{#name, test_##name}; \
    static void test_##name()

#define CHECK(condition) \
    ((condition) ? true : tutti::check::fail(__FILE__, __LINE__, "%s is false (errno %d)", #condition, errno))
#define CHECK_EQ(a, b) tutti::check::equal(__FILE__, __LINE__, #a " == " #b, (a), (b))
#define CHECK_OK(call) tutti::check::ok(__FILE__, __LINE__, #call, (long)(call))
#define CHECK_ERR(call, expected) tutti::check::error(__FILE__, __LINE__, #call, (long)(call), (expected))
#define REQUIRE(condition)          \
    do {                            \
        if (!CHECK(condition)) return; \
    } while (0)
