// SPDX-License-Identifier: BSD-3-Clause
// Makes a small tree below its argument, for tests of what comes out of the guest.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    char path[512];
    if (mkdir(argv[1], 0755) != 0) return perror("mkdir"), 1;
    for (int i = 0; i < 20; ++i) {
        snprintf(path, sizeof path, "%s/file%d", argv[1], i);
        FILE* file = fopen(path, "w");
        if (!file) return perror(path), 1;
        for (int line = 0; line < i * i * 100; ++line) fprintf(file, "%d.%d\n", i, line);
        if (fclose(file) != 0) return perror(path), 1;
    }
    snprintf(path, sizeof path, "%s/sub", argv[1]);
    if (mkdir(path, 0700) != 0) return perror(path), 1;
    snprintf(path, sizeof path, "%s/sub/link", argv[1]);
    if (symlink("../file3", path) != 0) return perror(path), 1;
    snprintf(path, sizeof path, "%s/file2", argv[1]);
    return chmod(path, 0751) != 0;
}
