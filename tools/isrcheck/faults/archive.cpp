// SPDX-License-Identifier: BSD-3-Clause
// Through a library archive (library/).
// EXPECT may-block: handler -> library::first -> library::second -> sleep_a_while
#include "machine.hpp"

namespace library { ISR_SAFE void first(int value); }
ISR_SAFE void handler() { library::first(something); harmless(); }
void thread_main() { sleep_a_while(); }
