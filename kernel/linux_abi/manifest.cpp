// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/manifest.hpp"

#include "hal/manifest.hpp"

namespace tutti::linux_abi {

Result<Manifest> parse_manifest(std::string_view text, ManifestComplaint& complaint) {
    Manifest manifest;
    char buffer[160];
    auto const refuse = [&](std::string_view what, std::string_view key) {
        complaint.assign(format_to(buffer, "manifest: {} '{}'; command and kernel must come from one build", what, key));
        return fail(Error::BadFormat);
    };
    hal::ManifestReader reader{text};
    while (auto const record = reader.next()) {
        std::string_view const value = record->value;
        if (record->key == "exe") {
            manifest.executable = value;
        } else if (record->key == "arg") {
            TRY(manifest.arguments.try_push_back(value));
        } else if (record->key == "env") {
            TRY(manifest.environment.try_push_back(value));
        } else if (record->key == "cwd") {
            manifest.working_directory = value;
        } else if (record->key == "out") {
            TRY(manifest.results.try_push_back(value));
        } else if (record->key == "stdin" && (value == "link" || value == "null")) {
            manifest.has_input = value == "link";
        } else if (record->key == "tty" && (value == "0" || value == "1")) {
            manifest.is_terminal = value == "1";
        } else {
            return refuse("unknown record", record->key);
        }
    }
    if (reader.failed()) return refuse("damaged after", manifest.executable);
    if (manifest.executable.empty()) return refuse("missing record", "exe");
    if (manifest.arguments.empty()) return refuse("missing record", "arg");
    return manifest;
}

}  // namespace tutti::linux_abi
