// SPDX-License-Identifier: BSD-3-Clause
// Xen's hypercalls as functions; each architecture's hypercalls.S has them. Source: Xen, public/xen.h and beside it.
// They return 0 or more, or a negative errno of Linux; an error too where Xen is not there. Pointers are virtual
// addresses of mapped kernel memory. Any context.
#pragma once

#include "base/types.hpp"

extern "C" {
tutti::i64 xen_memory_op(tutti::u64 operation, void* argument);
tutti::i64 xen_version(tutti::u64 operation, void* argument);
tutti::i64 xen_console_io(tutti::u64 operation, tutti::u64 count, char* text);
tutti::i64 xen_vcpu_op(tutti::u64 operation, tutti::u64 vcpu, void* argument);
tutti::i64 xen_sched_op(tutti::u64 operation, void* argument);
tutti::i64 xen_event_channel_op(tutti::u64 operation, void* argument);
tutti::i64 xen_hvm_op(tutti::u64 operation, void* argument);
}
