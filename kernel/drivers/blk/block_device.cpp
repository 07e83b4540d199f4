// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/blk/block_device.hpp"

#include "base/assert.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::drivers {

namespace {
constinit DeviceList<BlockDevice> devices;
}
DeviceList<BlockDevice>& block_devices() { return devices; }

Result<> BlockDevice::submit(BlockRequest& request) {
    CHECK(request.device == nullptr, "a block request was submitted while it was under way");
    if (request.operation == BlockOperation::Flush) {
        if (!request.bytes.empty()) return fail(Error::InvalidArgument);
    } else {
        if (request.bytes.empty() || request.bytes.size() % sector_size_ != 0)
            return fail(Error::InvalidArgument);
        u64 const count = request.bytes.size() / sector_size_;
        if (count > sector_count_ || request.sector > sector_count_ - count) return fail(Error::OutOfRange);
        if (request.operation == BlockOperation::Write && read_only_) return fail(Error::ReadOnly);
    }
    smp::PreemptGuard const here;
    request.device = this;
    request.cpu = smp::this_cpu(here);
    start(request);
    return {};
}

void BlockDevice::complete(BlockRequest& request) {
    request.device = nullptr;
    request.done(request, request.result);
}

}  // namespace tutti::drivers
