// SPDX-License-Identifier: BSD-3-Clause
#include "shared.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace soak {

std::atomic<std::uint64_t> signals_handled{0};

int storm_signal() { return SIGRTMIN + 1; }

Shared::Shared(int count) : workers(static_cast<std::size_t>(count)) {
    if (::pipe(pipe_ends) != 0) {
        std::perror("pipe");
        std::exit(1);
    }
}

Shared::~Shared() {
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
}

bool Shared::check() const {
    bool good = true;
    auto const equal = [&](char const* what, std::uint64_t left, std::uint64_t right) {
        if (left == right) return;
        std::printf("BROKEN %s: %llu and %llu\n", what, static_cast<unsigned long long>(left),
                    static_cast<unsigned long long>(right));
        good = false;
    };
    equal("counter under a mutex", counter, raised.load());
    equal("tokens through the pipe", tokens_in.load(), tokens_out.load());
    equal("sum of the tokens", sum_in.load(), sum_out.load());
    equal("items left in the queue", queue_items, 0);
    equal("signals sent and handled", signals_sent.load(), signals_handled.load());
    equal("threads started and run", threads_started.load(), threads_ran.load());
    return good;
}

}  // namespace soak
