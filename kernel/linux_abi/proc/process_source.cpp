// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/proc/process_source.hpp"

#include <algorithm>

#include "linux_abi/process/host_identity.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/syscall/file_support.hpp"
#include "linux_abi/time/clock.hpp"
#include "vm/user_copy.hpp"

namespace tutti::linux_abi {

namespace {

class Source final : public vfs::ProcessSource {
  public:
    Result<i32> current_process() override { return TRY(own_process())->pid(); }
    Result<i32> current_thread() override {
        Task* const task = current_task_or_null();
        return task != nullptr ? Result<i32>{task->tid()} : fail(Error::NotFound);
    }

    i32 next_process(i32 from) override {
        i32 const own = current_process().value_or(-1);
        return from <= own ? own : -1;
    }
    i32 next_thread(i32 process, i32 from) override {
        auto const found = find(process);
        i32 const next = found ? (*found)->threads().next_tid_from(from) : 0;
        return next > 0 ? next : -1;
    }
    i32 next_descriptor(i32 process, i32 from) override {
        auto const found = find(process);
        return found ? (*found)->files().next_from(from) : -1;
    }

    Result<vfs::ThreadState> thread(i32 process, i32 thread) override {
        Process& owner = *TRY(find(process));
        Ref<Task> const task = owner.threads().find(thread);
        vfs::ThreadState state;
        if (task) {
            state.thread = Ref<sched::Thread>{task->thread()};
        } else {
            // The first thread may have ended before the others: what is asked about it is answered by one of those.
            Task* const own = current_task_or_null();
            if (thread != process || own == nullptr) return fail(Error::NoSuchProcess);
            state.thread = Ref<sched::Thread>{own->thread()};
        }
        state.parent = owner.parent_pid();
        state.thread_count = owner.threads().count();
        state.no_new_privileges = owner.no_new_privileges();
        smp::SpinIrqGuard guard{owner.threads().lock()};
        state.is_stopped = owner.threads().stopped;
        if (task) {
            state.signals.blocked = task->blocked.bits();
            state.signals.thread_pending = task->pending.set().bits();
        }
        state.signals.process_pending = owner.threads().pending.set().bits();
        for (i32 signal = 1; signal <= kSignalCount; ++signal) {
            u64 const handler = owner.threads().actions[signal - 1].handler;
            u64 const bit = SignalSet::of(signal).bits();
            if (handler == kSigIgnore) state.signals.ignored |= bit;
            if (handler != kSigIgnore && handler != kSigDefault) state.signals.caught |= bit;
        }
        return state;
    }

    Result<vfs::ProcessState> process(i32 process) override {
        Process& owner = *TRY(find(process));
        ProcessImage const& image = owner.image();
        vfs::ProcessState state;
        state.space = Ref<vm::AddressSpace>{owner.address_space()};
        state.started = image.started;
        state.cpu_time = process_cpu_time(owner);
        state.file_mode_mask = owner.file_context().mask();
        state.descriptor_slots = descriptor_slots(owner);
        state.oom_score_adjustment = oom_score_adjustment_.load(std::memory_order_relaxed);
        static_assert(vfs::kResourceLimits == kRlimitCount);
        for (u32 kind = 0; kind < kRlimitCount; ++kind) {
            Rlimit const limit = owner.limits().get(static_cast<RlimitKind>(kind));
            state.limits[kind] = {limit.current, limit.maximum};
        }
        state.code_start = image.code_start;
        state.code_end = image.code_end;
        state.data_start = image.data_start;
        state.data_end = image.data_end;
        state.break_start = image.break_start;
        state.stack_start = image.stack_start;
        state.arguments_start = image.arguments_start;
        state.arguments_end = image.arguments_end;
        state.environment_start = image.environment_start;
        state.environment_end = image.environment_end;
        state.auxiliary_start = image.auxiliary_start;
        state.auxiliary_size = image.auxiliary_size;
        return state;
    }

