// SPDX-License-Identifier: BSD-3-Clause
// Prints its arguments, one a line, after a greeting; the environment variable GREETING replaces the greeting.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
    const char* greeting = getenv("GREETING");
    puts(greeting ? greeting : "Hello from an ordinary program");
    for (int i = 1; i < argc; ++i) puts(argv[i]);
    return 0;
}
