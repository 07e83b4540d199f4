// SPDX-License-Identifier: BSD-3-Clause
// Pipes: order, blocking, capacity, atomic writes, ends that close, SIGPIPE.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

struct Pipe {
    explicit Pipe(int flags = 0) { CHECK_OK(pipe2(ends, flags | O_CLOEXEC)); }
    ~Pipe() {
        close_reader();
        close_writer();
    }
    void close_reader() { close_end(0); }
    void close_writer() { close_end(1); }
    int reader() const { return ends[0]; }
    int writer() const { return ends[1]; }

  private:
    void close_end(int which) {
        if (ends[which] >= 0) close(ends[which]);
        ends[which] = -1;
    }
    int ends[2] = {-1, -1};
};

std::atomic<int> sigpipes{0};

// Counts SIGPIPE instead of dying of it.
class CatchSigpipe {
  public:
    CatchSigpipe() {
        sigpipes.store(0, std::memory_order_relaxed);
        struct sigaction action {};
        action.sa_handler = [](int) { sigpipes.fetch_add(1, std::memory_order_relaxed); };
        sigaction(SIGPIPE, &action, &old_);
    }
    ~CatchSigpipe() { sigaction(SIGPIPE, &old_, nullptr); }

  private:
    struct sigaction old_ {};
};

std::size_t fill(const Pipe& pipe) {
    const std::string block(1024, 'f');
    std::size_t total = 0;
    for (ssize_t count; (count = write(pipe.writer(), block.data(), block.size())) > 0;) total += count;
    CHECK_EQ(errno, EAGAIN);
    return total;
}

}  // namespace

TEST(bytes_come_out_in_order) {
    Pipe pipe;
    CHECK_EQ(write(pipe.writer(), "hello", 5), 5);
    CHECK_EQ(write(pipe.writer(), " world", 6), 6);
    char buffer[32] = {};
    CHECK_EQ(read(pipe.reader(), buffer, 3), 3);
    CHECK(memcmp(buffer, "hel", 3) == 0);
    CHECK_EQ(read(pipe.reader(), buffer, sizeof buffer), 8);  // what is there, without waiting for more
    CHECK(memcmp(buffer, "lo world", 8) == 0);
    CHECK_ERR(read(pipe.writer(), buffer, 1), EBADF);
    CHECK_ERR(write(pipe.reader(), buffer, 1), EBADF);
    CHECK_EQ(write(pipe.writer(), "", 0), 0);
}

TEST(stat_and_fionread) {
    Pipe pipe;
    struct stat status {};
    CHECK_OK(fstat(pipe.reader(), &status));
    CHECK(S_ISFIFO(status.st_mode));
    CHECK_EQ(write(pipe.writer(), "abc", 3), 3);
    int available = 0;
    CHECK_OK(ioctl(pipe.reader(), FIONREAD, &available));
    CHECK_EQ(available, 3);
}

TEST(end_of_file_when_the_last_writer_closes) {
    Pipe pipe;
    const int second = dup(pipe.writer());
    CHECK_EQ(write(pipe.writer(), "x", 1), 1);
    pipe.close_writer();
    char byte;
    CHECK_EQ(read(pipe.reader(), &byte, 1), 1);
    std::atomic<long> result{-2};
    Thread reader([&] {
        char b;
        result.store(read(pipe.reader(), &b, 1), std::memory_order_release);
    });
    wait_until_blocked(reader.tid());
    CHECK_EQ(result.load(std::memory_order_acquire), -2);
    close(second);
    reader.join();
    CHECK_EQ(result.load(std::memory_order_acquire), 0);
    CHECK_EQ(read(pipe.reader(), &byte, 1), 0);
}

TEST(writing_without_readers_is_epipe_and_sigpipe) {
    CatchSigpipe handler;
    Pipe pipe;
    pipe.close_reader();
    CHECK_ERR(write(pipe.writer(), "x", 1), EPIPE);
    CHECK_EQ(sigpipes.load(std::memory_order_relaxed), 1);
}

TEST(a_blocked_writer_gets_epipe_when_the_reader_closes) {
    CatchSigpipe handler;
    Pipe pipe;
    std::atomic<int> result{0};
    Thread writer([&] {
        const std::string block(1 << 20, 'w');
        ssize_t count = write(pipe.writer(), block.data(), block.size());
        if (count >= 0) count = write(pipe.writer(), block.data(), block.size());  // the first was cut short
        result.store(count == -1 ? errno : 0, std::memory_order_release);
    });
    wait_until_blocked(writer.tid());
    pipe.close_reader();
    writer.join();
    CHECK_EQ(result.load(std::memory_order_acquire), EPIPE);
    CHECK(sigpipes.load(std::memory_order_relaxed) >= 1);
}

