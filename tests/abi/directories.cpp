// SPDX-License-Identifier: BSD-3-Clause
// Names: directories, links, rename, path resolution, working directory, reading directories.
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <set>

#include "check.hpp"

using namespace tutti::check;

namespace {

const char* c(const std::string& text) { return text.c_str(); }

ino_t inode_of(const std::string& path) {
    struct stat status {};
    return lstat(c(path), &status) == 0 ? status.st_ino : 0;
}

nlink_t links_of(const std::string& path) {
    struct stat status {};
    return lstat(c(path), &status) == 0 ? status.st_nlink : 0;
}

std::map<std::string, unsigned char> entries_of(const std::string& path) {
    std::map<std::string, unsigned char> entries;
    DIR* directory = opendir(c(path));
    if (!CHECK(directory != nullptr)) return entries;
    while (dirent* entry = readdir(directory)) {
        CHECK(entries.count(entry->d_name) == 0);
        entries[entry->d_name] = entry->d_type;
    }
    closedir(directory);
    return entries;
}

// Back to the old working directory at the end of a scope.
class ScopedWorkingDirectory {
  public:
    ScopedWorkingDirectory() : fd_(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
    ~ScopedWorkingDirectory() {
        if (fchdir(fd_) != 0) note("cannot go back: errno %d", errno);
        close(fd_);
    }

  private:
    int fd_;
};

}  // namespace

TEST(mkdir_and_rmdir) {
    ScratchDirectory scratch;
    const std::string d = scratch.path("d");
    const mode_t old = umask(022);
    CHECK_OK(mkdir(c(d), 0777));
    umask(old);
    struct stat status {};
    CHECK_OK(stat(c(d), &status));
    CHECK(S_ISDIR(status.st_mode));
    CHECK_EQ(status.st_mode & 0777, 0755u);
    CHECK_ERR(mkdir(c(d), 0777), EEXIST);
    CHECK_ERR(mkdir(c(scratch.path("x/y")), 0777), ENOENT);
    write_file(d + "/f", "x");
    CHECK_ERR(mkdir(c(d + "/f/y"), 0777), ENOTDIR);
    CHECK_ERR(mkdir(c(d + "/f"), 0777), EEXIST);
    CHECK_ERR(rmdir(c(d)), ENOTEMPTY);
    CHECK_ERR(rmdir(c(d + "/f")), ENOTDIR);
    CHECK_ERR(rmdir(c(d + "/.")), EINVAL);
    CHECK_ERR(unlink(c(d)), EISDIR);
    CHECK_OK(unlink(c(d + "/f")));
    CHECK_OK(mkdir(c(d + "/sub/"), 0777));  // a slash at the end is fine for directories
    CHECK_OK(rmdir(c(d + "/sub")));
    CHECK_OK(rmdir(c(d)));
    CHECK_ERR(rmdir(c(d)), ENOENT);
}

TEST(at_calls_are_relative_to_the_directory) {
    ScratchDirectory scratch;
    const int directory = open(c(scratch.path()), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(directory >= 0);
    CHECK_OK(mkdirat(directory, "d", 0755));
    const int fd = openat(directory, "d/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    CHECK_OK(fd);
    close(fd);
    CHECK_OK(symlinkat("f", directory, "d/s"));
    char target[10];
    CHECK_EQ(readlinkat(directory, "d/s", target, sizeof target), 1);
    CHECK_OK(linkat(directory, "d/f", directory, "d/g", 0));
    CHECK_OK(renameat(directory, "d/g", directory, "h"));
    CHECK(inode_of(scratch.path("h")) == inode_of(scratch.path("d/f")));
    CHECK_OK(unlinkat(directory, "d/f", 0));
    CHECK_ERR(unlinkat(directory, "d", 0), EISDIR);
    CHECK_OK(unlinkat(directory, "d/s", 0));
    CHECK_OK(unlinkat(directory, "d", AT_REMOVEDIR));
    const int file = openat(directory, "h", O_RDONLY | O_CLOEXEC);
    CHECK_ERR(openat(file, "x", O_RDONLY), ENOTDIR);
    close(file);
    close(directory);
}

TEST(hard_links) {
    ScratchDirectory scratch;
    const std::string a = scratch.path("a"), b = scratch.path("b");
    write_file(a, "content");
    CHECK_OK(link(c(a), c(b)));
    CHECK_EQ(inode_of(a), inode_of(b));
    CHECK_EQ(links_of(a), 2u);
    CHECK_ERR(link(c(a), c(b)), EEXIST);
    CHECK_OK(unlink(c(a)));
    CHECK(read_file(b) == "content");
    CHECK_EQ(links_of(b), 1u);
    CHECK_OK(mkdir(c(a), 0755));
    CHECK_ERR(link(c(a), c(scratch.path("d"))), EPERM);
    CHECK_ERR(link(c(scratch.path("none")), c(scratch.path("x"))), ENOENT);
}

TEST(symbolic_links) {
    ScratchDirectory scratch;
    const std::string s = scratch.path("s");
    write_file(scratch.path("f"), "content");
    CHECK_OK(symlink("f", c(s)));
    CHECK(read_file(s) == "content");
    struct stat status {};
    CHECK_OK(lstat(c(s), &status));
    CHECK(S_ISLNK(status.st_mode));
    CHECK_EQ(status.st_size, 1);
    CHECK_OK(stat(c(s), &status));
    CHECK(S_ISREG(status.st_mode));
    char target[64];
    CHECK_EQ(readlink(c(s), target, sizeof target), 1);
    CHECK_EQ(target[0], 'f');
    CHECK_ERR(readlink(c(scratch.path("f")), target, sizeof target), EINVAL);
    CHECK_ERR(symlink("x", c(s)), EEXIST);
    CHECK_OK(unlink(c(s)));
    CHECK(read_file(scratch.path("f")) == "content");
    CHECK_OK(symlink("no/such/target", c(s)));
    CHECK_ERR(stat(c(s), &status), ENOENT);
    CHECK_OK(lstat(c(s), &status));
    CHECK_EQ(readlink(c(s), target, 5), 5);  // cut, without an error
    CHECK(memcmp(target, "no/su", 5) == 0);
    CHECK_ERR(symlink("", c(scratch.path("empty"))), ENOENT);
}

TEST(symbolic_links_inside_paths) {
    ScratchDirectory scratch;
    CHECK_OK(mkdir(c(scratch.path("d")), 0755));
    CHECK_OK(mkdir(c(scratch.path("d/e")), 0755));
    write_file(scratch.path("d/e/f"), "deep");
    CHECK_OK(symlink("d/e", c(scratch.path("relative"))));
    CHECK_OK(symlink(c(scratch.path("d")), c(scratch.path("absolute"))));
    CHECK(read_file(scratch.path("relative/f")) == "deep");
    CHECK(read_file(scratch.path("absolute/e/f")) == "deep");
    CHECK(read_file(scratch.path("relative/../e/f")) == "deep");  // .. of the target, not of the link
    CHECK(read_file(scratch.path("d//e/./f")) == "deep");
    CHECK_OK(symlink("dangling-target", c(scratch.path("dangling"))));
    const int fd = open(c(scratch.path("dangling")), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    CHECK_OK(fd);  // creates what the link names
    close(fd);
    CHECK_OK(access(c(scratch.path("dangling-target")), F_OK));
    CHECK_ERR(open(c(scratch.path("dangling")), O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
    CHECK_OK(symlink("b", c(scratch.path("a"))));
    CHECK_OK(symlink("a", c(scratch.path("b"))));
    struct stat status {};
    CHECK_ERR(stat(c(scratch.path("a")), &status), ELOOP);
    CHECK_ERR(stat(c(scratch.path("a/x")), &status), ELOOP);
    CHECK_OK(lstat(c(scratch.path("a")), &status));
}

TEST(a_chain_of_many_symbolic_links) {
    ScratchDirectory scratch;
    write_file(scratch.path("l0"), "end");
    for (int i = 1; i <= 41; ++i) CHECK_OK(symlink(c("l" + std::to_string(i - 1)), c(scratch.path("l" + std::to_string(i)))));
    CHECK(read_file(scratch.path("l40")) == "end");  // Linux follows 40 links
    struct stat status {};
    CHECK_ERR(stat(c(scratch.path("l41")), &status), ELOOP);
}

TEST(rename_files) {
    ScratchDirectory scratch;
    const std::string a = scratch.path("a"), b = scratch.path("b");
    write_file(a, "one");
    const ino_t inode = inode_of(a);
    CHECK_OK(rename(c(a), c(b)));
    CHECK_EQ(inode_of(b), inode);
    CHECK_ERR(access(c(a), F_OK), ENOENT);
    write_file(a, "two");
    const int old = open(c(b), O_RDONLY | O_CLOEXEC);
    CHECK_OK(rename(c(a), c(b)));  // replaces
    CHECK(read_file(b) == "two");
    char buffer[3];
    CHECK_EQ(read(old, buffer, 3), 3);
    CHECK(memcmp(buffer, "one", 3) == 0);
    close(old);
    CHECK_OK(rename(c(b), c(b)));
    CHECK_OK(link(c(b), c(a)));
    CHECK_OK(rename(c(a), c(b)));  // two names of one file: nothing happens
    CHECK_OK(access(c(a), F_OK));
    CHECK_ERR(rename(c(scratch.path("none")), c(a)), ENOENT);
    CHECK_ERR(rename(c(a), c(scratch.path("none/x"))), ENOENT);
}

TEST(rename_directories) {
    ScratchDirectory scratch;
    const std::string d = scratch.path("d"), e = scratch.path("e");
    CHECK_OK(mkdir(c(d), 0755));
    CHECK_OK(mkdir(c(d + "/sub"), 0755));
    write_file(d + "/sub/f", "x");
    CHECK_OK(rename(c(d), c(e)));
    CHECK(read_file(e + "/sub/f") == "x");
    CHECK_ERR(rename(c(e), c(e + "/sub/inside")), EINVAL);
    CHECK_OK(mkdir(c(d), 0755));
    CHECK_OK(rename(c(e), c(d)));  // onto an empty directory
    CHECK_OK(mkdir(c(e), 0755));
    CHECK_ERR(rename(c(e), c(d)), ENOTEMPTY);
    write_file(scratch.path("f"), "x");
    CHECK_ERR(rename(c(scratch.path("f")), c(d)), EISDIR);
    CHECK_ERR(rename(c(d), c(scratch.path("f"))), ENOTDIR);
    CHECK_OK(rename(c(d + "/sub"), c(e + "/sub")));
    struct stat up {}, parent {};
    CHECK_OK(stat(c(e + "/sub/.."), &up));
    CHECK_OK(stat(c(e), &parent));
    CHECK_EQ(up.st_ino, parent.st_ino);
}

TEST(renameat2_flags) {
    ScratchDirectory scratch;
    const std::string a = scratch.path("a"), b = scratch.path("b");
    write_file(a, "one");
    write_file(b, "two");
    const int result = renameat2(AT_FDCWD, c(a), AT_FDCWD, c(b), RENAME_NOREPLACE);
    if (result == -1 && (errno == ENOSYS || errno == EINVAL)) return skip("renameat2 flags are missing");
    CHECK_ERR(result, EEXIST);
    CHECK_ERR(renameat2(AT_FDCWD, c(a), AT_FDCWD, c(b), 0x100), EINVAL);
}

TEST(reading_a_directory) {
    ScratchDirectory scratch;
    write_file(scratch.path("file"), "x");
    CHECK_OK(mkdir(c(scratch.path("directory")), 0755));
    CHECK_OK(symlink("file", c(scratch.path("link"))));
    const auto entries = entries_of(scratch.path());
    CHECK_EQ(entries.size(), 5u);
    REQUIRE(entries.count(".") && entries.count("..") && entries.count("file") && entries.count("directory") && entries.count("link"));
    const auto is = [&](const char* name, unsigned char type) { return entries.at(name) == type || entries.at(name) == DT_UNKNOWN; };
    CHECK(is(".", DT_DIR) && is("..", DT_DIR) && is("file", DT_REG) && is("directory", DT_DIR) && is("link", DT_LNK));
}

TEST(reading_a_large_directory) {
    ScratchDirectory scratch;
    constexpr int kFiles = 500;
    for (int i = 0; i < kFiles; ++i) write_file(scratch.path("file-with-some-length-" + std::to_string(i)), "");
    CHECK_EQ(entries_of(scratch.path()).size(), kFiles + 2u);
    // In small steps, with removal of what was read: each name must come exactly once.
    const int fd = open(c(scratch.path()), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::set<std::string> names;
    alignas(8) char buffer[200];
    long count;
    while ((count = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < count;) {
            const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
            const std::string name = entry->d_name;
            if (name != "." && name != "..") {
                CHECK(names.insert(name).second);
                unlinkat(fd, c(name), 0);
            }
            at += entry->d_reclen;
        }
    CHECK_EQ(count, 0);
    CHECK_EQ(names.size(), (std::size_t)kFiles);
    close(fd);
    const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_ERR(syscall(SYS_getdents64, file, buffer, sizeof buffer), ENOTDIR);
    close(file);
}

TEST(a_listing_ends_while_what_it_lists_is_renamed) {
    ScratchDirectory directory;
    constexpr int kFiles = 2000;  // more than one call brings
    for (int i = 0; i < kFiles; ++i) write_file(directory.path(std::to_string(i)), "");
    DIR* listing = opendir(c(directory.path()));
    REQUIRE(listing);
    int seen = 0;
    while (dirent* entry = readdir(listing)) {
        if (entry->d_name[0] == '.') continue;
        if (!CHECK(++seen <= 2 * kFiles)) break;
        CHECK_OK(renameat(dirfd(listing), entry->d_name, dirfd(listing), c(std::string{entry->d_name} + ".x")));
    }
    closedir(listing);
    CHECK_EQ(entries_of(directory.path()).size(), std::size_t{kFiles + 2});
}

TEST(rewinding_a_directory) {
    ScratchDirectory scratch;
    write_file(scratch.path("a"), "");
    DIR* directory = opendir(c(scratch.path()));
    REQUIRE(directory);
    int first = 0, second = 0;
    while (readdir(directory)) ++first;
    write_file(scratch.path("b"), "");
    rewinddir(directory);
    while (readdir(directory)) ++second;
    CHECK_EQ(first, 3);
    CHECK_EQ(second, 4);
    closedir(directory);
}

TEST(working_directory) {
    ScopedWorkingDirectory back;
    ScratchDirectory scratch;
    CHECK_OK(mkdir(c(scratch.path("d")), 0755));
    CHECK_OK(chdir(c(scratch.path("d"))));
    char path[4096];
    REQUIRE(getcwd(path, sizeof path) != nullptr);
    CHECK(scratch.path("d") == path);
    write_file("here", "x");
    CHECK(read_file(scratch.path("d/here")) == "x");
    CHECK_OK(chdir(".."));
    REQUIRE(getcwd(path, sizeof path) != nullptr);
    CHECK(scratch.path() == path);
    CHECK_ERR(syscall(SYS_getcwd, path, 2), ERANGE);
    CHECK_ERR(chdir("none"), ENOENT);
    CHECK_ERR(chdir("d/here"), ENOTDIR);
    const int fd = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_OK(fchdir(fd));
    CHECK_OK(access("here", F_OK));
    const int file = open("here", O_RDONLY | O_CLOEXEC);
    CHECK_ERR(fchdir(file), ENOTDIR);
    close(fd);
    close(file);
    CHECK_OK(chdir("/"));
    REQUIRE(getcwd(path, sizeof path) != nullptr);
    CHECK(strcmp(path, "/") == 0);
    CHECK_OK(chdir(".."));  // the parent of the root is the root
    REQUIRE(getcwd(path, sizeof path) != nullptr);
    CHECK(strcmp(path, "/") == 0);
}

TEST(names_are_bytes) {
    ScratchDirectory scratch;
    const std::string name = "\x01 \xff\xc3\xa9\\\"'*";
    write_file(scratch.path(name), "x");
    CHECK(entries_of(scratch.path()).count(name) == 1);
    CHECK_OK(unlink(c(scratch.path(name))));
}

TEST(threads_create_and_remove_in_one_directory) {
    constexpr int kThreads = 4, kFiles = 100;
    ScratchDirectory scratch;
    Threads threads;
    for (int t = 0; t < kThreads; ++t)
        threads.push_back(std::make_unique<Thread>([&scratch, t] {
            for (int i = 0; i < kFiles; ++i) {
                const std::string own = scratch.path("t" + std::to_string(t) + "-" + std::to_string(i));
                write_file(own, std::to_string(i));
                CHECK(read_file(own) == std::to_string(i));
                const std::string moved = scratch.path("m" + std::to_string(t) + "-" + std::to_string(i));
                CHECK_OK(rename(own.c_str(), moved.c_str()));
                if (i % 2) CHECK_OK(unlink(moved.c_str()));
            }
        }));
    threads.clear();
    CHECK_EQ(entries_of(scratch.path()).size(), kThreads * kFiles / 2 + 2u);
}

TEST(threads_race_to_create_one_file) {
    ScratchDirectory scratch;
    for (int round = 0; round < 50; ++round) {
        const std::string path = scratch.path("race" + std::to_string(round));
        int winners = 0;
        Threads threads;
        for (int t = 0; t < 4; ++t)
            threads.push_back(std::make_unique<Thread>([&] {
                const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
                if (fd >= 0) {
                    __atomic_fetch_add(&winners, 1, __ATOMIC_RELAXED);
                    close(fd);
                } else {
                    CHECK_EQ(errno, EEXIST);
                }
            }));
        threads.clear();
        CHECK_EQ(winners, 1);
    }
}

int main(int argc, char** argv) { return run_all(argc, argv); }
