// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/cpio/cpio_reader.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

using tutti::vfs::CpioReader;

std::string header(std::string_view name, unsigned mode, std::size_t data_size, std::size_t extra_nuls = 0) {
    char text[111];
    std::snprintf(text, sizeof text, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 7U, mode, 1U, 2U, 1U,
                  1234U, static_cast<unsigned>(data_size), 0U, 0U, 5U, 1U,
                  static_cast<unsigned>(name.size() + 1 + extra_nuls), 0U);
    std::string out{text, 110};
    out += name;
    out.append(1 + extra_nuls, '\0');
    while (out.size() % 4 != 0) out.push_back('\0');
    return out;
}

std::string entry(std::string_view name, unsigned mode, std::string_view data, std::size_t extra_nuls = 0) {
    std::string out = header(name, mode, data.size(), extra_nuls);
    out += data;
    while (out.size() % 4 != 0) out.push_back('\0');
    return out;
}

CpioReader reader_of(std::string const& archive) {
    return CpioReader{{reinterpret_cast<tutti::u8 const*>(archive.data()), archive.size()}};
}

TEST(CpioReader, ReadsEntriesUntilTheTrailer) {
    std::string const archive = entry("etc", 0040755, "") + entry("etc/motd", 0100644, "hello") +
                                entry("link", 0120777, "etc/motd") + entry("TRAILER!!!", 0, "") + "rubbish";
    CpioReader reader = reader_of(archive);
    auto first = reader.next();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->name, "etc");
    EXPECT_EQ((*first)->mode, 0040755U);
    auto second = reader.next();
    ASSERT_TRUE(second && *second);
    EXPECT_EQ((*second)->name, "etc/motd");
    EXPECT_EQ(std::string((*second)->data.begin(), (*second)->data.end()), "hello");
    EXPECT_EQ((*second)->uid, 1U);
    EXPECT_EQ((*second)->gid, 2U);
    EXPECT_EQ((*second)->modify_time, 1234U);
    EXPECT_EQ((*second)->device_major, 5U);
    auto third = reader.next();
    ASSERT_TRUE(third && *third);
    EXPECT_EQ((*third)->data.size(), 8U);
    auto end = reader.next();
    ASSERT_TRUE(end);
    EXPECT_FALSE(*end);
    EXPECT_TRUE(reader.next());  // stays at the end
}

TEST(CpioReader, AcceptsNamesPaddedWithNuls) {
    std::string const archive = entry("a", 0100644, "data", 3000) + entry("TRAILER!!!", 0, "");
    CpioReader reader = reader_of(archive);
    auto first = reader.next();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->name, "a");
    EXPECT_EQ((*first)->data.size(), 4U);
}

TEST(CpioReader, AnArchiveMayEndWithoutATrailer) {
    std::string const archive = entry("a", 0100644, "data");
    CpioReader reader = reader_of(archive);
    ASSERT_TRUE(reader.next());
    auto const end = reader.next();
    ASSERT_TRUE(end);
    EXPECT_FALSE(*end);
}

TEST(CpioReader, RefusesWhatIsCutOff) {
    std::string const whole = entry("name", 0100644, "0123456789");
    for (std::size_t size = 1; size < whole.size() - 2; ++size) {  // two bytes of padding may be missing
        std::string const cut = whole.substr(0, size);
        CpioReader reader = reader_of(cut);
        auto const result = reader.next();
        ASSERT_FALSE(result) << size;
        EXPECT_EQ(result.error(), tutti::Error::BadFormat);
    }
}

TEST(CpioReader, RefusesLies) {
    for (auto const& [offset, text] : std::vector<std::pair<std::size_t, std::string>>{
             {0, "070707"},            // another format
             {54, "FFFFFFFF"},         // data beyond the archive
             {94, "00000000"},         // no name
             {94, "FFFFFFFF"},         // a name beyond the archive
             {14, "0000zzzz"},         // not a number
             {110, std::string(1, 0)}  // an empty name
         }) {
        std::string archive = entry("name", 0100644, "x");
        archive.replace(offset, text.size(), text);
        CpioReader reader = reader_of(archive);
        EXPECT_FALSE(reader.next()) << offset;
    }
}

}  // namespace
