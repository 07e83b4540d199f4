// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/poll/poll_files.hpp"

#include <memory>
#include <new>
#include <optional>

#include "hal/clock.hpp"
#include "sched/park.hpp"
#include "vfs/poll/bell.hpp"

namespace tutti::vfs {
namespace {

size_t scan(std::span<PollItem> items) {
    size_t found = 0;
    for (PollItem& item : items) {
        item.ready = item.file != nullptr ? item.file->poll() & (item.wanted | kPollAlways) : 0;
        found += item.ready != 0;
    }
    return found;
}

class BellRope final : public sched::WaitQueue::Observer {
  public:
    BellRope(Bell& bell, sched::WaitQueue& queue) : Observer{&pull}, bell_{bell}, queue_{queue} { queue_.add(*this); }
    ~BellRope() { (void)queue_.remove(*this); }

  private:
    ISR_SAFE static void pull(Observer& self, u32) REQUIRES(smp::wake_path) { static_cast<BellRope&>(self).bell_.ring(); }
    Bell& bell_;
    sched::WaitQueue& queue_;
};

}  // namespace

Result<size_t> poll_files(std::span<PollItem> items, Deadline deadline) {
    if (size_t const found = scan(items); found != 0) return found;
    if (deadline <= hal::now()) return size_t{0};

    constexpr size_t kOnStack = 8;
    std::optional<BellRope> few[kOnStack];
    std::unique_ptr<std::optional<BellRope>[]> many;
    std::optional<BellRope>* ropes = few;
    if (items.size() > kOnStack) {
        many.reset(new (std::nothrow) std::optional<BellRope>[items.size()]);
        if (!many) return fail(Error::NoMemory);
        ropes = many.get();
    }
    Bell bell;
    for (size_t i = 0; i < items.size(); ++i)
        if (items[i].file != nullptr)
            if (sched::WaitQueue* const queue = items[i].file->poll_queue()) ropes[i].emplace(bell, *queue);
    // Registered first, then looked again: what became ready in between is seen here or rings.
    for (;;) {
        bell.reset();
        if (size_t const found = scan(items); found != 0) return found;
        Result<> const waited =
            sched::park_until([&] { return bell.rung(); }, deadline, sched::WaitMode::Interruptible);
        if (!waited) {
            if (size_t const found = scan(items); found != 0) return found;
            if (waited.error() == Error::TimedOut) return size_t{0};
            return fail(waited.error());
        }
    }
}

}  // namespace tutti::vfs
