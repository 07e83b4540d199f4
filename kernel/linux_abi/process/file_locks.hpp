// SPDX-License-Identifier: BSD-3-Clause
#pragma once
namespace tutti::linux_abi {
class FileLocks {};
}
