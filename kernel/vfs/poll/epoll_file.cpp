// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/poll/epoll_file.hpp"

#include <algorithm>
#include <memory>
#include <new>

#include "base/rb_tree.hpp"
#include "smp/debug/race_point.hpp"
#include "smp/spin/spin.hpp"
#include "vfs/poll/watch_list.hpp"
#include "vfs/wall_clock.hpp"

namespace tutti::vfs {
namespace {

constexpr unsigned kNestingLimit = 5;  // epoll_ctl(2), ELOOP

class Epoll;

// One watched file. Lives in its instance's tree (changes_), in its file's list (link lock), on the file's wait queue,
// and, while it may have something to report, in the instance's ready list (ready_lock_).
class Watch final : public WatchLink, public sched::WaitQueue::Observer {
  public:
    Watch(Epoll& owner, File& file, i32 descriptor, EpollEvent event)
        : Observer{&on_wake}, owner_{owner}, file_{file}, descriptor_{descriptor}, event_{event} {}

    void on_file_released() override;
    // The file's queue is locked: no blocking, no faulting.
    static void on_wake(Observer& self, u32 events);

    [[nodiscard]] PollEvents mask() const { return event_.events & 0xffff; }

    Epoll& owner_;
    File& file_;  // whole while changes_ is held: its last put() takes that to remove the watch first
    i32 const descriptor_;
    EpollEvent event_;                  // changes_; `armed` below is what on_wake() reads
    std::atomic<bool> armed{true};      // false: one-shot that has fired
    RbNode tree_node;
    ListNode ready_node;                // ready_lock_
};

struct WatchOrder {
    bool operator()(Watch const& a, Watch const& b) const {
        return &a.file_ != &b.file_ ? &a.file_ < &b.file_ : a.descriptor_ < b.descriptor_;
    }
};

class Epoll final : public EpollFile {
  public:
    Epoll(OpenFlags flags, String name) : EpollFile{flags, {}, std::move(name)} {}

    void drop_all_watches();
    ~Epoll() override { drop_all_watches(); }

    Result<> add(File& file, i32 descriptor, EpollEvent event) override;
    Result<> modify(File& file, i32 descriptor, EpollEvent event) override;
    Result<> remove(File& file, i32 descriptor) override;
    Result<size_t> wait(std::span<EpollEvent> events, Deadline deadline) override;

    PollEvents poll() override {
        sched::MutexGuard guard{changes_};
        return any_ready() ? kPollIn | kPollReadNormal : 0;
    }
    sched::WaitQueue* poll_queue() override { return &queue_; }
    EpollFile* epoll() override { return this; }
    Attributes attributes() override {
        Attributes attributes;
        attributes.type = FileType::Unknown;
        attributes.permissions = 0600;
        return attributes;
    }
    Result<> synchronize() override { return fail(Error::InvalidArgument); }

