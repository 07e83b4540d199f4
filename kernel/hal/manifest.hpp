// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// The manifest: what the `tutti` command asks the kernel to run. It is the first file of the initial file
// system image (cpio, newc), under the name kManifestPath. Shared by both sides; freestanding.
//
// A sequence of records `key=value` NUL, in this meaning and in any order between different keys:
//
//   exe=PATH      the program, an absolute path in the guest           exactly once
//   arg=TEXT      argv[0], argv[1], ... in order                       at least once
//   env=K=V       the environment, in order                            any number
//   cwd=PATH      the working directory                                at most once; default "/"
//   out=PATH      a file or directory to send back after the program   any number
//   stdin=link|null   input comes over the host link, or is empty      at most once; default null
//   tty=0|1       standard input and output are a terminal             at most once; default 0
//
// Values are bytes without NUL. An unknown key is an error that the kernel reports: command and kernel
// come from one build.

#include <cstddef>
#include <optional>
#include <string_view>

namespace tutti::hal {

inline constexpr std::string_view kManifestPath = ".tutti/manifest";

struct ManifestRecord {
    std::string_view key;
    std::string_view value;
};

// Walks a manifest's records. Views point into the text given.
class ManifestReader {
  public:
    explicit constexpr ManifestReader(std::string_view text) : rest_(text) {}

    // The next record; nothing at the end or at a malformed record (see failed()).
    constexpr std::optional<ManifestRecord> next() {
        if (failed_ || rest_.empty()) return std::nullopt;
        const std::size_t end = rest_.find('\0');
        const std::size_t equals = rest_.find('=');
        if (end == std::string_view::npos || equals >= end || equals == 0) {
            failed_ = true;
            return std::nullopt;
        }
        const ManifestRecord record{rest_.substr(0, equals), rest_.substr(equals + 1, end - equals - 1)};
        rest_.remove_prefix(end + 1);
        return record;
    }

    // True when next() stopped at a record without `=`, without a key, or without its NUL.
    [[nodiscard]] constexpr bool failed() const { return failed_; }

  private:
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace tutti::hal
