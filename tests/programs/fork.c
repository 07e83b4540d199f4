// SPDX-License-Identifier: BSD-3-Clause
// Calls fork. A kernel with one process per machine must say so: ENOSYS, and the parent goes on.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    const pid_t child = fork();
    if (child == 0) _exit(7);
    if (child < 0) {
        printf("fork: %s\n", strerror(errno));
        return errno == ENOSYS ? 0 : 1;
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7) return 1;
    puts("fork: works");
    return 0;
}
