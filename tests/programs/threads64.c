// SPDX-License-Identifier: BSD-3-Clause
// 64 threads count under a mutex, meet at a barrier and sum squares; the result is checked and printed.
#include <pthread.h>
#include <stdio.h>

enum { kThreads = 64, kRounds = 500 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static long counter, squares;

static void* work(void* argument) {
    const long number = (long)argument;
    for (int i = 0; i < kRounds; ++i) {
        pthread_mutex_lock(&mutex);
        ++counter;
        pthread_mutex_unlock(&mutex);
    }
    pthread_barrier_wait(&barrier);
    if (counter != (long)kThreads * kRounds) return (void*)1;  // everyone has counted before anyone goes on
    __atomic_fetch_add(&squares, number * number, __ATOMIC_RELAXED);
    return NULL;
}

int main(void) {
    pthread_t threads[kThreads];
    pthread_barrier_init(&barrier, NULL, kThreads);
    for (long i = 0; i < kThreads; ++i)
        if (pthread_create(&threads[i], NULL, work, (void*)i) != 0) return fprintf(stderr, "cannot create thread %ld\n", i), 1;
    int failures = 0;
    for (int i = 0; i < kThreads; ++i) {
        void* result;
        pthread_join(threads[i], &result);
        failures += result != NULL;
    }
    printf("%d threads counted to %ld, sum of squares %ld\n", kThreads, counter, squares);
    return failures != 0 || counter != (long)kThreads * kRounds || squares != 85344;
}