    // From a watched file's wake-up.
    ISR_SAFE void make_ready(Watch& watch) {
        {
            smp::SpinIrqGuard guard{ready_lock_};
            if (ReadyList::is_linked(watch)) return;
            ready_.push_back(watch);
            ready_count_.store(ready_count_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
        }
        queue_.wake_one();
    }
    // Takes the watch out of everything but its file's list, and frees it. Link lock and changes_ held by the caller.
    void destroy(Watch& watch) REQUIRES(changes_);
    sched::Mutex changes_{"epoll changes"};

  private:
    using ReadyList = IntrusiveList<Watch, &Watch::ready_node>;

    Watch* find(File& file, i32 descriptor) REQUIRES(changes_) {
        Watch* const at = watches_.lower_bound([&](Watch const& w) {
            return &w.file_ != &file ? &w.file_ < &file : w.descriptor_ < descriptor;
        });
        return at != nullptr && &at->file_ == &file && at->descriptor_ == descriptor ? at : nullptr;
    }
    Result<> insert(File& file, i32 descriptor, EpollEvent event);
    // A watch leaves the list before its file is asked, so that a wake-up in between puts it back: nothing is lost. It
    // stays counted until finish(), or a thread that comes to wait meanwhile would sleep beside it.
    Watch* take_first() REQUIRES(changes_);
    enum class Afterwards : u8 { Leaves, First, Last };
    void finish(Watch& watch, Afterwards afterwards) REQUIRES(changes_);
    bool any_ready() REQUIRES(changes_);
    size_t collect(std::span<EpollEvent> events) REQUIRES(changes_);
    // How deep instances nest below this one; more than the limit when `avoid` is found.
    unsigned depth_below(Epoll const& avoid);

    RbTree<Watch, &Watch::tree_node, WatchOrder> watches_ GUARDED_BY(changes_);
    smp::SpinLock ready_lock_{smp::LockRank::PollReady, "epoll ready list"};
    ReadyList ready_ GUARDED_BY(ready_lock_);
    // Elements of ready_, and the one that is being asked. Written under ready_lock_, read by waiters.
    std::atomic<u64> ready_count_{0};
    sched::WaitQueue queue_{smp::LockRank::PollWaitQueue};
};

// Adding instances to instances is rare; one lock keeps two of them from closing a loop at the same time.
constinit sched::Mutex nesting_mutex{"epoll nesting"};

ISR_SAFE void Watch::on_wake(Observer& self, u32) {
    auto& watch = static_cast<Watch&>(self);
    // relaxed: a one-shot being re-armed looks at the file itself afterwards.
    if (watch.armed.load(std::memory_order_relaxed)) watch.owner_.make_ready(watch);
}

void Watch::on_file_released() {
    Epoll& owner = owner_;
    sched::MutexGuard guard{owner.changes_};
    owner.destroy(*this);
}

void Epoll::destroy(Watch& watch) {
    if (sched::WaitQueue* const queue = watch.file_.poll_queue()) (void)queue->remove(watch);
    watches_.remove(watch);
    {
        smp::SpinIrqGuard guard{ready_lock_};
        if (ReadyList::is_linked(watch)) {
            ready_.remove(watch);
            ready_count_.store(ready_count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
        }
    }
    delete &watch;
}

void Epoll::drop_all_watches() {
    for (;;) {
        File* file = nullptr;
        i32 descriptor = 0;
        {
            sched::MutexGuard guard{changes_};
            Watch* const first = watches_.first();
            if (first == nullptr) return;
            file = &first->file_;
            descriptor = first->descriptor_;
        }
        // The file may be going at the same time: only its address is used before the watch is found again.
        sched::MutexGuard link{link_lock_of(file)};
        sched::MutexGuard guard{changes_};
        if (Watch* const watch = find(*file, descriptor)) {
            file->watchers().remove(*watch);
            destroy(*watch);
        }
    }
}

unsigned Epoll::depth_below(Epoll const& avoid) {
    if (this == &avoid) return kNestingLimit + 1;
    unsigned deepest = 0;
    sched::MutexGuard guard{changes_};
    for (Watch* watch = watches_.first(); watch != nullptr; watch = watches_.next(*watch))
        if (EpollFile* const nested = watch->file_.epoll())
            deepest = std::max(deepest, 1 + static_cast<Epoll*>(nested)->depth_below(avoid));
    return deepest;
}

Result<> Epoll::add(File& file, i32 descriptor, EpollEvent event) {
    if (&file == this) return fail(Error::InvalidArgument);
    if (file.poll_queue() == nullptr) return fail(Error::NotPermitted);
    auto* const nested = static_cast<Epoll*>(file.epoll());
    if (nested == nullptr) return insert(file, descriptor, event);
    if ((event.events & kEpollExclusive) != 0) return fail(Error::InvalidArgument);
    sched::MutexGuard guard{nesting_mutex};
    if (nested->depth_below(*this) >= kNestingLimit) return fail(Error::TooManySymlinks);
    return insert(file, descriptor, event);
}

Result<> Epoll::insert(File& file, i32 descriptor, EpollEvent event) {
    event.events |= kPollAlways;
    std::unique_ptr<Watch> watch{new (std::nothrow) Watch{*this, file, descriptor, event}};
    if (!watch) return fail(Error::NoMemory);
    sched::MutexGuard link{link_lock_of(&file)};
    sched::MutexGuard guard{changes_};
    if (find(file, descriptor) != nullptr) return fail(Error::Exists);
    watches_.insert(*watch);
    file.watchers().push_back(*watch);
    file.poll_queue()->add(*watch);
    // What became ready before we observed.
    if ((file.poll() & watch->mask()) != 0) make_ready(*watch);
    (void)watch.release();
    return {};
}

Result<> Epoll::modify(File& file, i32 descriptor, EpollEvent event) {
    sched::MutexGuard guard{changes_};
    Watch* const watch = find(file, descriptor);
    if (watch == nullptr) return fail(Error::NotFound);
    if (((watch->event_.events | event.events) & kEpollExclusive) != 0) return fail(Error::InvalidArgument);
    watch->event_ = event;
    watch->event_.events |= kPollAlways;
    watch->armed.exchange(true, std::memory_order_seq_cst);
    if ((file.poll() & watch->mask()) != 0) make_ready(*watch);
    return {};
}

Result<> Epoll::remove(File& file, i32 descriptor) {
    sched::MutexGuard link{link_lock_of(&file)};
    sched::MutexGuard guard{changes_};
    Watch* const watch = find(file, descriptor);
    if (watch == nullptr) return fail(Error::NotFound);
    file.watchers().remove(*watch);
    destroy(*watch);
    return {};
}

Watch* Epoll::take_first() {
    smp::SpinIrqGuard guard{ready_lock_};
    return ready_.pop_front();
}

void Epoll::finish(Watch& watch, Afterwards afterwards) {
    smp::SpinIrqGuard guard{ready_lock_};
    if (afterwards == Afterwards::Leaves || ReadyList::is_linked(watch))  // then it was counted again
        ready_count_.store(ready_count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    else if (afterwards == Afterwards::First)
        ready_.push_front(watch);
    else
        ready_.push_back(watch);
}

// Looks for one watch that really has something; those that have not leave the ready list.
bool Epoll::any_ready() {
    while (Watch* const watch = take_first()) {
        smp::race_point();
        bool const ready = watch->armed.load(std::memory_order_relaxed) && (watch->file_.poll() & watch->mask()) != 0;
        finish(*watch, ready ? Afterwards::First : Afterwards::Leaves);
        if (ready) return true;
    }
    return false;
}

// Takes each watch that is in the ready list now once.
size_t Epoll::collect(std::span<EpollEvent> events) {
    size_t found = 0;
    u64 rounds = ready_count_.load(std::memory_order_acquire);
    while (found < events.size() && rounds-- != 0) {
        Watch* const watch = take_first();
        if (watch == nullptr) break;
        smp::race_point();
        PollEvents const ready = watch->file_.poll() & watch->mask();
        Afterwards afterwards = Afterwards::Leaves;
        if (ready != 0 && watch->armed.load(std::memory_order_relaxed)) {
            events[found++] = {ready, watch->event_.data};
            if ((watch->event_.events & kEpollOneShot) != 0)
                watch->armed.exchange(false, std::memory_order_seq_cst);
            else if ((watch->event_.events & kEpollEdge) == 0)
                afterwards = Afterwards::Last;
        }
        finish(*watch, afterwards);
    }
    return found;
}

Result<size_t> Epoll::wait(std::span<EpollEvent> events, Deadline deadline) {
    for (;;) {
        if (ready_count_.load(std::memory_order_acquire) != 0) {
            size_t found = 0;
            {
                sched::MutexGuard guard{changes_};
                found = collect(events);
            }
            // Others may wait for what is left: hand the wake-up on.
            if (ready_count_.load(std::memory_order_acquire) != 0) queue_.wake_one();
            if (found != 0) return found;
        }
        Result<> const waited = queue_.wait_until(
            [this] { return ready_count_.load(std::memory_order_acquire) != 0; }, deadline,
            sched::WaitMode::Interruptible);
        if (!waited) {
            if (waited.error() == Error::TimedOut) return size_t{0};
            return fail(waited.error());
        }
    }
}

}  // namespace

Result<Ref<EpollFile>> EpollFile::create() {
    String name = TRY(String::create("anon_inode:[eventpoll]"));
    auto* const file = new (std::nothrow) Epoll{OpenFlags{OpenFlags::Read | OpenFlags::Write}, std::move(name)};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<EpollFile>::adopt(file);
}

EpollFile* epoll_of(File& file) { return file.epoll(); }

}  // namespace tutti::vfs
