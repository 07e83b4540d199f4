// SPDX-License-Identifier: BSD-3-Clause
// More pages than Linux gives a process mappings (vm.max_map_count, 65530), none beside another: what they hold must stay,
// whatever they are mapped with.
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

enum { kPages = 80000, kPageSize = 4096 };

int main(void) {
    char *const memory = mmap(NULL, (size_t)kPages * 2 * kPageSize, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return 1;
    volatile uint64_t *word;
    for (uint64_t round = 1; round <= 3; ++round) {
        for (uint64_t page = 0; page < kPages; ++page) {
            word = (volatile uint64_t *)(memory + page * 2 * kPageSize);
            if (*word != page * (round - 1)) return printf("page %lu is wrong in round %lu\n", page, round), 1;
            *word = page * round;
        }
    }
    return 0;
}
