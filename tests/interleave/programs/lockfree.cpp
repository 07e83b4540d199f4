// SPDX-License-Identifier: BSD-3-Clause
// Sequence lock, multi-producer queue, reference counts.
#include "base/ref.hpp"
#include "engine/interleave.hpp"
#include "smp/lockfree/mpsc_queue.hpp"
#include "smp/lockfree/seqlock.hpp"

namespace tutti::interleave {

namespace {
struct Pair {
    u64 first = 0, second = 0;
};
}  // namespace

// A reader sees a whole value, and never an older one after a newer.
INTERLEAVE(seqlock, {.preemptions = 4}) {
    smp::SeqLocked<Pair> locked;
    auto const writer = [&] {
        locked.store({1, 1});
        locked.store({2, 2});
    };
    auto const reader = [&] {
        u64 last = 0;
        for (int i = 0; i < 2; ++i) {
            Pair const pair = locked.load();
            REQUIRE(pair.first == pair.second);
            REQUIRE(pair.first >= last);
            last = pair.first;
        }
    };
    run_on_cpus(writer, reader);
    REQUIRE(locked.load().first == 2);
}
// What was done before the store is visible to whoever reads the value.
INTERLEAVE(seqlock_publishes, {.preemptions = 4}) {
    smp::SeqLocked<Pair> locked;
    int data = 0;
    auto const writer = [&] {
        data = 1;
        locked.store({1, 1});
    };
    auto const reader = [&] {
        if (locked.load().first == 1) REQUIRE(data == 1);
    };
    run_on_cpus(writer, reader);
}

namespace {
struct Message {
    smp::MpscNode<Message> node;
    int value = 0;
};
using Queue = smp::MpscQueue<Message, &Message::node>;
}  // namespace

INTERLEAVE(mpsc_queue, {.preemptions = 3}) {
    Queue queue;
    Message messages[3];
    int taken = 0;
    auto const take = [&] {
        for (Message* message = queue.take_all(); message != nullptr;) {
            Message* const next = Queue::next(*message);
            REQUIRE(message->value == 7);
            message->value = 8;
            ++taken;
            message = next;
        }
    };
    auto const one = [&] {
        for (int i : {0, 1}) {
            messages[i].value = 7;
            queue.push(messages[i]);
        }
    };
    auto const two = [&] {
        messages[2].value = 7;
        queue.push(messages[2]);
    };
    auto const consumer = [&] {
        take();
        take();
    };
    run_on_cpus(one, two, consumer);
    take();
    REQUIRE(taken == 3);
}

// The producer tells a sleeping consumer; a consumer that is about to sleep looks once more.
INTERLEAVE(mpsc_queue_and_sleeping_flag, {.preemptions = 4}) {
    Queue queue;
    Message message;
    std::atomic<bool> sleeping{false};
    auto const producer = [&] {
        message.value = 7;
        if (queue.push(message) && sleeping.load(std::memory_order_seq_cst)) wake(1);
    };
    auto const consumer = [&] {
        while (true) {
            if (Message* const got = queue.take_all()) {
                REQUIRE(got->value == 7);
                return;
            }
            sleeping.store(true, std::memory_order_seq_cst);
            if (queue.empty()) sleep();
            sleeping.store(false, std::memory_order_relaxed);
        }
    };
    run_on_cpus(producer, consumer);
}

namespace {
struct Counted : RefCounted<Counted> {
    explicit Counted(int* ended) : ended_{ended} {}
    ~Counted() {
        REQUIRE(first == second);
        ++*ended_;
    }
    int first = 0, second = 0;
    int* ended_;
};
}  // namespace

// The last reference deletes, after everything that the holders did.
INTERLEAVE(reference_count, {.preemptions = 4}) {
    int ended = 0;
    Ref<Counted> one = *make_ref<Counted>(&ended);
    Ref<Counted> two = one;
    auto const first = [&] {
        ++one->first;
        Ref<Counted> copy = one;
        one.reset();
    };
    auto const second = [&] {
        ++two->second;
        two.reset();
    };
    run_on_cpus(first, second);
    REQUIRE(ended == 1);
}
// A look-up that races with the last put(): memory stays (the caller's affair), the object comes back or not.
INTERLEAVE(reference_try_get, {.preemptions = 4}) {
    struct Looked : RefCounted<Looked> {
        int data = 0;
        bool* alive = nullptr;
        void before_delete() const { *alive = false; }
        static void operator delete(void*) {}  // as RCU would keep it
    };
    bool alive = true;
    auto* const object = new Looked;
    object->alive = &alive;
    Ref<Looked> owner = Ref<Looked>::adopt(object);
    auto const holder = [&] {
        owner->data = 1;
        owner.reset();
    };
    auto const finder = [&] {
        if (!object->try_get()) return;
        REQUIRE(alive);
        object->put();
    };
    run_on_cpus(holder, finder);
    REQUIRE(!alive);
}

}  // namespace tutti::interleave
