// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/boot.hpp"

int main(int count, char** words) { tutti::platform::boot(tutti::platform::parse_options(count, words)); }