    Result<Ref<vfs::File>> file(i32 process, i32 descriptor) override {
        return TRY(find(process))->files().get(descriptor);
    }
    u32 open_bits(i32 process, i32 descriptor) override {
        auto const found = find(process);
        auto const file = found ? (*found)->files().get(descriptor) : fail(Error::BadFileDescriptor);
        if (!file) return 0;
        bool const closes = (*found)->files().flag(descriptor).value_or(FdFlag::None) == FdFlag::CloseOnExec;
        return from_open_flags((*file)->flags()) | (closes ? kOCloexec : 0u);
    }

    // The process is the caller's own, so its memory is the one that is loaded.
    Result<> read_memory(i32 process, VirtAddr start, VirtAddr end, String& bytes) override {
        constexpr u64 kMost = u64{8} << 20;
        TRY(find(process));
        if (end <= start) return {};
        size_t const before = bytes.size();
        u64 const size = std::min<u64>(end - start, kMost);
        TRY(bytes.resize(before + size));
        u64 const copied = vm::copy_from_user_partial(bytes.span().data() + before, start, size).value_or(0);
        bytes.truncate(before + copied);
        return {};
    }

    Result<Ref<vfs::Inode>> working_directory(i32 process) override {
        return TRY(find(process))->file_context().working_directory();
    }
    Result<> executable(i32 process, String& path) override {
        return path.append(TRY(find(process))->image().executable);
    }

    Result<> set_thread_name(i32 process, i32 thread, std::string_view name) override {
        Ref<Task> const task = TRY(find(process))->threads().find(thread);
        if (!task) return fail(Error::NoSuchProcess);
        task->thread().set_name(name.substr(0, sched::Thread::kMaxName));
        return {};
    }
    Result<> set_oom_score_adjustment(i32 process, i32 value) override {
        TRY(find(process));
        // Relaxed: the value only stands for itself. Nothing chooses a victim here, but programs read back what they set.
        oom_score_adjustment_.store(value, std::memory_order_relaxed);
        return {};
    }

    vfs::SystemIdentity identity() override {
        Utsname const names = host_identity();
        vfs::SystemIdentity result;
        result.system.assign(names.system_name);
        result.release.assign(names.release);
        result.version.assign(names.version);
        result.host.assign(names.node_name);
        result.domain.assign(names.domain_name);
        return result;
    }
    Result<> set_host_name(std::string_view name) override { return linux_abi::set_host_name(name); }
    Result<> set_domain_name(std::string_view name) override { return linux_abi::set_domain_name(name); }
    i32 most_threads() override { return kMaxThreadId; }
    i32 last_thread() override {
        auto const own = own_process();
        return own ? (*own)->threads().last_tid() : 0;
    }
    u64 most_descriptors() override { return kMostDescriptors; }

  private:
    static constexpr u64 kMostDescriptors = 1 << 20;  // what ResourceLimits lets RLIMIT_NOFILE be

    static Result<Process*> own_process() {
        Task* const task = current_task_or_null();
        return task != nullptr ? Result<Process*>{&task->process()} : fail(Error::NotFound);
    }
    // Alive as long as the calling thread, which is one of its own.
    static Result<Process*> find(i32 pid) {
        Process* const own = TRY(own_process());
        return own->pid() == pid ? Result<Process*>{own} : fail(Error::NoSuchProcess);
    }
    static u32 descriptor_slots(Process& process) {
        constexpr u32 kStep = 64;
        i32 last = 0;
        for (i32 fd = process.files().next_from(0); fd >= 0; fd = process.files().next_from(fd + 1)) last = fd;
        return (static_cast<u32>(last) / kStep + 1) * kStep;
    }

    std::atomic<i32> oom_score_adjustment_{0};
};

constinit Source the_source;

}  // namespace

vfs::ProcessSource& process_source() { return the_source; }

}  // namespace tutti::linux_abi
