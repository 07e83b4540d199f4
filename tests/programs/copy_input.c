// SPDX-License-Identifier: BSD-3-Clause
// Copies standard input to standard output and tells the number of bytes on standard error.
#include <stdio.h>
#include <unistd.h>

int main(void) {
    static char buffer[65536];
    long total = 0;
    for (ssize_t count; (count = read(0, buffer, sizeof buffer)) != 0;) {
        if (count < 0) return perror("read"), 1;
        for (ssize_t done = 0; done < count;) {
            const ssize_t written = write(1, buffer + done, count - done);
            if (written < 0) return perror("write"), 1;
            done += written;
        }
        total += count;
    }
    fprintf(stderr, "%ld bytes\n", total);
    return 0;
}
