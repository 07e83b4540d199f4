// SPDX-License-Identifier: BSD-3-Clause
// Reading and writing a file waits for the host, so helper threads do it, the workers: the CPUs have one each, and share them
// from kMaxWorkers CPUs on. A worker takes requests in their order, for whatever disk.
//
//   CPU       submitted.push(request); wakes the worker if it sleeps         any context up to Isr
//   worker    pread, pwrite or fdatasync; done.push(request); interrupts the CPU that submitted, if the queue was empty
//   CPU       takes all that are done, in Isr context
//
// The two queues are all that CPUs and workers share; what one side wrote to a request is visible to the other by their
// orders (mpsc_queue.hpp). Nobody is left asleep: a worker stores `sleeping` and then looks whether the queue is empty, who
// pushes onto an empty queue looks at `sleeping` afterwards, all seq_cst.
#include "platform/linuxu/disk.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <memory>

#include "arch/host_call.hpp"
#include "base/log.hpp"
#include "base/string.hpp"
#include "drivers/blk/block_device.hpp"
#include "platform/linuxu/host_error.hpp"
#include "platform/linuxu/host_thread.hpp"
#include "platform/linuxu/interrupts.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::platform {
namespace {

using arch::host_argument;
using arch::host_call;
using drivers::BlockOperation;
using drivers::BlockRequest;
using RequestQueue = smp::MpscQueue<BlockRequest, &BlockRequest::node>;

constexpr u32 kMaxWorkers = 8;
constexpr size_t kSectorSize = 512;

struct OpenDisk {
    u64 file;
    u64 sectors;
    bool read_only;
};
constinit OpenDisk opened[kMaxDisks]{};
constinit size_t opened_count = 0;

struct Worker {
    RequestQueue submitted;
    // A futex: 1 while it sleeps, or is about to.
    std::atomic<u32> sleeping{0};

    void submit(BlockRequest& request);
    [[noreturn]] void run();
};

struct Completions {
    RequestQueue done;
    hal::InterruptHandle interrupt;

    static void take_all(void* self);
};

// What all disks share. Made before the first of them, and constant from then on.
struct Engine {
    u32 worker_count = 0;
    std::unique_ptr<smp::CachePadded<Worker>[]> workers;
    smp::DynamicPerCpu<Completions> completions;

    Result<> start();
    [[nodiscard]] Worker& worker_of(CpuId cpu) const { return workers[cpu.value() % worker_count].value; }
};
constinit Engine engine;

class FileDisk final : public drivers::BlockDevice {
  public:
    FileDisk(size_t number, OpenDisk const& disk)
        : BlockDevice{kSectorSize, disk.sectors, disk.read_only}, file_{disk.file} {
        char text[16];
        name_.assign(format_to(text, "disk{}", number));
    }
    std::string_view name() const override { return name_; }

    // The workers'.
    [[nodiscard]] Result<> perform(BlockRequest const& request) const;
    using BlockDevice::complete;

  private:
    ISR_SAFE void start(BlockRequest& request) override { engine.worker_of(request.cpu).submit(request); }

