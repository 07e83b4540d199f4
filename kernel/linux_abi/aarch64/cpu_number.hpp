// SPDX-License-Identifier: BSD-3-Clause
// How programs learn their CPU without a system call: on aarch64 they have no way.
#pragma once

namespace tutti::linux_abi {

[[nodiscard]] inline bool user_cpu_number_present() { return false; }

}  // namespace tutti::linux_abi
