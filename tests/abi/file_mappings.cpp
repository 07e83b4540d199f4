// SPDX-License-Identifier: BSD-3-Clause
// Memory mapped from files: private and shared, coherence with read and write, protection, end of file.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "check.hpp"

using namespace tutti::check;

namespace {

constexpr std::size_t kPage = 4096;

// A file of `pages` pages in which byte i of page p is 'a' + p.
class MappedFile {
  public:
    explicit MappedFile(int pages, int flags = O_RDWR) : path_(scratch_.path("data")) {
        std::string content;
        for (int p = 0; p < pages; ++p) content += std::string(kPage, static_cast<char>('a' + p));
        write_file(path_, content);
        fd_ = open(path_.c_str(), flags | O_CLOEXEC);
        CHECK_OK(fd_);
    }
    ~MappedFile() {
        if (fd_ >= 0) close(fd_);
    }
    char* map(int protection, int flags, std::size_t pages, off_t offset = 0) {
        void* memory = mmap(nullptr, pages * kPage, protection, flags, fd_, offset);
        return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
    }
    int fd() const { return fd_; }
    const std::string& path() const { return path_; }

  private:
    ScratchDirectory scratch_;
    std::string path_;
    int fd_ = -1;
};

char byte_at(int fd, off_t offset) {
    char byte = 0;
    return pread(fd, &byte, 1, offset) == 1 ? byte : 0;
}

}  // namespace

TEST(private_mapping_reads_the_file) {
    MappedFile file(3);
    char* memory = file.map(PROT_READ, MAP_PRIVATE, 3);
    REQUIRE(memory);
    for (int p = 0; p < 3; ++p) CHECK_EQ(memory[p * kPage + 17], 'a' + p);
    munmap(memory, 3 * kPage);
}

TEST(writes_to_a_private_mapping_stay_private) {
    MappedFile file(2);
    char* first = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 2);
    char* second = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 2);
    REQUIRE(first && second);
    first[5] = 'X';
    CHECK_EQ(first[5], 'X');
    CHECK_EQ(first[6], 'a');
    CHECK_EQ(second[5], 'a');
    CHECK_EQ(byte_at(file.fd(), 5), 'a');
    CHECK_EQ(second[kPage + 1], 'b');
    second[kPage + 1] = 'Y';  // write after read of the same page
    CHECK_EQ(second[kPage + 1], 'Y');
    CHECK_EQ(first[kPage + 1], 'b');
    munmap(first, 2 * kPage);
    munmap(second, 2 * kPage);
}

TEST(private_mapping_of_a_read_only_file_may_be_written) {
    MappedFile file(1, O_RDONLY);
    char* memory = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 1);
    REQUIRE(memory);
    memory[0] = 'Z';
    CHECK_EQ(memory[0], 'Z');
    munmap(memory, kPage);
    CHECK_EQ((void*)mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0), MAP_FAILED);
    CHECK_EQ(errno, EACCES);
    char* shared = file.map(PROT_READ, MAP_SHARED, 1);
    REQUIRE(shared);
    CHECK_ERR(mprotect(shared, kPage, PROT_READ | PROT_WRITE), EACCES);
    munmap(shared, kPage);
}

TEST(shared_mappings_files_and_each_other_are_coherent) {
    MappedFile file(2);
    char* first = file.map(PROT_READ | PROT_WRITE, MAP_SHARED, 2);
    char* second = file.map(PROT_READ, MAP_SHARED, 2);
    REQUIRE(first && second);
    first[kPage + 3] = 'S';
    CHECK_EQ(second[kPage + 3], 'S');
    CHECK_EQ(byte_at(file.fd(), kPage + 3), 'S');
    CHECK_EQ(pwrite(file.fd(), "W", 1, 9), 1);
    CHECK_EQ(first[9], 'W');
    CHECK_EQ(second[9], 'W');
    CHECK_OK(msync(first, 2 * kPage, MS_SYNC));
    munmap(first, 2 * kPage);
    CHECK_EQ(second[kPage + 3], 'S');
    munmap(second, 2 * kPage);
    CHECK_EQ(byte_at(file.fd(), kPage + 3), 'S');
}

TEST(an_untouched_private_page_sees_the_file_when_first_read) {
    MappedFile file(1);
    char* memory = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 1);
    REQUIRE(memory);
    CHECK_EQ(pwrite(file.fd(), "N", 1, 100), 1);
    CHECK_EQ(memory[100], 'N');
    munmap(memory, kPage);
}

TEST(offsets) {
    MappedFile file(4);
    char* memory = file.map(PROT_READ, MAP_PRIVATE, 1, 2 * kPage);
    REQUIRE(memory);
    CHECK_EQ(memory[0], 'c');
    munmap(memory, kPage);
    CHECK_EQ((void*)mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, file.fd(), 100), MAP_FAILED);
    CHECK_EQ(errno, EINVAL);
}

