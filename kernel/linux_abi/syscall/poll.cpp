// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/poll.hpp"

#include "base/bits.hpp"
#include "base/vector.hpp"
#include "hal/clock.hpp"
#include "linux_abi/signal/wait.hpp"
#include "linux_abi/syscall/file_support.hpp"
#include "vfs/poll/epoll_file.hpp"
#include "vfs/poll/poll_files.hpp"

namespace tutti::linux_abi {

namespace {

constexpr vfs::PollEvents kInvalid = 0x020;  // POLLNVAL

Deadline deadline_in(Nanoseconds time) { return time >= kNever - hal::now() ? kNever : hal::now() + time; }
Deadline deadline_in_ms(i32 ms) { return ms < 0 ? kNever : deadline_in(Nanoseconds::from_ms(ms)); }

// The files behind a set of descriptors, held while the wait lasts.
struct WaitSet {
    Vector<Ref<vfs::File>> files;
    Vector<vfs::PollItem> items;

    Result<> resize(size_t count) {
        TRY(files.try_resize(count));
        return items.try_resize(count);
    }
    void set(size_t i, Ref<vfs::File> file, vfs::PollEvents wanted) {
        items[i].file = file.get();
        items[i].wanted = wanted;
        files[i] = std::move(file);
    }
};

// poll() proper: reads the array, waits, writes the results.
SyscallResult poll_until(Task& task, UserPtr<PollFd> fds, u64 count, Deadline deadline) {
    if (count > task.process().limits().open_files()) return kEINVAL;
    Vector<PollFd> list;
    TRY(list.try_resize(count));
    TRY(vm::copy_from_user(list.data(), fds.address(), count * sizeof(PollFd)));
    WaitSet set;
    TRY(set.resize(count));
    size_t invalid = 0;
    for (size_t i = 0; i < count; ++i) {
        list[i].revents = 0;
        if (list[i].fd < 0) continue;
        Result<Ref<vfs::File>> file = file_of(task, list[i].fd);
        if (!file) {
            list[i].revents = static_cast<i16>(kInvalid);
            ++invalid;
            continue;
        }
        set.set(i, std::move(*file), static_cast<u16>(list[i].events));
    }
    // An invalid descriptor is a result: the others are only looked at.
    size_t const ready = TRY(vfs::poll_files(set.items.span(), invalid != 0 ? Deadline{} : deadline));
    for (size_t i = 0; i < count; ++i) {
        if (set.items[i].file != nullptr) list[i].revents = static_cast<i16>(set.items[i].ready);
        TRY(vm::copy_to_user((fds + i).address() + offsetof(PollFd, revents), &list[i].revents, sizeof(i16)));
    }
    return ready + invalid;
}

SyscallResult restartable_poll(Task& task, UserPtr<PollFd> fds, u64 count, Deadline deadline) {
    SyscallResult const result = poll_until(task, fds, count, deadline);
    if (result.value() != -kEINTR) return result;
    task.restart_block = {.function =
                              [](Task& self, RestartBlock const& block) {
                                  return restartable_poll(self, UserPtr<PollFd>{block.arguments[0]},
                                                          block.arguments[1], block.deadline);
                              },
                          .deadline = deadline,
                          .arguments = {fds.address().value(), count}};
    return result;
}

// As Linux, ppoll and pselect6 tell how much time is left, where they can.
void write_time_left(UserPtr<Timespec> timeout, Deadline deadline) {
    if (timeout.is_null() || deadline == kNever) return;
    (void)write_user(timeout, to_timespec(std::max(deadline - hal::now(), Nanoseconds{})));
}

Result<Deadline> read_deadline(UserPtr<Timespec> timeout) {
    if (timeout.is_null()) return kNever;
    Timespec const time = TRY(read_user(timeout));
    if (!is_valid(time)) return fail(Error::InvalidArgument);
    return deadline_in(to_nanoseconds(time));
}

// One of select()'s three sets, copied in.
class BitSet {
  public:
    Result<> read(UserPtr<u64> from, size_t words) {
        from_ = from;
        if (from.is_null()) return {};
        TRY(words_.try_resize(words));
        return vm::copy_from_user(words_.data(), from.address(), words * sizeof(u64));
    }
    [[nodiscard]] bool has(size_t fd) const { return !from_.is_null() && (words_[fd / 64] >> (fd % 64) & 1) != 0; }
    void clear() {
        for (u64& word : words_) word = 0;
    }
    void add(size_t fd) { words_[fd / 64] |= u64{1} << (fd % 64); }
    Result<> write() {
        if (from_.is_null()) return {};
        return vm::copy_to_user(from_.address(), words_.data(), words_.size() * sizeof(u64));
    }

