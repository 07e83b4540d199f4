// SPDX-License-Identifier: BSD-3-Clause
// Writes on both output streams from several threads while another reads all of standard input: the devices behind them
// are busy both ways. Each line comes from one write(), so lines are whole and each thread's are in order.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kWriters = 4, kLines = 3000, kLength = 100 };

static void put(int fd, const char* bytes, size_t size) {
    if (write(fd, bytes, size) != (ssize_t)size) _exit(3);
}

static void* write_lines(void* argument) {
    const int writer = (int)(long)argument;
    for (int i = 0; i < kLines; ++i) {
        char line[kLength + 1];
        const int used = snprintf(line, sizeof line, "%d %d ", writer, i);
        memset(line + used, 'a' + writer, kLength - used - 1);
        line[kLength - 1] = '\n';
        put(i % 10 == 9 ? 2 : 1, line, kLength);
    }
    return NULL;
}

// Byte i of the input is i * 7 + i / 256.
static void* read_input(void* argument) {
    unsigned long at = 0;
    static unsigned char buffer[10007];
    for (ssize_t count; (count = read(0, buffer, sizeof buffer)) != 0;) {
        if (count < 0) _exit(4);
        for (ssize_t i = 0; i < count; ++i, ++at)
            if (buffer[i] != (unsigned char)(at * 7 + (at >> 8))) _exit(5);
    }
    *(unsigned long*)argument = at;
    return NULL;
}

int main(void) {
    pthread_t threads[kWriters + 1];
    unsigned long received = 0;
    for (long i = 0; i < kWriters; ++i) pthread_create(&threads[i], NULL, write_lines, (void*)i);
    pthread_create(&threads[kWriters], NULL, read_input, &received);
    for (int i = 0; i <= kWriters; ++i) pthread_join(threads[i], NULL);
    char end[64];
    put(1, end, (size_t)snprintf(end, sizeof end, "received %lu\n", received));
    return 0;
}