TEST(part_of_a_file_mapping_can_be_unmapped_and_protected) {
    MappedFile file(5);
    char* memory = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 5);
    REQUIRE(memory);
    CHECK_OK(munmap(memory + kPage, kPage));
    CHECK_OK(mprotect(memory + 3 * kPage, kPage, PROT_READ));
    CHECK_EQ(memory[0], 'a');
    CHECK_EQ(memory[2 * kPage], 'c');
    CHECK_EQ(memory[3 * kPage], 'd');
    CHECK_EQ(memory[4 * kPage], 'e');
    munmap(memory, 5 * kPage);
}

TEST(dontneed_brings_back_the_files_content) {
    MappedFile file(1);
    char* memory = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 1);
    REQUIRE(memory);
    memory[0] = 'Q';
    CHECK_OK(madvise(memory, kPage, MADV_DONTNEED));
    CHECK_EQ(memory[0], 'a');
    munmap(memory, kPage);
}

TEST(the_mapping_outlives_descriptor_and_name) {
    MappedFile file(1);
    char* memory = file.map(PROT_READ | PROT_WRITE, MAP_SHARED, 1);
    REQUIRE(memory);
    CHECK_OK(unlink(file.path().c_str()));
    const int copy = dup(file.fd());
    close(copy);
    memory[1] = 'L';
    CHECK_EQ(memory[1], 'L');
    CHECK_EQ(byte_at(file.fd(), 1), 'L');
    munmap(memory, kPage);
}

TEST(mremap_of_a_file_mapping) {
    MappedFile file(6);
    char* memory = file.map(PROT_READ, MAP_PRIVATE, 2);
    REQUIRE(memory);
    char* grown = static_cast<char*>(mremap(memory, 2 * kPage, 6 * kPage, MREMAP_MAYMOVE));
    REQUIRE(grown != MAP_FAILED);
    for (int p = 0; p < 6; ++p) CHECK_EQ(grown[p * kPage], 'a' + p);
    munmap(grown, 6 * kPage);
}

TEST(system_calls_read_and_write_mapped_files) {
    // The kernel itself faults the pages in, with a buffer that is a mapping of another part of the file.
    MappedFile file(4);
    char* memory = file.map(PROT_READ | PROT_WRITE, MAP_SHARED, 4);
    REQUIRE(memory);
    CHECK_EQ(pread(file.fd(), memory, kPage, 3 * kPage), (ssize_t)kPage);
    CHECK_EQ(memory[10], 'd');
    CHECK_EQ(pwrite(file.fd(), memory + kPage, kPage, 2 * kPage), (ssize_t)kPage);
    CHECK_EQ(memory[2 * kPage], 'b');
    munmap(memory, 4 * kPage);
}

TEST(devices) {
    const int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
    REQUIRE(zero >= 0);
    char* memory = static_cast<char*>(mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0));
    if (memory == MAP_FAILED)
        CHECK_EQ(errno, ENODEV);
    else {
        CHECK_EQ(memory[kPage], 0);
        memory[0] = 1;
        munmap(memory, 2 * kPage);
    }
    close(zero);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    CHECK_EQ((void*)mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, ends[0], 0), MAP_FAILED);
    CHECK_EQ(errno, ENODEV);
    close(ends[0]);
    close(ends[1]);
    const int directory = open("/", O_RDONLY | O_CLOEXEC);
    CHECK_EQ((void*)mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, directory, 0), MAP_FAILED);
    CHECK_EQ(errno, ENODEV);
    close(directory);
    MappedFile write_only(1, O_WRONLY);
    CHECK_EQ((void*)mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, write_only.fd(), 0), MAP_FAILED);
    CHECK_EQ(errno, EACCES);
}

TEST(a_grown_file_shows_in_its_mapping) {
    MappedFile file(1);
    char* memory = file.map(PROT_READ | PROT_WRITE, MAP_SHARED, 2);
    REQUIRE(memory);
    CHECK_OK(ftruncate(file.fd(), 2 * kPage));
    CHECK_EQ(memory[kPage + 5], 0);
    memory[kPage + 5] = 'G';
    CHECK_EQ(byte_at(file.fd(), kPage + 5), 'G');
    munmap(memory, 2 * kPage);
}

