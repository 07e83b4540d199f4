// SPDX-License-Identifier: BSD-3-Clause
// Threads for tests of this folder.
#pragma once

#include <memory>

#include "base/vector.hpp"
#include "harness/test.hpp"
#include "hal/clock.hpp"
#include "sched/thread.hpp"

namespace tutti::sched {

// `count` threads that run body(index) each; joined at the end of the scope.
//
//   { Crew crew{8, [&](u32 index) { ... }}; }
template <class Body>
class Crew {
  public:
    Crew(u32 count, Body body) : body_{std::move(body)} {
        CHECK(members_.try_resize(count) && threads_.try_reserve(count));
        for (u32 i = 0; i < count; ++i) {
            members_[i] = {this, i};
            auto made = Thread::create({.name = "crew"}, &run, &members_[i]);
            CHECK(made, "no memory for a test's thread");
            (void)threads_.try_push_back(std::move(*made));
        }
        for (auto& thread : threads_) thread->start();
    }
    Crew(Crew const&) = delete;
    Crew& operator=(Crew const&) = delete;
    ~Crew() { join(); }

    void join() {
        for (auto& thread : threads_) (void)thread->join();
    }
    Thread& operator[](u32 index) { return *threads_[index]; }

  private:
    struct Member {
        Crew* crew = nullptr;
        u32 index = 0;
    };
    static void run(void* argument) {
        Member const& member = *static_cast<Member*>(argument);
        member.crew->body_(member.index);
    }
    Body body_;
    Vector<Member> members_;
    Vector<Ref<Thread>> threads_;
};

// Locking that the compiler's analysis does not follow: tests lock here and unlock there.
template <class Lock>
void lock(Lock& what) NO_THREAD_SAFETY_ANALYSIS {
    what.lock();
}
template <class Lock>
[[nodiscard]] bool try_lock(Lock& what) NO_THREAD_SAFETY_ANALYSIS {
    return what.try_lock();
}
template <class Lock>
void unlock(Lock& what) NO_THREAD_SAFETY_ANALYSIS {
    what.unlock();
}

// Lets others run until condition() is true.
template <class Condition>
void yield_until(Condition&& condition) {
    while (!condition()) yield();
}
// Until the thread has parked; it may be woken again by then.
inline void yield_until_sleeping(Thread const& thread) {
    yield_until([&] { return thread.activity() == Thread::Activity::Sleeping || thread.has_ended(); });
}

[[nodiscard]] inline Deadline soon() { return hal::now() + Nanoseconds::from_ms(2); }
[[nodiscard]] inline Deadline past() { return hal::now() - Nanoseconds::from_ms(1); }

}  // namespace tutti::sched
