// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/events/event_file.hpp"

#include <new>

#include "vfs/events/anonymous_file.hpp"

namespace tutti::vfs {
namespace {

constexpr u64 kLargest = ~u64{0} - 1;

class EventFile final : public AnonymousFile {
  public:
    EventFile(OpenFlags flags, String name, u64 initial, EventMode mode)
        : AnonymousFile{flags, std::move(name)}, count_{initial}, mode_{mode} {}

    PollEvents poll() override {
        u64 const count = count_.load(std::memory_order_acquire);
        PollEvents events = 0;
        if (count != 0) events |= kPollIn | kPollReadNormal;
        if (count < kLargest) events |= kPollOut | kPollWriteNormal;
        return events;
    }
    sched::WaitQueue* poll_queue() override { return &queue_; }

  protected:
    Result<u64> do_read(u64, vm::IoBuffer& to) override {
        if (to.remaining() < sizeof(u64)) return fail(Error::InvalidArgument);
        for (;;) {
            u64 count = count_.load(std::memory_order_acquire);
            while (count != 0) {
                u64 const taken = mode_ == EventMode::Semaphore ? 1 : count;
                // acq_rel: what the writers did before is ours; later writers see the room.
                if (count_.compare_exchange_weak(count, count - taken, std::memory_order_acq_rel)) {
                    queue_.wake_all();
                    return to.write_to(&taken, sizeof taken);
                }
            }
            if (is_nonblocking()) return fail(Error::WouldBlock);
            TRY(queue_.wait_until([this] { return count_.load(std::memory_order_acquire) != 0; }, kNever,
                                  sched::WaitMode::Interruptible));
        }
    }

    Result<u64> do_write(u64&, vm::IoBuffer& from) override {
        if (from.remaining() < sizeof(u64)) return fail(Error::InvalidArgument);
        u64 amount = 0;
        if (TRY(from.read_from(&amount, sizeof amount)) != sizeof amount) return fail(Error::BadAddress);
        if (amount > kLargest) return fail(Error::InvalidArgument);
        for (;;) {
            u64 count = count_.load(std::memory_order_acquire);
            while (count <= kLargest - amount) {
                // acq_rel: publishes what we did before to the reader that takes the count.
                if (count_.compare_exchange_weak(count, count + amount, std::memory_order_acq_rel)) {
                    // Also when nothing was added: edge-triggered watchers are told of every write.
                    queue_.wake_all();
                    return u64{sizeof amount};
                }
            }
            if (is_nonblocking()) return fail(Error::WouldBlock);
            TRY(queue_.wait_until(
                [this, amount] { return count_.load(std::memory_order_acquire) <= kLargest - amount; }, kNever,
                sched::WaitMode::Interruptible));
        }
    }

  private:
    std::atomic<u64> count_;
    EventMode const mode_;
    sched::WaitQueue queue_;
};

}  // namespace

Result<Ref<File>> make_event_file(u64 initial, EventMode mode, OpenFlags flags) {
    String name = TRY(String::create("anon_inode:[eventfd]"));
    OpenFlags const both{flags.bits() | OpenFlags::Read | OpenFlags::Write};
    auto* const file = new (std::nothrow) EventFile{both, std::move(name), initial, mode};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<File>::adopt(file);
}

}  // namespace tutti::vfs