  private:
    UserPtr<u64> from_;
    Vector<u64> words_;
};

// Which readiness puts a descriptor in which set (select(2), "Correspondence").
constexpr vfs::PollEvents kReadSet = vfs::kPollReadNormal | vfs::kPollIn | vfs::kPollHangUp | vfs::kPollError;
constexpr vfs::PollEvents kWriteSet = vfs::kPollWriteNormal | vfs::kPollOut | vfs::kPollError;
constexpr vfs::PollEvents kExceptionalSet = vfs::kPollPriority;

SyscallResult select_until(Task& task, i32 count, UserPtr<u64> const (&users)[3], Deadline deadline) {
    constexpr vfs::PollEvents kEvents[3] = {kReadSet, kWriteSet, kExceptionalSet};
    if (count < 0) return kEINVAL;
    auto const limit = static_cast<size_t>(std::min<u64>(static_cast<u64>(count), task.process().limits().open_files()));
    BitSet sets[3];
    for (unsigned i = 0; i < 3; ++i) TRY(sets[i].read(users[i], (limit + 63) / 64));
    WaitSet waits;
    Vector<u32> numbers;
    for (size_t fd = 0; fd < limit; ++fd) {
        vfs::PollEvents wanted = 0;
        for (unsigned i = 0; i < 3; ++i)
            if (sets[i].has(fd)) wanted |= kEvents[i];
        if (wanted == 0) continue;
        Ref<vfs::File> file = TRY(file_of(task, static_cast<i32>(fd)));
        TRY(numbers.try_push_back(static_cast<u32>(fd)));
        TRY(waits.items.try_push_back({.file = file.get(), .wanted = wanted}));
        TRY(waits.files.try_push_back(std::move(file)));
    }
    TRY(vfs::poll_files(waits.items.span(), deadline));
    BitSet asked[3];
    for (unsigned i = 0; i < 3; ++i) std::swap(asked[i], sets[i]);
    for (unsigned i = 0; i < 3; ++i) TRY(sets[i].read(users[i], (limit + 63) / 64));
    u64 total = 0;
    for (unsigned i = 0; i < 3; ++i) {
        sets[i].clear();
        for (size_t n = 0; n < numbers.size(); ++n) {
            if (!asked[i].has(numbers[n]) || (waits.items[n].ready & kEvents[i]) == 0) continue;
            sets[i].add(numbers[n]);
            ++total;
        }
        TRY(sets[i].write());
    }
    return total;
}

// Waits on an epoll instance, in pieces of a size that fits on the stack.
SyscallResult epoll_until(Task& task, i32 epoll_fd, UserPtr<EpollEvent> events, i32 count, Deadline deadline) {
    constexpr i32 kMost = 64;
    if (count <= 0 || static_cast<u64>(count) > ~u32{0} / sizeof(EpollEvent)) return kEINVAL;
    Ref<vfs::File> const file = TRY(file_of(task, epoll_fd));
    if (!vm::is_user_range(events.address(), static_cast<u64>(count) * sizeof(EpollEvent))) return kEFAULT;
    vfs::EpollFile* const epoll = file->epoll();
    if (epoll == nullptr) return kEINVAL;
    vfs::EpollEvent found[kMost];
    size_t const number = TRY(epoll->wait({found, static_cast<size_t>(std::min(count, kMost))}, deadline));
    EpollEvent out[kMost];
    for (size_t i = 0; i < number; ++i) out[i] = {.events = found[i].events, .data = found[i].data};
    TRY(vm::copy_to_user(events.address(), out, number * sizeof(EpollEvent)));
    return number;
}

template <class Wait>
SyscallResult with_mask(Task& task, UserPtr<SignalSet> mask, u64 size, Wait wait) {
    TemporaryMask temporary{task};
    TRY(temporary.install(mask, size));
    SyscallResult const result = wait();
    if (result.value() == -kEINTR) temporary.keep_for_delivery();
    return result;
}

}  // namespace

SyscallResult sys_poll(Task& task, UserPtr<PollFd> fds, u64 count, i32 timeout_ms) {
    return restartable_poll(task, fds, count, deadline_in_ms(timeout_ms));
}

SyscallResult sys_ppoll(Task& task, UserPtr<PollFd> fds, u64 count, UserPtr<Timespec> timeout,
                        UserPtr<SignalSet> mask, u64 mask_size) {
    Deadline const deadline = TRY(read_deadline(timeout));
    SyscallResult const result =
        with_mask(task, mask, mask_size, [&] { return poll_until(task, fds, count, deadline); });
    write_time_left(timeout, deadline);
    return result;
}

SyscallResult sys_select(Task& task, i32 count, UserPtr<u64> readable, UserPtr<u64> writable, UserPtr<u64> exceptional,
                         UserPtr<Timeval> timeout) {
    Deadline deadline = kNever;
    if (!timeout.is_null()) {
        Timeval const time = TRY(read_user(timeout));
        if (time.sec < 0 || time.usec < 0) return kEINVAL;
        Timespec const whole{time.sec + time.usec / 1'000'000, time.usec % 1'000'000 * 1000};
        deadline = deadline_in(to_nanoseconds(whole));
    }
    SyscallResult const result = select_until(task, count, {readable, writable, exceptional}, deadline);
    if (!timeout.is_null()) (void)write_user(timeout, to_timeval(std::max(deadline - hal::now(), Nanoseconds{})));
    return result;
}

SyscallResult sys_pselect6(Task& task, i32 count, UserPtr<u64> readable, UserPtr<u64> writable,
                           UserPtr<u64> exceptional, UserPtr<Timespec> timeout, UserPtr<MaskArgument> mask) {
    MaskArgument argument{};
    if (!mask.is_null()) argument = TRY(read_user(mask));
    Deadline const deadline = TRY(read_deadline(timeout));
    SyscallResult const result = with_mask(task, UserPtr<SignalSet>{argument.mask}, argument.size, [&] {
        return select_until(task, count, {readable, writable, exceptional}, deadline);
    });
    write_time_left(timeout, deadline);
    return result;
}

SyscallResult sys_epoll_create(Task& task, i32 size) {
    return size <= 0 ? SyscallResult{kEINVAL} : sys_epoll_create1(task, 0);
}

SyscallResult sys_epoll_create1(Task& task, u32 flags) {
    if ((flags & ~u32{kOCloexec}) != 0) return kEINVAL;
    return task.process().files().add(Ref<vfs::File>{*TRY(vfs::EpollFile::create())}, fd_flag(flags));
}

SyscallResult sys_epoll_ctl(Task& task, i32 epoll_fd, i32 operation, i32 fd, UserPtr<EpollEvent> event) {
    constexpr i32 kAdd = 1, kDelete = 2, kModify = 3;
    EpollEvent wanted{};
    if (operation != kDelete) wanted = TRY(read_user(event));
    Ref<vfs::File> const instance = TRY(file_of(task, epoll_fd));
    Ref<vfs::File> const file = TRY(file_of(task, fd));
    vfs::EpollFile* const epoll = instance->epoll();
    if (epoll == nullptr || instance.get() == file.get()) return kEINVAL;
    // With EPOLLEXCLUSIVE only these make sense (epoll_ctl(2)).
    constexpr u32 kWithExclusive = vfs::kPollIn | vfs::kPollOut | vfs::kPollAlways | vfs::kEpollWakeUp |
                                   vfs::kEpollEdge | vfs::kEpollExclusive;
    if ((wanted.events & vfs::kEpollExclusive) != 0 && (wanted.events & ~kWithExclusive) != 0) return kEINVAL;
    vfs::EpollEvent const watch{.events = wanted.events, .data = wanted.data};
    switch (operation) {
        case kAdd: return epoll->add(*file, fd, watch);
        case kModify: return epoll->modify(*file, fd, watch);
        case kDelete: return epoll->remove(*file, fd);
        default: return kEINVAL;
    }
}

SyscallResult sys_epoll_wait(Task& task, i32 epoll_fd, UserPtr<EpollEvent> events, i32 count, i32 timeout_ms) {
    return epoll_until(task, epoll_fd, events, count, deadline_in_ms(timeout_ms));
}

SyscallResult sys_epoll_pwait(Task& task, i32 epoll_fd, UserPtr<EpollEvent> events, i32 count, i32 timeout_ms,
                              UserPtr<SignalSet> mask, u64 mask_size) {
    return with_mask(task, mask, mask_size,
                     [&] { return epoll_until(task, epoll_fd, events, count, deadline_in_ms(timeout_ms)); });
}

SyscallResult sys_epoll_pwait2(Task& task, i32 epoll_fd, UserPtr<EpollEvent> events, i32 count,
                               UserPtr<Timespec> timeout, UserPtr<SignalSet> mask, u64 mask_size) {
    Deadline const deadline = TRY(read_deadline(timeout));
    return with_mask(task, mask, mask_size, [&] { return epoll_until(task, epoll_fd, events, count, deadline); });
}

}  // namespace tutti::linux_abi
