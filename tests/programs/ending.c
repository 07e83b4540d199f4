// SPDX-License-Identifier: BSD-3-Clause
// Ends in the way its argument names, to check what the outside sees: `ending exit 7`, `ending segv`, ...
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int overflow(volatile char* above) {
    volatile char block[4096];
    block[0] = above ? above[0] : 1;
    if (block[0] == 2) return 0;
    return overflow(block) + block[0];
}

static void* end_process(void* status) { exit((int)(intptr_t)status); }

static void* end_by_fault(void* unused) {
    (void)unused;
    *(volatile char*)16 = 1;
    return NULL;
}

// Touches memory until there is none: Linux ends the program with SIGKILL, or malloc gives up before.
static int use_all_memory(void) {
    for (size_t total = 0;; total += 1 << 20) {
        char* block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return printf("refused after %zu MiB\n", total >> 20), 9;
        memset(block, 1, 1 << 20);
    }
}

int main(int argc, char** argv) {
    const char* way = argc > 1 ? argv[1] : "";
    const int number = argc > 2 ? atoi(argv[2]) : 0;
    pthread_t thread;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ending: %s\n", way);
    if (!strcmp(way, "exit")) return number;
    if (!strcmp(way, "_exit")) syscall(SYS_exit_group, number);
    if (!strcmp(way, "main-thread-exit")) {  // the process goes on until the other thread ends it
        pthread_create(&thread, NULL, end_process, (void*)(intptr_t)number);
        pthread_exit(NULL);
    }
    if (!strcmp(way, "thread-exit")) {
        pthread_create(&thread, NULL, end_process, (void*)(intptr_t)number);
        for (;;) pause();
    }
    if (!strcmp(way, "abort")) abort();
    if (!strcmp(way, "signal")) raise(number);
    if (!strcmp(way, "segv")) *(volatile char*)16 = 1;
    if (!strcmp(way, "thread-segv")) {
        pthread_create(&thread, NULL, end_by_fault, NULL);
        for (;;) pause();
    }
    if (!strcmp(way, "blocked-segv")) {  // a fault whose signal is blocked ends the program all the same
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        *(volatile char*)16 = 1;
    }
    if (!strcmp(way, "ignored-segv")) {
        signal(SIGSEGV, SIG_IGN);
        *(volatile char*)16 = 1;
    }
    if (!strcmp(way, "stack")) return overflow(NULL);
    if (!strcmp(way, "execute-data")) {
        static char data[16] = {(char)0xc3};
        void (*function)(void);
        void* address = data;
        memcpy(&function, &address, sizeof function);
        function();
    }
    if (!strcmp(way, "divide")) {
        volatile int dividend = 1000, zero = 0;
        printf("%d\n", dividend / zero);
    }
    if (!strcmp(way, "illegal")) __builtin_trap();
    if (!strcmp(way, "memory")) return use_all_memory();
    fprintf(stderr, "ending: unknown way '%s'\n", way);
    return 99;
}
