// SPDX-License-Identifier: BSD-3-Clause
// File descriptors: numbers, copies, flags, limits, concurrent use.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {
int open_null(int flags = 0) { return open("/dev/null", O_RDWR | flags); }
}  // namespace

TEST(the_lowest_free_number_is_used) {
    const int a = open_null(), b = open_null(), c = open_null();
    CHECK(a >= 0 && b == a + 1 && c == b + 1);
    close(b);
    const int again = open_null();
    CHECK_EQ(again, b);
    close(a);
    close(b);
    CHECK_EQ(dup(c), a);
    close(a);
    close(c);
}

TEST(close_and_bad_numbers) {
    const int fd = open_null();
    CHECK_OK(close(fd));
    CHECK_ERR(close(fd), EBADF);
    CHECK_ERR(close(-1), EBADF);
    CHECK_ERR(close(1'000'000), EBADF);
    char byte;
    CHECK_ERR(read(fd, &byte, 1), EBADF);
    CHECK_ERR(write(-1, &byte, 1), EBADF);
    CHECK_ERR(fcntl(fd, F_GETFD), EBADF);
    struct stat status;
    CHECK_ERR(fstat(fd, &status), EBADF);
    CHECK_ERR(dup(fd), EBADF);
}

TEST(copies_share_the_offset_and_status) {
    ScratchDirectory scratch;
    write_file(scratch.path("f"), "0123456789");
    const int fd = open(scratch.path("f").c_str(), O_RDWR | O_CLOEXEC);
    const int copy = dup(fd);
    char byte = 0;
    CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
    CHECK_EQ(read(copy, &byte, 1), 1);
    CHECK_EQ(byte, '4');
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
    CHECK_OK(fcntl(copy, F_SETFL, O_APPEND | O_NONBLOCK));
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    const int separate = open(scratch.path("f").c_str(), O_RDONLY | O_CLOEXEC);
    CHECK_EQ(lseek(separate, 0, SEEK_CUR), 0);
    close(fd);
    CHECK_EQ(lseek(copy, 0, SEEK_CUR), 5);
    close(copy);
    close(separate);
}

