// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Writes the files a guest sends back (--out) to the host.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "path_pair.hpp"

namespace tutti::cli {

class OutputFiles {
  public:
    // Pairs (guest path, host path). A host path that is a directory, or ends with '/', receives the file
    // under its guest name.
    explicit OutputFiles(std::vector<PathPair> const& pairs);
    ~OutputFiles();  // removes an unfinished file

    // The frames FileBegin (its payload), FileData and FileEnd. Throw CliError when the host cannot store the
    // file or when the guest names a path nobody asked for: a guest must not choose where it writes.
    void begin(std::span<const std::uint8_t> payload);
    void data(std::span<const std::uint8_t> bytes);
    void end();

    // Guest paths for which nothing came.
    [[nodiscard]] std::vector<std::string> missing() const;
    [[nodiscard]] std::vector<std::string> guest_paths() const;

  private:
    struct Target {
        std::string guest;
        std::string host;
        bool received = false;
    };
    std::string host_path_for(std::string const& guest_path, bool is_directory);
    void close_partial();

    std::vector<Target> targets_;
    bool open_ = false;
    int fd_ = -1;            // of the file at partial_
    std::string partial_;    // where data goes first
    std::string path_;       // final name
    std::string link_text_;  // target of a symbolic link being received
    std::uint32_t mode_ = 0;
    std::uint64_t left_ = 0;
};

}  // namespace tutti::cli
