/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers_ck.h"

#include <ck_brlock.h>
#include <ck_pflock.h>
#include <ck_spinlock.h>
#include <stddef.h>

/* As spend() and repeat() in contest.hpp. */
static inline uint64_t spend(uint64_t value, unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) {
        value *= 0x9e3779b97f4a7c15u;
        __asm__ volatile("" : "+r"(value));
    }
    return value;
}
enum { BATCH = 16 };
#define REPEAT(operation)                                   \
    do {                                                    \
        uint64_t count = 0;                                 \
        if (private_work == 0) {                            \
            while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) { \
                for (unsigned i = 0; i < BATCH; ++i) {      \
                    operation;                              \
                }                                           \
                count += BATCH;                             \
            }                                               \
        } else {                                            \
            uint64_t value = 1;                             \
            while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) { \
                for (unsigned i = 0; i < BATCH; ++i) {      \
                    operation;                              \
                    value = spend(value, private_work);     \
                }                                           \
                count += BATCH;                             \
            }                                               \
        }                                                   \
        return count;                                       \
    } while (0)

#define LINE __attribute__((aligned(128)))

static ck_spinlock_fas_t fas LINE = CK_SPINLOCK_FAS_INITIALIZER;
static ck_spinlock_ticket_t ticket LINE = CK_SPINLOCK_TICKET_INITIALIZER;
static ck_spinlock_mcs_t mcs LINE = NULL;
static ck_pflock_t pflock LINE = CK_PFLOCK_INITIALIZER;
static ck_brlock_t brlock LINE = CK_BRLOCK_INITIALIZER;

uint64_t peers_ck_fas(bool const* stop, unsigned private_work) {
    REPEAT(ck_spinlock_fas_lock(&fas); *peers_protected += 1; ck_spinlock_fas_unlock(&fas));
}
uint64_t peers_ck_ticket(bool const* stop, unsigned private_work) {
    REPEAT(ck_spinlock_ticket_lock(&ticket); *peers_protected += 1; ck_spinlock_ticket_unlock(&ticket));
}
uint64_t peers_ck_mcs(bool const* stop, unsigned private_work) {
    struct ck_spinlock_mcs node LINE;
    REPEAT(ck_spinlock_mcs_lock(&mcs, &node); *peers_protected += 1; ck_spinlock_mcs_unlock(&mcs, &node));
}
uint64_t peers_ck_pflock_read(bool const* stop, unsigned private_work) {
    REPEAT(ck_pflock_read_lock(&pflock); __asm__ volatile("" ::"r"(*peers_protected)); ck_pflock_read_unlock(&pflock));
}
static uint64_t brlock_loop(ck_brlock_reader_t* self, bool const* stop, unsigned private_work) {
    REPEAT(ck_brlock_read_lock(&brlock, self); __asm__ volatile("" ::"r"(*peers_protected)); ck_brlock_read_unlock(self));
}
uint64_t peers_ck_brlock_read(bool const* stop, unsigned private_work) {
    ck_brlock_reader_t self LINE;
    ck_brlock_read_register(&brlock, &self);
    uint64_t const count = brlock_loop(&self, stop, private_work);
    ck_brlock_read_unregister(&brlock, &self);
    return count;
}