TEST(dup2_and_dup3) {
    const int fd = open_null(), target = open_null();
    CHECK_EQ(dup2(fd, target), target);
    CHECK_EQ(dup2(fd, fd), fd);
    CHECK_EQ(dup2(fd, 57), 57);
    close(57);
    CHECK_ERR(dup2(fd, -1), EBADF);
    CHECK_ERR(dup2(987, target), EBADF);
    CHECK_OK(fcntl(target, F_GETFD));  // a failed dup2 closes nothing
    CHECK_EQ(dup3(fd, target, O_CLOEXEC), target);
    CHECK_EQ(fcntl(target, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(dup2(fd, target), target);
    CHECK_EQ(fcntl(target, F_GETFD), 0);
    CHECK_ERR(dup3(fd, fd, 0), EINVAL);
    CHECK_ERR(dup3(fd, target, 0x10), EINVAL);
    close(fd);
    close(target);
}

TEST(fcntl_copies_and_flags) {
    const int fd = open_null();
    const int high = fcntl(fd, F_DUPFD, 100);
    CHECK(high >= 100);
    CHECK_EQ(fcntl(high, F_GETFD), 0);
    const int close_on_exec = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    CHECK_EQ(close_on_exec, high + 1);
    CHECK_EQ(fcntl(close_on_exec, F_GETFD), FD_CLOEXEC);
    CHECK_OK(fcntl(fd, F_SETFD, FD_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_OK(fcntl(fd, F_SETFD, 0));
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK_ERR(fcntl(fd, F_DUPFD, -1), EINVAL);
    CHECK_ERR(fcntl(fd, 9999), EINVAL);
    close(fd);
    close(high);
    close(close_on_exec);
}

TEST(cloexec_at_creation) {
    const int fd = open_null(O_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    CHECK_EQ(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(ends[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(ends[0]);
    close(ends[1]);
    CHECK_ERR(pipe2(ends, 0x3), EINVAL);
}

TEST(the_limit_holds) {
    rlimit limit{}, low{};
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    low = limit;
    low.rlim_cur = 40;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &low));
    int opened[64], count = 0, error = 0;
    while (count < 64) {
        const int fd = open_null();
        if (fd < 0) {
            error = errno;
            break;
        }
        opened[count++] = fd;
    }
    CHECK_EQ(error, EMFILE);
    CHECK(count > 0 && opened[count - 1] == 39);
    if (count > 0) {
        CHECK_ERR(dup(opened[0]), EMFILE);
        CHECK_ERR(dup2(opened[0], 40), EBADF);
    }
    for (int i = 0; i < count; ++i) close(opened[i]);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
}

TEST(at_the_limit_nothing_is_opened_and_thrown_away) {
    ScratchDirectory directory;
    const std::string kept = directory.path("kept"), absent = directory.path("absent");
    write_file(kept, "content");
    const int lowest = open_null();
    REQUIRE(lowest >= 0);
    close(lowest);
    rlimit limit{}, low{};
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    low = limit;
    low.rlim_cur = lowest;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &low));
    CHECK_ERR(open(kept.c_str(), O_WRONLY | O_TRUNC), EMFILE);
    CHECK_ERR(open(absent.c_str(), O_WRONLY | O_CREAT, 0600), EMFILE);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    CHECK(read_file(kept) == "content");
    CHECK_ERR(access(absent.c_str(), F_OK), ENOENT);
    // A number that was reserved for a file that does not exist is free again.
    CHECK_ERR(open(absent.c_str(), O_RDONLY), ENOENT);
    CHECK_EQ(open_null(), lowest);
    close(lowest);
}

TEST(a_number_is_taken_while_its_file_is_being_opened) {
    ScratchDirectory directory;
    const std::string path = directory.path("fifo");
    if (mkfifo(path.c_str(), 0600) != 0) return skip("mkfifo is missing");
    const int lowest = open_null();
    REQUIRE(lowest >= 0);
    close(lowest);
    std::atomic<bool> opened{false};
    Thread opener([&] {
        const int fd = open(path.c_str(), O_RDONLY);  // waits for a writer
        opened.store(true, std::memory_order_release);
        CHECK_EQ(fd, lowest);
        char byte;
        CHECK_EQ(read(fd, &byte, 1), 0);  // waits until it is gone
        close(fd);
    });
    wait_until_blocked(opener.tid());
    const int other = open_null();
    CHECK(other > lowest);
    CHECK_ERR(dup2(other, lowest), EBUSY);
    CHECK_ERR(close(lowest), EBADF);
    CHECK_ERR(fcntl(lowest, F_GETFD), EBADF);
    const int writer = open(path.c_str(), O_WRONLY);
    CHECK_OK(writer);
    CHECK(eventually([&] { return opened.load(std::memory_order_acquire); }));
    close(writer);
    close(other);
    opener.join();
    CHECK_EQ(open_null(), lowest);
    close(lowest);
}

TEST(many_descriptors) {
    rlimit limit{};
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    constexpr int kMany = 900;
    if (limit.rlim_cur < kMany + 50) return skip("the limit is too low");
    std::vector<int> all;
    for (int i = 0; i < kMany; ++i) {
        all.push_back(open_null());
        if (!CHECK_OK(all.back())) break;
    }
    for (int fd : all) CHECK_OK(close(fd));
}

TEST(close_range_closes) {
    const int first = fcntl(0, F_GETFD) >= 0 ? fcntl(0, F_DUPFD, 200) : open_null();
    if (first < 200) return skip("no descriptor 0 to copy");
    const int second = fcntl(first, F_DUPFD, 201), third = fcntl(first, F_DUPFD, 202);
    const long result = syscall(SYS_close_range, first, second, 0);
    if (result == -1 && errno == ENOSYS) {
        for (int fd : {first, second, third}) close(fd);
        return skip("close_range is missing");
    }
    CHECK_OK(result);
    CHECK_ERR(fcntl(first, F_GETFD), EBADF);
    CHECK_ERR(fcntl(second, F_GETFD), EBADF);
    CHECK_OK(fcntl(third, F_GETFD));
    CHECK_ERR(syscall(SYS_close_range, 10, 5, 0), EINVAL);
    close(third);
}

TEST(proc_self_fd_names_what_is_open) {
    ScratchDirectory scratch;
    write_file(scratch.path("f"), "x");
    const int fd = open(scratch.path("f").c_str(), O_RDONLY | O_CLOEXEC);
    char target[4096] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t length = readlink(link.c_str(), target, sizeof target - 1);
    CHECK_OK(length);
    CHECK(scratch.path("f") == target);
    close(fd);
    CHECK_ERR(readlink(link.c_str(), target, sizeof target), ENOENT);
}

TEST(threads_open_and_close_without_mixing_up) {
    constexpr int kThreads = 4, kRounds = 300;
    ScratchDirectory scratch;
    Threads threads;
    for (int t = 0; t < kThreads; ++t) {
        write_file(scratch.path(std::to_string(t)), std::string(1, static_cast<char>('0' + t)));
        threads.push_back(std::make_unique<Thread>([&scratch, t] {
            const std::string path = scratch.path(std::to_string(t));
            for (int i = 0; i < kRounds; ++i) {
                const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
                char byte = 0;
                if (!CHECK(read(fd, &byte, 1) == 1 && byte == '0' + t)) return;
                const int copy = dup(fd);
                CHECK_OK(close(fd));
                if (!CHECK(pread(copy, &byte, 1, 0) == 1 && byte == '0' + t)) return;
                CHECK_OK(close(copy));
            }
        }));
    }
}

TEST(close_during_a_blocked_read_is_safe) {
    // What the reader gets is not specified; that nothing is freed under it is.
    for (int i = 0; i < 20; ++i) {
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        Thread reader([&] {
            char byte;
            const ssize_t count = read(ends[0], &byte, 1);
            CHECK(count == 0 || count == 1 || (count == -1 && errno == EBADF));
        });
        wait_until_blocked(reader.tid());
        CHECK_OK(close(ends[0]));
        // Without readers the write may fail; the open file itself lives as long as the read needs it.
        signal(SIGPIPE, SIG_IGN);
        if (write(ends[1], "x", 1) < 0) CHECK_EQ(errno, EPIPE);
        signal(SIGPIPE, SIG_DFL);
        close(ends[1]);
    }
}

// The information about a descriptor whose number it has got itself.
TEST(information_about_itself) {
    const int fd = memfd_create("file", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, "12345", 5) == 5);
    const std::string path = "/proc/self/fdinfo/" + std::to_string(fd);
    const int information = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(information >= 0);
    char text[200];
    const ssize_t count = read(information, text, sizeof text);
    CHECK(count > 0 && std::string(text, static_cast<std::size_t>(count)).find("pos:\t5\n") == 0);
    CHECK_EQ(lseek(information, 0, SEEK_SET), 0);
    CHECK_OK(dup2(information, fd));
    CHECK(read(fd, text, sizeof text) > 0);
    close(information);
    close(fd);
}

int main(int argc, char** argv) { return run_all(argc, argv); }
