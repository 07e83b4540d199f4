// SPDX-License-Identifier: BSD-3-Clause
// What a guest sends back goes where the user said, whatever the guest says.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "cli_error.hpp"
#include "hal/host_link.hpp"
#include "output_files.hpp"
#include "test_directory.hpp"

namespace tutti::cli {
namespace {

void send(OutputFiles& files, std::string const& path, unsigned mode, std::string const& content) {
    hal::FileBeginPayload const header{mode, 0, content.size()};
    std::vector<std::uint8_t> payload(sizeof header + path.size());
    std::memcpy(payload.data(), &header, sizeof header);
    std::memcpy(payload.data() + sizeof header, path.data(), path.size());
    files.begin(payload);
    files.data({reinterpret_cast<std::uint8_t const*>(content.data()), content.size()});
    files.end();
}

TEST(OutputFiles, StoresFilesLinksAndDirectories) {
    TestDirectory const host;
    OutputFiles files{{{"/out", host.path() + "/got"}}};
    send(files, "/out", S_IFDIR | 0755, "");
    send(files, "/out/file", S_IFREG | 0640, "content");
    send(files, "/out/link", S_IFLNK | 0777, "file");
    EXPECT_EQ(host.read("got/file"), "content");
    EXPECT_EQ(host.read("got/link"), "content");
    struct stat status {};
    ASSERT_EQ(::stat((host.path() + "/got/file").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
    EXPECT_TRUE(files.missing().empty());
    int entries = 0;
    for (auto const& entry : std::filesystem::directory_iterator(host.path() + "/got")) entries += entry.exists();
    EXPECT_EQ(entries, 2);
}

// Whatever links came first, a file replaces a link and is not written through one.
TEST(OutputFiles, NeverWritesThroughALink) {
    TestDirectory const host;
    std::string const victim = host.write("victim", "untouched", 0600);
    OutputFiles files{{{"/out", host.path() + "/got"}}};
    send(files, "/out", S_IFDIR | 0755, "");
    for (std::string const name : {"/out/x", "/out/x.tutti-partial", "/out/x.partial"}) {
        send(files, name, S_IFLNK | 0777, victim);
        send(files, "/out/x", S_IFREG | 0755, "of the guest");
    }
    EXPECT_EQ(host.read("victim"), "untouched");
    EXPECT_EQ(host.read("got/x"), "of the guest");
    struct stat status {};
    ASSERT_EQ(::stat(victim.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST(OutputFiles, RefusesFilesAndDirectoriesBeneathALink) {
    TestDirectory const host;
    std::filesystem::create_directory(host.path() + "/elsewhere");
    OutputFiles files{{{"/out", host.path() + "/got"}}};
    send(files, "/out", S_IFDIR | 0755, "");
    send(files, "/out/link", S_IFLNK | 0777, host.path() + "/elsewhere");
    EXPECT_THROW(send(files, "/out/link/file", S_IFREG | 0644, ""), CliError);
    EXPECT_TRUE(std::filesystem::is_empty(host.path() + "/elsewhere"));
    EXPECT_THROW(send(files, "/out/link", S_IFDIR | 0777, ""), CliError);
    EXPECT_THROW(send(files, "/etc/passwd", S_IFREG | 0644, ""), CliError);
}

TEST(OutputFiles, LeavesNothingOfAnUnfinishedFile) {
    TestDirectory const host;
    {
        OutputFiles files{{{"/out", host.path() + "/got/"}}};
        hal::FileBeginPayload const header{S_IFREG | 0644, 0, 10};
        std::vector<std::uint8_t> payload(sizeof header + 4);
        std::memcpy(payload.data(), &header, sizeof header);
        std::memcpy(payload.data() + sizeof header, "/out", 4);
        files.begin(payload);
        files.data(std::vector<std::uint8_t>(5));
        EXPECT_THROW(files.end(), CliError);
    }
    EXPECT_TRUE(std::filesystem::is_empty(host.path() + "/got"));
}

}  // namespace
}  // namespace tutti::cli
