// SPDX-License-Identifier: BSD-3-Clause
// The smallest program that shows life: writes one line with a bare system call and ends. Used for boot times.
#include <unistd.h>

int main(void) { return write(1, "!\n", 2) == 2 ? 0 : 1; }
