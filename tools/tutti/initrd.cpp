// SPDX-License-Identifier: BSD-3-Clause
#include "initrd.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "cli_error.hpp"
#include "cpio_writer.hpp"
#include "hal/manifest.hpp"

namespace tutti::cli {

Initrd::Initrd(Manifest const& manifest, FileSet const& files) : fd_(::memfd_create("tutti-initrd", MFD_CLOEXEC)) {
    if (!fd_.valid()) throw CliError(std::string("Cannot make the initial file system: ") + std::strerror(errno) + ".");
    CpioWriter writer(fd_.get());
    std::string text = manifest.encode();
    std::uint64_t const text_size = text.size();
    writer.add(hal::kManifestPath, {.mode = S_IFREG | 0600, .size = text_size, .content = std::move(text)});
    for (auto const& [path, entry] : files.entries()) writer.add(std::string_view(path).substr(1), entry);
    writer.finish();
    size_ = writer.size();
}

}  // namespace tutti::cli