TEST(nonblocking_ends) {
    Pipe pipe(O_NONBLOCK);
    char byte;
    CHECK_ERR(read(pipe.reader(), &byte, 1), EAGAIN);
    const std::size_t capacity = fill(pipe);
    CHECK(capacity >= 4096);
    CHECK_ERR(write(pipe.writer(), "x", 1), EAGAIN);
    std::string all(capacity, 0);
    std::size_t got = 0;
    for (ssize_t count; (count = read(pipe.reader(), all.data(), all.size())) > 0;) got += count;
    CHECK_EQ(got, capacity);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(write(pipe.writer(), "x", 1), 1);
}

TEST(a_small_nonblocking_write_is_all_or_nothing) {
    Pipe pipe(O_NONBLOCK);
    fill(pipe);
    char buffer[PIPE_BUF];
    memset(buffer, 'p', sizeof buffer);
    CHECK_EQ(read(pipe.reader(), buffer, 100), 100);
    const ssize_t count = write(pipe.writer(), buffer, PIPE_BUF);
    CHECK(count == -1 && errno == EAGAIN);
}

TEST(size_can_be_asked_and_set) {
    Pipe pipe(O_NONBLOCK);
    CHECK_EQ(fcntl(pipe.reader(), F_GETPIPE_SZ), 65536);
    const int size = fcntl(pipe.writer(), F_SETPIPE_SZ, 16384);
    CHECK_EQ(size, 16384);
    CHECK_EQ(fcntl(pipe.reader(), F_GETPIPE_SZ), 16384);
    CHECK_EQ(fill(pipe), 16384u);
    CHECK_ERR(fcntl(pipe.writer(), F_SETPIPE_SZ, 4096), EBUSY);
    CHECK_EQ(fcntl(pipe.writer(), F_SETPIPE_SZ, 20000), 32768);  // rounded up to a power of two pages
    CHECK_EQ(fcntl(pipe.writer(), F_SETPIPE_SZ, 131072), 131072);
    std::string all(20000, 0);
    CHECK_EQ(read(pipe.reader(), all.data(), all.size()), 16384);
}

TEST(a_blocked_reader_is_woken_by_a_write) {
    Pipe pipe;
    std::atomic<int> got{0};
    Thread reader([&] {
        char byte = 0;
        CHECK_EQ(read(pipe.reader(), &byte, 1), 1);
        got.store(byte, std::memory_order_release);
    });
    wait_until_blocked(reader.tid());
    CHECK_EQ(got.load(std::memory_order_acquire), 0);
    CHECK_EQ(write(pipe.writer(), "z", 1), 1);
    reader.join();
    CHECK_EQ(got.load(std::memory_order_acquire), 'z');
}

TEST(a_large_write_passes_through_in_pieces) {
    Pipe pipe;
    constexpr std::size_t kSize = 1 << 20;
    std::string sent(kSize, 0);
    for (std::size_t i = 0; i < kSize; ++i) sent[i] = static_cast<char>(i * 31 + (i >> 8));
    Thread writer([&] {
        CHECK_EQ(write(pipe.writer(), sent.data(), kSize), (ssize_t)kSize);
        pipe.close_writer();
    });
    std::string received;
    char buffer[7001];
    for (ssize_t count; (count = read(pipe.reader(), buffer, sizeof buffer)) > 0;) received.append(buffer, count);
    writer.join();
    CHECK(received == sent);
}

TEST(small_writes_are_never_interleaved) {
    constexpr int kThreads = 4;
    static constexpr int kRecords = 200, kRecord = 512;
    Pipe pipe;
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([&pipe, t] {
            const std::string record(kRecord, static_cast<char>('A' + t));
            for (int i = 0; i < kRecords; ++i) CHECK_EQ(write(pipe.writer(), record.data(), kRecord), kRecord);
        }));
    std::string all;
    char buffer[4096];
    while (all.size() < (std::size_t)kThreads * kRecords * kRecord) {
        const ssize_t count = read(pipe.reader(), buffer, sizeof buffer);
        if (!CHECK(count > 0)) break;
        all.append(buffer, count);
    }
    threads.clear();
    int torn = 0;
    for (std::size_t at = 0; at + kRecord <= all.size(); at += kRecord)
        torn += all.substr(at, kRecord) != std::string(kRecord, all[at]);
    CHECK_EQ(torn, 0);
}

