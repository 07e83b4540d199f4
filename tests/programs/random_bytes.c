// SPDX-License-Identifier: BSD-3-Clause
// Random bytes from getrandom() and /dev/urandom, by several threads at once, on standard output.
#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

enum { kThreads = 4, kSize = 65536 };

static unsigned char bytes[kThreads][2][kSize];

static void* fill(void* argument) {
    unsigned char (*own)[kSize] = argument;
    for (size_t at = 0; at < kSize; at += 256)
        if (getrandom(own[0] + at, 256, 0) != 256) _exit(3);
    const int device = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (device < 0 || read(device, own[1], kSize) != kSize) _exit(4);
    close(device);
    return NULL;
}

int main(void) {
    pthread_t threads[kThreads];
    for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, fill, bytes[i]);
    for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
    const unsigned char* all = &bytes[0][0][0];
    for (size_t done = 0; done < sizeof bytes;) {
        const ssize_t count = write(1, all + done, sizeof bytes - done);
        if (count < 0) return 5;
        done += count;
    }
    return 0;
}
