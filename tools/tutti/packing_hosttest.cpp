// SPDX-License-Identifier: BSD-3-Clause
// The archive, checked by GNU cpio as well as byte by byte; the file set; sizes, paths and the manifest.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli_error.hpp"
#include "cpio_writer.hpp"
#include "file_set.hpp"
#include "hal/manifest.hpp"
#include "initrd.hpp"
#include "manifest.hpp"
#include "path_pair.hpp"
#include "size.hpp"
#include "test_directory.hpp"

namespace tutti::cli {
namespace {

std::string run(std::string const& command) {
    std::string text;
    FILE* pipe = ::popen(command.c_str(), "r");
    char buffer[4096];
    for (std::size_t count = 0; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, count);
    EXPECT_EQ(::pclose(pipe), 0) << command;
    return text;
}

std::string contents(Initrd const& initrd) {
    std::string bytes(initrd.size(), '\0');
    EXPECT_EQ(::pread(initrd.fd(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
}

struct Member {
    unsigned mode;
    std::uint64_t data_offset;
    std::string data;
};
// A second, independent reader of the format, strict about what the kernel relies on.
std::map<std::string, Member> members(std::string const& archive, std::string* first = nullptr) {
    std::map<std::string, Member> result;
    for (std::size_t at = 0;;) {
        EXPECT_EQ(archive.compare(at, 6, "070701"), 0) << "at " << at;
        auto const field = [&](int index) { return std::stoul(archive.substr(at + 6 + index * 8, 8), nullptr, 16); };
        unsigned const mode = static_cast<unsigned>(field(1));
        std::size_t const size = field(6);
        std::size_t const name_size = field(11);
        std::string const name = archive.c_str() + at + 110;
        if (name == "TRAILER!!!") return result;
        EXPECT_EQ(archive[at + 110 + name_size - 1], '\0');
        std::size_t const data = (at + 110 + name_size + 3) / 4 * 4;
        if (first != nullptr && result.empty()) *first = name;
        result[name] = {mode, data, archive.substr(data, size)};
        at = (data + size + 3) / 4 * 4;
    }
}

TEST(Cpio, AlignsLargeFilesAndKeepsEverything) {
    TestDirectory const directory;
    std::string const big = directory.write("big", std::string(10'000, 'b'));
    FileSet files;
    files.add_text("/small", "12345");
    files.add_text("/empty", "");
    files.add_text("/exact", std::string(4096, 'e'));
    files.add("/dir/big", {.mode = S_IFREG | 0755, .mtime = 1'700'000'000, .size = 10'000, .host_path = big, .content = {}});
    files.add_symlink("/link", "dir/big");
    Manifest manifest;
    manifest.executable = "/dir/big";
    Initrd const initrd(manifest, files);
    std::string const archive = contents(initrd);
    EXPECT_EQ(archive.size() % kCpioPage, 0U);

    std::string first;
    auto const found = members(archive, &first);
    EXPECT_EQ(first, hal::kManifestPath);
    EXPECT_EQ(found.at("small").data, "12345");
    EXPECT_EQ(found.at("empty").data, "");
    EXPECT_EQ(found.at("exact").data_offset % kCpioPage, 0U);
    EXPECT_EQ(found.at("dir/big").data, std::string(10'000, 'b'));
    EXPECT_EQ(found.at("dir/big").data_offset % kCpioPage, 0U);
    EXPECT_EQ(found.at("dir/big").mode, S_IFREG | 0755U);
    EXPECT_EQ(found.at("link").data, "dir/big");
    EXPECT_EQ(found.at("dir").mode, S_IFDIR | 0755U);
}

TEST(Cpio, GnuCpioReadsIt) {
    TestDirectory const directory;
    FileSet files;
    files.add_text("/a/one", std::string(5000, '1'));
    files.add_text("/a/two", "2");
    files.add_symlink("/b", "a");
    Initrd const initrd({.executable = "/a/one"}, files);
    std::string const archive = directory.write("archive", contents(initrd));
    EXPECT_EQ(run("cpio -it --quiet < " + archive), ".tutti/manifest\na\na/one\na/two\nb\n");
    run("cd " + directory.path() + " && cpio -id --quiet < archive");
    EXPECT_EQ(directory.read("a/one"), std::string(5000, '1'));
    EXPECT_EQ(directory.read("b/two"), "2");
}

TEST(Cpio, ReportsAFileThatBecameShorter) {
    TestDirectory const directory;
    std::string const path = directory.write("file", "short");
    FileSet files;
    files.add("/file", {.mode = S_IFREG | 0644, .size = 100, .host_path = path, .content = {}});
    EXPECT_THROW(Initrd({.executable = "/file"}, files), CliError);
}

TEST(FileSet, NormalisesPaths) {
    EXPECT_EQ(normalise_guest_path("/a//b/./c/"), "/a/b/c");
    EXPECT_EQ(normalise_guest_path("a/../../b"), "/b");
    EXPECT_EQ(normalise_guest_path("/../.."), "/");
    EXPECT_EQ(normalise_guest_path(""), "/");
}

TEST(FileSet, PacksThroughItsOwnLinks) {
    FileSet files;
    files.add_symlink("/lib", "usr/lib");
    files.add_text("/lib/libx.so", "x");
    EXPECT_TRUE(files.contains("/usr/lib/libx.so"));
    EXPECT_FALSE(files.contains("/lib/libx.so"));
    files.add_directory("/lib");
    EXPECT_TRUE(S_ISLNK(files.entries().at("/lib").mode)) << "a directory must not cut the link off";
    files.add_symlink("/usr/lib", "/elsewhere");
    EXPECT_TRUE(S_ISDIR(files.entries().at("/usr/lib").mode)) << "a link must not orphan a directory's files";
}

TEST(FileSet, SurvivesALoopOfLinks) {
    FileSet files;
    files.add_symlink("/a", "b");
    files.add_symlink("/b", "a");
    files.add_text("/a/file", "x");
    EXPECT_GE(files.entries().size(), 2U);
}

TEST(FileSet, LaterContentWins) {
    FileSet files;
    files.add_text("/etc/passwd", "generated");
    files.add_text("/etc/passwd", "copied");
    EXPECT_EQ(files.entries().at("/etc/passwd").content, "copied");
}

TEST(Size, ParsesWhatPeopleWrite) {
    EXPECT_EQ(parse_size("4096"), 4096U);
    EXPECT_EQ(parse_size("512M"), 512 * kMiB);
    EXPECT_EQ(parse_size("2g"), 2 * kGiB);
    EXPECT_EQ(parse_size("1TiB"), 1024 * kGiB);
    EXPECT_EQ(parse_size("3KB"), 3 * kKiB);
    EXPECT_EQ(parse_size("0"), 0U);
}

TEST(Size, RejectsEverythingElse) {
    for (char const* text : {"", "M", "-1", "1.5G", "12Q", "12MM", "12 M", "99999999999999999999", "18446744073709551615K"}) {
        EXPECT_THROW(parse_size(text), CliError) << text;
    }
}

TEST(Size, FormatsExactly) {
    EXPECT_EQ(format_size(512 * kMiB), "512M");
    EXPECT_EQ(format_size(1536 * kKiB), "1536K");
    EXPECT_EQ(format_size(100), "100");
    EXPECT_EQ(format_size(0), "0");
}

TEST(PathPair, SplitsAtTheLastColon) {
    EXPECT_EQ(parse_path_pair("a:b:/c", "--copy", "HOST:GUEST").first, "a:b");
    EXPECT_EQ(parse_path_pair("a:b:/c", "--copy", "HOST:GUEST").second, "/c");
    EXPECT_EQ(parse_path_pair("/same", "--copy", "HOST:GUEST").second, "/same");
    for (char const* text : {"", ":", "a:", ":b"}) {
        EXPECT_THROW(parse_path_pair(text, "--copy", "HOST:GUEST"), CliError) << text;
    }
}

TEST(Manifest, IsWhatTheKernelReads) {
    Manifest manifest;
    manifest.executable = "/bin/x";
    manifest.arguments = {"x", "", "a b=c"};
    manifest.environment = {"A=B=C"};
    manifest.outputs = {"/out"};
    manifest.input_from_link = true;
    std::string const text = manifest.encode();
    hal::ManifestReader reader(text);
    std::vector<std::string> records;
    while (auto const record = reader.next()) records.push_back(std::string(record->key) + "|" + std::string(record->value));
    EXPECT_FALSE(reader.failed());
    std::vector<std::string> const expected{"exe|/bin/x", "arg|x",     "arg|",       "arg|a b=c", "env|A=B=C",
                                            "cwd|/",      "out|/out", "stdin|link", "tty|0"};
    EXPECT_EQ(records, expected);
    manifest.arguments.emplace_back("nul\0inside", 10);
    EXPECT_THROW(static_cast<void>(manifest.encode()), CliError);
}

}  // namespace
}  // namespace tutti::cli
