// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/signal/signal_file.hpp"

#include <new>

#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/wait.hpp"
#include "vfs/events/anonymous_file.hpp"

namespace tutti::linux_abi {

namespace {

constexpr std::string_view kName = "anon_inode:[signalfd]";

struct SignalfdInfo {
    u32 signo;
    i32 error, code;
    u32 pid, uid;
    i32 fd;
    u32 tid, band, overrun, trap_number;
    i32 status, value_int;
    u64 value, user_time, system_time, address;
    u16 address_lsb, pad0;
    i32 system_call;
    u64 call_address;
    u32 arch;
    u8 pad[28];
};
static_assert(sizeof(SignalfdInfo) == 128);

SignalfdInfo to_signalfd_info(SigInfo const& info) {
    SignalfdInfo result{};
    result.signo = static_cast<u32>(info.signo);
    result.error = info.error;
    result.code = info.code;
    if (info.code == kSiTimer) {
        result.tid = static_cast<u32>(info.fields.timer.timer_id);
        result.overrun = static_cast<u32>(info.fields.timer.overrun);
        result.value = info.fields.timer.value;
    } else if (info.code <= 0) {
        result.pid = static_cast<u32>(info.fields.sender.pid);
        result.uid = info.fields.sender.uid;
        result.value = info.fields.sender.value;
    } else {
        result.address = info.fields.fault.address;
    }
    result.value_int = static_cast<i32>(result.value);
    return result;
}

class SignalFile final : public vfs::AnonymousFile {
  public:
    SignalFile(vfs::OpenFlags flags, String name, Process& process, SignalSet set)
        : AnonymousFile{flags, std::move(name)}, process_{process}, set_{set.bits()} {}

    // Relaxed: the mask stands for itself; the wake-up makes waiters look again.
    void set_mask(SignalSet set) {
        set_.store(set.bits(), std::memory_order_relaxed);
        process_.threads().signal_queue.wake_all();
    }

    vfs::PollEvents poll() override { return is_pending() ? vfs::kPollIn | vfs::kPollReadNormal : 0; }
    sched::WaitQueue* poll_queue() override { return &process_.threads().signal_queue; }

  protected:
    Result<u64> do_read(u64, vm::IoBuffer& to) override {
        if (to.remaining() < sizeof(SignalfdInfo)) return fail(Error::InvalidArgument);
        u64 done = 0;
        while (to.remaining() >= sizeof(SignalfdInfo)) {
            Result<SigInfo> const taken = take_signal_in(current_task(), mask());
            if (taken) {
                SignalfdInfo const out = to_signalfd_info(*taken);
                done += TRY(to.write_to(&out, sizeof out));
                continue;
            }
            if (done != 0) break;
            if (is_nonblocking()) return fail(Error::WouldBlock);
            TRY(process_.threads().signal_queue.wait_until([this] { return is_pending(); }, kNever,
                                                           sched::WaitMode::Interruptible));
        }
        return done;
    }

  private:
    [[nodiscard]] SignalSet mask() const { return SignalSet{set_.load(std::memory_order_relaxed)}; }
    [[nodiscard]] bool is_pending() const {
        Task const* const task = current_task_or_null();
        ThreadGroup& group = process_.threads();
        smp::SpinIrqGuard guard{group.lock()};
        SignalSet pending = group.pending.set();
        if (task != nullptr) pending.add(task->pending.set());
        return !(pending & mask()).empty();
    }

    Process& process_;
    std::atomic<u64> set_;
};

}  // namespace

Result<Ref<vfs::File>> make_signal_file(Process& process, SignalSet set, vfs::OpenFlags flags) {
    String name = TRY(String::create(kName));
    vfs::OpenFlags const readable{flags.bits() | vfs::OpenFlags::Read | vfs::OpenFlags::Write};
    auto* const file = new (std::nothrow) SignalFile{readable, std::move(name), process, set};
    if (file == nullptr) return fail(Error::NoMemory);
    return Ref<vfs::File>::adopt(file);
}

Result<> change_signal_file(vfs::File& file, SignalSet set) {
    // Paths of files begin with a slash: only ours has this name.
    if (file.path() != kName) return fail(Error::InvalidArgument);
    static_cast<SignalFile&>(file).set_mask(set);
    return {};
}

}  // namespace tutti::linux_abi