TEST(a_cut_file_leaves_its_mappings) {
    MappedFile file(4);
    char* shared = file.map(PROT_READ | PROT_WRITE, MAP_SHARED, 4);
    char* copied = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, 4);
    REQUIRE(shared && copied);
    shared[kPage + 1] = 'S';
    copied[3 * kPage] = 'C';
    CHECK_EQ(copied[0], 'a');
    CHECK_OK(ftruncate(file.fd(), kPage));
    // A read into a page that is gone: the kernel's SIGBUS.
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    CHECK_ERR(write(ends[1], shared + kPage, 1), EFAULT);
    CHECK_ERR(write(ends[1], copied + 3 * kPage, 1), EFAULT);
    CHECK_EQ(shared[7], 'a');
    CHECK_EQ(copied[0], 'a');
    CHECK_OK(ftruncate(file.fd(), 4 * kPage));
    CHECK_EQ(shared[kPage + 1], 0);
    CHECK_EQ(copied[3 * kPage], 0);
    shared[kPage + 1] = 'T';
    CHECK_EQ(byte_at(file.fd(), kPage + 1), 'T');
    CHECK_EQ(pwrite(file.fd(), "U", 1, 2 * kPage), 1);
    CHECK_EQ(shared[2 * kPage], 'U');
    close(ends[0]);
    close(ends[1]);
    munmap(shared, 4 * kPage);
    munmap(copied, 4 * kPage);
}

TEST(a_hole_shows_in_shared_mappings) {
    const int fd = memfd_create("holes", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && ftruncate(fd, 4 * kPage) == 0);
    char* memory = static_cast<char*>(mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    REQUIRE(memory != MAP_FAILED);
    for (int p = 0; p < 4; ++p) memory[p * kPage] = 'H';
    CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kPage, 2 * kPage));
    CHECK_EQ(memory[0], 'H');
    CHECK_EQ(memory[kPage], 0);
    CHECK_EQ(memory[2 * kPage], 0);
    CHECK_EQ(memory[3 * kPage], 'H');
    memory[2 * kPage] = 'I';
    CHECK_EQ(byte_at(fd, 2 * kPage), 'I');
    close(fd);
    munmap(memory, 4 * kPage);
}

// One cuts and grows a file while others write through a mapping of it: each time the mapping is that of the file.
TEST(a_file_is_cut_while_others_write_to_it) {
    const int source = memfd_create("source", MFD_CLOEXEC);
    const int fd = memfd_create("cut", MFD_CLOEXEC);
    REQUIRE(source >= 0 && pwrite(source, "w", 1, 0) == 1 && fd >= 0 && ftruncate(fd, 4 * kPage) == 0);
    char* memory = static_cast<char*>(mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    REQUIRE(memory != MAP_FAILED);
    std::atomic<bool> done{false};
    {
        Threads writers;
        for (int t = 0; t < 3; ++t)
            writers.push_back(std::make_unique<Thread>([&, t] {
                // The system call writes: where nothing is, that is an error and no signal.
                while (!done.load())
                    if (pread(source, memory + kPage * (1 + t) + 9, 1, 0) != 1) CHECK_EQ(errno, EFAULT);
            }));
        for (int round = 1; round <= 100; ++round) {
            CHECK_OK(ftruncate(fd, kPage));
            CHECK_OK(ftruncate(fd, 4 * kPage));
            for (int p = 1; p < 4; ++p) {
                CHECK_EQ(byte_at(fd, p * kPage + 100), 0);
                memory[p * kPage + 100] = static_cast<char>(round);
                CHECK_EQ(byte_at(fd, p * kPage + 100), round);
            }
        }
        done.store(true);
    }
    close(source);
    close(fd);
    munmap(memory, 4 * kPage);
}

TEST(threads_fault_a_file_in_parallel) {
    constexpr int kPages = 24, kThreads = 4;
    MappedFile file(kPages);
    for (int round = 0; round < 20; ++round) {
        char* memory = file.map(PROT_READ | PROT_WRITE, MAP_PRIVATE, kPages);
        REQUIRE(memory);
        int wrong[kThreads] = {};
        Threads threads;
        for (int t = 0; t < kThreads; ++t)
            threads.push_back(std::make_unique<Thread>([&, t] {
                for (int p = 0; p < kPages; ++p) {
                    const int page = (p * 7 + t * 5) % kPages;
                    if (memory[page * kPage + t * 8] != static_cast<char>('a' + page)) ++wrong[t];
                    memory[page * kPage + t * 8] = static_cast<char>(t);
                    if (memory[page * kPage + t * 8] != t) ++wrong[t];
                }
            }));
        threads.clear();
        for (int w : wrong) CHECK_EQ(w, 0);
        for (int t = 0; t < kThreads; ++t) CHECK_EQ(memory[5 * kPage + t * 8], t);
        munmap(memory, kPages * kPage);
    }
}

int main(int argc, char** argv) { return run_all(argc, argv); }
