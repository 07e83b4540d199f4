// SPDX-License-Identifier: BSD-3-Clause
// What filesystems see of a disk: sectors that are read and written without waiting.
//
//   struct Load : BlockRequest { ... };
//   load.operation = BlockOperation::Read; load.sector = 8; load.bytes = page; load.done = &loaded;
//   TRY(disk.submit(load));       ...later, on the same CPU: loaded(load, result), in Isr context
//
// A request is the caller's memory: nothing is allocated, and there is no queue that can be full. Requests that are under way
// together may be carried out in any order. A flush covers the writes that were done when it was submitted.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "drivers/device_list.hpp"
#include "smp/lockfree/mpsc_queue.hpp"

namespace tutti::drivers {

class BlockDevice;

enum class BlockOperation : u8 { Read, Write, Flush };

// The device's from submit() until `done` is called, with the memory that `bytes` names.
struct BlockRequest {
    // Isr context, on the CPU that submitted; the request is the caller's again. Errors: IoError, NoSpace. After an error
    // any part may have been read or written.
    using Done = void (*)(BlockRequest& request, Result<> result);

    BlockOperation operation = BlockOperation::Read;
    u64 sector = 0;       // the first
    std::span<u8> bytes;  // whole sectors of kernel memory in the direct map; none for a flush
    Done done = nullptr;

    // --- the device's ---
    smp::MpscNode<BlockRequest> node;
    BlockDevice* device = nullptr;  // while it is under way
    CpuId cpu;
    Result<> result;
};

class BlockDevice : public ListedDevice<BlockDevice> {
  public:
    BlockDevice(BlockDevice const&) = delete;
    BlockDevice& operator=(BlockDevice const&) = delete;

    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] size_t sector_size() const { return sector_size_; }  // bytes
    [[nodiscard]] u64 sector_count() const { return sector_count_; }
    [[nodiscard]] bool is_read_only() const { return read_only_; }

    // Up to Isr context; does not block. `done` may be called before this returns. Errors, and then it is not called:
    // OutOfRange (beyond the last sector), ReadOnly, InvalidArgument (no whole sectors, or bytes to flush).
    [[nodiscard]] ISR_SAFE Result<> submit(BlockRequest& request);

  protected:
    BlockDevice(size_t sector_size, u64 sector_count, bool read_only)
        : sector_size_{sector_size}, sector_count_{sector_count}, read_only_{read_only} {}
    ~BlockDevice() = default;

    // Takes over a request that is in order.
    virtual void start(BlockRequest& request) = 0;
    // Calls `done`. Isr context, on request.cpu.
    ISR_SAFE static void complete(BlockRequest& request);

  private:
    size_t sector_size_;
    u64 sector_count_;
    bool read_only_;
};

// All there are.
[[nodiscard]] DeviceList<BlockDevice>& block_devices();

}  // namespace tutti::drivers