TEST(many_readers_share_what_many_writers_send) {
    static constexpr int kEach = 3, kBytes = 3000;
    Pipe pipe;
    std::atomic<long> sent{0}, received{0}, count{0};
    Threads readers;
    for (int t = 0; t < kEach; ++t)
        readers.push_back(std::make_unique<Thread>([&] {
            unsigned char buffer[64];
            for (ssize_t n; (n = read(pipe.reader(), buffer, sizeof buffer)) > 0;) {
                for (ssize_t i = 0; i < n; ++i) received.fetch_add(buffer[i], std::memory_order_relaxed);
                count.fetch_add(n, std::memory_order_relaxed);
            }
        }));
    {
        Threads writers;
        for (int t = 0; t < kEach; ++t)
            writers.push_back(std::make_unique<Thread>([&, t] {
                for (int i = 0; i < kBytes; ++i) {
                    const unsigned char byte = static_cast<unsigned char>(i * 7 + t);
                    CHECK_EQ(write(pipe.writer(), &byte, 1), 1);
                    sent.fetch_add(byte, std::memory_order_relaxed);
                }
            }));
    }
    pipe.close_writer();
    readers.clear();
    CHECK_EQ(count.load(std::memory_order_relaxed), (long)kEach * kBytes);
    CHECK_EQ(received.load(std::memory_order_relaxed), sent.load(std::memory_order_relaxed));
}

TEST(vectors_on_a_pipe) {
    Pipe pipe;
    char a[] = "ab", b[] = "cde";
    iovec out[] = {{a, 2}, {b, 3}};
    CHECK_EQ(writev(pipe.writer(), out, 2), 5);
    char x[4], y[4];
    iovec in[] = {{x, 4}, {y, 4}};
    CHECK_EQ(readv(pipe.reader(), in, 2), 5);
    CHECK(memcmp(x, "abcd", 4) == 0 && y[0] == 'e');
    CHECK_ERR(write(pipe.writer(), reinterpret_cast<void*>(8), 4), EFAULT);
    CHECK_EQ(write(pipe.writer(), "q", 1), 1);
    CHECK_ERR(read(pipe.reader(), reinterpret_cast<void*>(8), 1), EFAULT);
}

TEST(named_pipe) {
    ScratchDirectory scratch;
    const std::string path = scratch.path("fifo");
    if (mkfifo(path.c_str(), 0600) != 0) {
        CHECK(errno == ENOSYS || errno == EPERM);
        return skip("no named pipes here");
    }
    CHECK_ERR(open(path.c_str(), O_WRONLY | O_NONBLOCK), ENXIO);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    char byte = 0;
    CHECK_EQ(write(writer, "n", 1), 1);
    CHECK_EQ(read(reader, &byte, 1), 1);
    close(reader);
    close(writer);
}

// A fifo of one test; false (and the test is skipped) where there are none.
bool make_fifo(const std::string& path) {
    if (mkfifo(path.c_str(), 0600) == 0) return true;
    CHECK(errno == ENOSYS || errno == EPERM);
    skip("no named pipes here");
    return false;
}

TEST(an_open_meets_a_partner_that_has_left_again) {
    ScratchDirectory scratch;
    const std::string path = scratch.path("fifo");
    if (!make_fifo(path)) return;
    for (int round = 0; round < 20; ++round) {
        const int flags = round % 2 == 0 ? O_RDONLY : O_WRONLY;
        Thread first([&] {
            const int fd = open(path.c_str(), flags | O_CLOEXEC);
            CHECK_OK(fd);
            close(fd);
        });
        wait_until_blocked(first.tid());
        const int second = open(path.c_str(), (flags == O_RDONLY ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
        CHECK_OK(second);
        close(second);
    }
}

TEST(a_fifo_forgets_its_bytes_with_the_last_end) {
    ScratchDirectory scratch;
    const std::string path = scratch.path("fifo");
    if (!make_fifo(path)) return;
    const int both = open(path.c_str(), O_RDWR | O_CLOEXEC);
    CHECK_EQ(write(both, "old", 3), 3);
    close(both);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char bytes[4];
    CHECK_EQ(read(reader, bytes, sizeof bytes), 0);
    const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    CHECK_EQ(write(writer, "n", 1), 1);
    CHECK_EQ(read(reader, bytes, sizeof bytes), 1);
    close(reader);
    close(writer);
}

TEST(a_reader_hangs_up_only_after_a_writer) {
    ScratchDirectory scratch;
    const std::string path = scratch.path("fifo");
    if (!make_fifo(path)) return;
    pollfd p{open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);
    const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    CHECK_EQ(poll(&p, 1, 0), 0);
    const pollfd second{open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), POLLIN, 0};
    close(writer);
    for (pollfd each : {p, second}) {
        CHECK_EQ(poll(&each, 1, 0), 1);
        CHECK_EQ(each.revents, POLLHUP);
        close(each.fd);
    }
}

int main(int argc, char** argv) { return run_all(argc, argv); }
