// SPDX-License-Identifier: BSD-3-Clause
// The main function of a thread that is also given to an interrupt.
// EXPECT unmarked: handler -> worker
#include "machine.hpp"

using Function = void (*)(void*);
struct Thread {
    Function main;
    Function on_timer;
};
Thread threads[2];
namespace scheduler {
NOINLINE void start_thread(int at, Function main) {
    ISR_NOTE("thread-main", "main");
    threads[at].main = main;
}
}  // namespace scheduler
NOINLINE void set_timer(int at, Function function) { threads[at].on_timer = function; }
NOINLINE ISR_SAFE void tick(void* argument) { something = argument != nullptr; }
NOINLINE void worker(void* argument) { something = argument == nullptr; }
NOINLINE void start_both(Function main) {
    scheduler::start_thread(0, main);
    scheduler::start_thread(1, main);
}
ISR_SAFE void handler() { threads[something & 1].on_timer(&threads); harmless(); }
void thread_main() {
    set_timer(something & 1, tick);
    start_both(worker);
#if FAULT
    set_timer(0, worker);
#endif
    threads[something & 1].main(nullptr);
}