    FixedString<15> name_;
    u64 file_;
};

Result<> FileDisk::perform(BlockRequest const& request) const {
    if (request.operation == BlockOperation::Flush) {
        i64 result;
        do result = host_call(SYS_fdatasync, file_);
        while (result == kHostInterrupted);
        if (result != 0) return fail(host_error(result));
        return {};
    }
    i64 const call = request.operation == BlockOperation::Read ? SYS_pread64 : SYS_pwrite64;
    u64 const offset = request.sector * kSectorSize;
    for (size_t done = 0; done < request.bytes.size();) {
        i64 const count = host_call(call, file_, host_argument(request.bytes.data() + done),
                                    request.bytes.size() - done, offset + done);
        if (count == kHostInterrupted) continue;
        if (count < 0) return fail(host_error(count));
        if (count == 0) return fail(Error::IoError);  // somebody has made the file shorter
        done += static_cast<size_t>(count);
    }
    return {};
}

ISR_SAFE void Worker::submit(BlockRequest& request) {
    if (submitted.push(request) && sleeping.exchange(0, std::memory_order_seq_cst) != 0)
        host_call(SYS_futex, host_argument(&sleeping), FUTEX_WAKE_PRIVATE, 1);
}

void Worker::run() {
    for (;;) {
        for (BlockRequest* request = submitted.take_all(); request != nullptr;) {
            BlockRequest* const next = RequestQueue::next(*request);
            request->result = static_cast<FileDisk*>(request->device)->perform(*request);
            Completions& completions = engine.completions.on(request->cpu);
            // The request is the CPU's from here on.
            if (completions.done.push(*request)) raise_interrupt(completions.interrupt);
            request = next;
        }
        (void)sleeping.exchange(1, std::memory_order_seq_cst);
        if (submitted.empty()) host_call(SYS_futex, host_argument(&sleeping), FUTEX_WAIT_PRIVATE, 1, 0);
        sleeping.store(0, std::memory_order_relaxed);
    }
}

ISR_SAFE void Completions::take_all(void* self) {
    for (BlockRequest* request = static_cast<Completions*>(self)->done.take_all(); request != nullptr;) {
        BlockRequest* const next = RequestQueue::next(*request);
        FileDisk::complete(*request);
        request = next;
    }
}

Result<> Engine::start() {
    worker_count = std::min(smp::cpu_count(), kMaxWorkers);
    workers.reset(new (std::nothrow) smp::CachePadded<Worker>[worker_count]);
    if (workers == nullptr) return fail(Error::NoMemory);
    completions = TRY(smp::DynamicPerCpu<Completions>::create());
    for (u32 i = 0; i < smp::cpu_count(); ++i) {
        Completions& of_cpu = completions.on(CpuId{i});
        of_cpu.interrupt = TRY(hal::allocate_interrupt(CpuId{i}, &Completions::take_all, &of_cpu));
    }
    auto const main = [](void* worker) -> void* { static_cast<Worker*>(worker)->run(); };
    for (u32 i = 0; i < worker_count; ++i)
        if (start_helper_thread(main, &workers[i].value) != 0) return fail(Error::NoMemory);
    return {};
}

}  // namespace

void open_disk(DiskOption const& disk) {
    char text[160];
    i64 const file = host_call(SYS_openat, static_cast<u64>(AT_FDCWD), host_argument(disk.path),
                               static_cast<u64>((disk.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC), 0);
    if (file == -ENOENT)
        end_before_boot("--disk", disk.path, "there is no such file. Make it with: truncate -s 64M FILE");
    if (file < 0)
        end_before_boot("--disk", disk.path,
                        format_to(text, "{} (error {}){}", host_error_text(file), -file,
                                  disk.read_only ? "" : ". To read it only: --disk FILE:ro"));
    struct stat status;
    host_call(SYS_fstat, static_cast<u64>(file), host_argument(&status));
    u64 size = static_cast<u64>(status.st_size);
    if (S_ISBLK(status.st_mode))
        host_call(SYS_ioctl, static_cast<u64>(file), BLKGETSIZE64, host_argument(&size));
    else if (!S_ISREG(status.st_mode))
        end_before_boot("--disk", disk.path, "it is neither a file nor a block device");
    if (size == 0 || size % kSectorSize != 0)
        end_before_boot("--disk", disk.path,
                        format_to(text,
                                  "its size is {} bytes, which are no whole sectors of {}. Make it larger "
                                  "with: truncate -s %{} FILE",
                                  size, kSectorSize, kSectorSize));
    opened[opened_count++] = {static_cast<u64>(file), size / kSectorSize, disk.read_only};
}

void start_disks() {
    if (opened_count == 0) return;
    if (Result<> const started = engine.start(); !started)
        return log_error("disks: not started: {}", started.error());
    for (size_t i = 0; i < opened_count; ++i) {
        auto* const disk = new (std::nothrow) FileDisk{i, opened[i]};
        if (disk == nullptr) return log_error("disks: not started: {}", Error::NoMemory);
        drivers::block_devices().add(*disk);  // for ever
    }
}

}  // namespace tutti::platform
