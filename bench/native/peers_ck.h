/* SPDX-License-Identifier: BSD-3-Clause
 * Concurrency Kit's locks are inline functions in C that is no C++; so their loops are C too. Each runs until *stop and
 * returns how many operations it did. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
extern uint64_t* peers_protected; /* what the locks protect */
uint64_t peers_ck_fas(bool const* stop, unsigned private_work);
uint64_t peers_ck_ticket(bool const* stop, unsigned private_work);
uint64_t peers_ck_mcs(bool const* stop, unsigned private_work);
uint64_t peers_ck_pflock_read(bool const* stop, unsigned private_work);
uint64_t peers_ck_brlock_read(bool const* stop, unsigned private_work);
#ifdef __cplusplus
}
#endif
