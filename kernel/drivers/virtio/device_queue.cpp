// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/virtio/device_queue.hpp"

#include <algorithm>
#include <bit>

#include "mem/frame/frame_allocator.hpp"

namespace tutti::drivers {

Result<DeviceMemory> allocate_device_memory(size_t size) {
    unsigned const order = static_cast<unsigned>(std::bit_width(pages_for(size) - 1));
    DeviceMemory memory;
    memory.frames = TRY(mem::allocate_frames(order, mem::FrameFill::Zero));
    memory.bytes = {memory.frames.data<u8>(), kPageSize << order};
    memory.physical = memory.frames->address();
    return memory;
}

Result<DeviceQueue> DeviceQueue::create(VirtioTransport& transport, u16 index, u16 wanted, u64 features,
                                        QueueHandler handler, CpuId cpu) {
    u16 const offered = transport.max_queue_size(index);
    if (offered == 0) return fail(Error::NoDevice);
    u16 const size = std::min(std::bit_floor(offered), wanted);
    SplitQueueOptions const options{(features & kVirtioEventIndex) != 0,
                                    (features & kVirtioIndirectDescriptors) != 0};
    DeviceQueue made;
    made.transport_ = &transport;
    made.index_ = index;
    DeviceMemory memory = TRY(allocate_device_memory(SplitQueue::memory_size(size, options)));
    made.queue_ = TRY(SplitQueue::create(size, memory.bytes, memory.physical, options));
    made.memory_ = std::move(memory.frames);
    TRY(transport.connect_queue(index, made.queue_, handler, cpu));
    return made;
}

}  // namespace tutti::drivers
