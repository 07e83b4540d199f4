// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/console/virtio_console.hpp"

#include <cstring>
#include <iterator>

namespace tutti::drivers {
namespace {

// VIRTIO_CONSOLE_F_MULTIPORT and the events of its control messages, section 5.3.6.2.
constexpr u64 kMultiport = u64{1} << 1;
constexpr u16 kDeviceReady = 0;
constexpr u16 kPortReady = 3;
constexpr u16 kPortOpen = 6;

struct ControlMessage {
    u32 port;
    u16 event;
    u16 value;
};
static_assert(sizeof(ControlMessage) == 8);

constexpr u32 kPort = 1;
constexpr u16 kControlTransmitQueue = 3;

struct PortQueues {
    u16 receive;
    u16 transmit;
};
constexpr PortQueues kConsoleQueues{0, 1};
constexpr PortQueues kPortQueues{4, 5};

}  // namespace

Result<std::unique_ptr<VirtioConsole>> VirtioConsole::create(std::unique_ptr<VirtioTransport> transport) {
    std::unique_ptr<VirtioConsole> console{new (std::nothrow) VirtioConsole{std::move(transport)}};
    if (console == nullptr) return fail(Error::NoMemory);
    TRY(console->start());
    return console;
}

Result<> VirtioConsole::start() {
    u64 const features =
        TRY(transport_->negotiate(0, kVirtioEventIndex | kVirtioIndirectDescriptors | kMultiport));
    bool const multiport = (features & kMultiport) != 0;
    PortQueues const queues = multiport ? kPortQueues : kConsoleQueues;
    receive_memory_ = TRY(allocate_device_memory(size_t{kReceiveBuffers} * kReceiveBufferSize));
    transmit_memory_ = TRY(allocate_device_memory(kTransmitSize));
    auto receive_queue = TRY(DeviceQueue::create(*transport_, queues.receive, kReceiveBuffers, features,
                                                 {&VirtioConsole::receive_interrupt, this}, CpuId{0}));
    auto transmit_queue = TRY(DeviceQueue::create(*transport_, queues.transmit, kTransmitEntries, features,
                                                  {&VirtioConsole::transmit_interrupt, this}, CpuId{0}));
    // A piece that wraps is two buffers: without indirect descriptors it takes two entries.
    bool const indirect = (features & kVirtioIndirectDescriptors) != 0;
    size_t const pieces = indirect ? transmit_queue->size() : transmit_queue->size() / 2;
    if (pieces == 0) return fail(Error::NotSupported);
    auto ring = TRY(TransmitRing::create(kTransmitSize, pieces));
    receive_queue->disable_interrupts();
    transmit_queue->disable_interrupts();
    {
        smp::SpinIrqGuard guard{receive_lock_};
        receive_queue_ = std::move(receive_queue);
    }
    {
        smp::SpinIrqGuard guard{transmit_lock_};
        transmit_queue_ = std::move(transmit_queue);
        ring_ = std::move(ring);
    }
    if (multiport) TRY(prepare_control(features));
    transport_->start();
    if (multiport) control_queue_.kick();
    return {};
}

// Tells the device that the port is used. What it says of its ports in return is not needed: the control receive queue
// stays off, as long as nobody plugs ports.
Result<> VirtioConsole::prepare_control(u64 features) {
    constexpr ControlMessage kMessages[] = {{0, kDeviceReady, 1}, {kPort, kPortReady, 1}, {kPort, kPortOpen, 1}};
    control_memory_ = TRY(allocate_device_memory(sizeof kMessages));
    control_queue_ = TRY(DeviceQueue::create(*transport_, kControlTransmitQueue, 4, features, {}, CpuId{0}));
    control_queue_->disable_interrupts();
    std::memcpy(control_memory_.bytes.data(), kMessages, sizeof kMessages);
    for (size_t i = 0; i < std::size(kMessages); ++i) {
        DeviceBuffer const buffer{control_memory_.physical + i * sizeof(ControlMessage), sizeof(ControlMessage)};
        TRY(control_queue_->submit({&buffer, 1}, {}, i));
    }
    return {};
}

void VirtioConsole::connect(Client& client) {
    smp::SpinIrqGuard guard{receive_lock_};
    client_ = &client;
    for (u16 i = 0; i < receive_queue_->size(); ++i) post_buffer(i);
    (void)receive_queue_->enable_interrupts();  // nothing can be there: the device has had no buffer
    receive_queue_.kick();
}

void VirtioConsole::post_buffer(u64 number) {
    DeviceBuffer const buffer{receive_memory_.physical + number * kReceiveBufferSize, kReceiveBufferSize};
    // There is an entry for each buffer; it fails only on a broken queue, which needs no buffers.
    (void)receive_queue_->submit({}, {&buffer, 1}, number);
}

ISR_SAFE void VirtioConsole::receive() {
    smp::SpinIrqGuard guard{receive_lock_};
    if (client_ == nullptr) return;
    do {
        while (auto const done = receive_queue_->take_completion()) {
            client_->on_received(receive_memory_.bytes.subspan(done->token * kReceiveBufferSize, done->written));
            post_buffer(done->token);
        }
        receive_queue_.kick();
    } while (receive_queue_->enable_interrupts());
}

ISR_SAFE void VirtioConsole::transmitted() {
    {
        smp::SpinIrqGuard guard{transmit_lock_};
        transmit_queue_->disable_interrupts();  // request_room() turns them on when somebody waits
    }
    if (client_ != nullptr) client_->on_room();
}

ISR_SAFE void VirtioConsole::reclaim() {
    while (auto const done = transmit_queue_->take_completion())
        if (!ring_.take_back(done->token)) transmit_broken_ = true;
    if (transmit_queue_->is_broken()) transmit_broken_ = true;
}

ISR_SAFE size_t VirtioConsole::transmit_room() {
    smp::SpinIrqGuard guard{transmit_lock_};
    reclaim();
    return transmit_broken_ ? 0 : ring_.room();
}

ISR_SAFE bool VirtioConsole::request_room(size_t count) {
    smp::SpinIrqGuard guard{transmit_lock_};
    do {
        reclaim();
        if (transmit_broken_ || ring_.room() >= count) return true;
    } while (transmit_queue_->enable_interrupts());
    // The look at the index inside enable_interrupts() came after the request: what completes from now on interrupts.
    if (transmit_queue_->is_broken()) transmit_broken_ = true;
    return transmit_broken_;
}

ISR_SAFE bool VirtioConsole::is_broken() {
    smp::SpinIrqGuard guard{transmit_lock_};
    return transmit_broken_;
}

BytePort::Space VirtioConsole::transmit_space(size_t count) {
    smp::SpinIrqGuard guard{transmit_lock_};
    auto const first = ring_.first_piece(count);
    auto const second = ring_.second_piece(count);
    return {transmit_memory_.bytes.subspan(first.offset, first.length),
            transmit_memory_.bytes.subspan(second.offset, second.length)};
}

void VirtioConsole::transmit(size_t count) {
    smp::SpinIrqGuard guard{transmit_lock_};
    DeviceBuffer buffers[2];
    size_t used = 0;
    for (auto const& piece : {ring_.first_piece(count), ring_.second_piece(count)})
        if (piece.length != 0)
            buffers[used++] = {transmit_memory_.physical + piece.offset, static_cast<u32>(piece.length)};
    u64 const token = ring_.give(count);
    // The ring has no more pieces out than the queue has room for: it fails only when the queue is broken.
    if (!transmit_queue_->submit({buffers, used}, {}, token)) transmit_broken_ = true;
    transmit_queue_.kick();
}

}  // namespace tutti::drivers
