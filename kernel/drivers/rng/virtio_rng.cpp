// SPDX-License-Identifier: BSD-3-Clause
#include "drivers/rng/virtio_rng.hpp"

#include "base/log.hpp"
#include "drivers/rng/chacha20.hpp"
#include "drivers/rng/entropy.hpp"
#include "drivers/rng/entropy_source.hpp"
#include "drivers/virtio/device_queue.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::drivers {
namespace {

constexpr size_t kRequestSize = 64;

class VirtioRng {
  public:
    explicit VirtioRng(std::unique_ptr<VirtioTransport> transport) : transport_{std::move(transport)} {}

    Result<> start() {
        u64 const features = TRY(transport_->negotiate(0, kVirtioEventIndex));
        buffer_ = TRY(allocate_device_memory(kRequestSize));
        auto queue = TRY(DeviceQueue::create(*transport_, 0, 8, features, {&VirtioRng::interrupt, this}, CpuId{0}));
        (void)queue->enable_interrupts();
        {
            smp::SpinIrqGuard guard{lock_};
            queue_ = std::move(queue);
        }
        transport_->start();
        request();
        return {};
    }

    // One request at a time: there is one buffer.
    void request() {
        smp::SpinIrqGuard guard{lock_};
        DeviceBuffer const buffer{buffer_.physical, kRequestSize};
        if (queue_->in_flight() != 0 || !queue_->submit({}, {&buffer, 1}, 0)) return;
        queue_.kick();
    }

  private:
    ISR_SAFE static void interrupt(void* self) { static_cast<VirtioRng*>(self)->take_bytes(); }

    ISR_SAFE void take_bytes() {
        smp::SpinIrqGuard guard{lock_};
        do {
            while (auto const done = queue_->take_completion()) {
                std::span<u8> const bytes = buffer_.bytes.first(done->written);
                entropy_add(bytes);
                entropy_credit(static_cast<u32>(8 * bytes.size()));
                wipe(bytes);
            }
        } while (queue_->enable_interrupts());
    }

    smp::SpinLock lock_{smp::LockRank::DriverQueue, "virtio-rng queue"};
    DeviceQueue queue_ GUARDED_BY(lock_);
    DeviceMemory buffer_;
    std::unique_ptr<VirtioTransport> transport_;  // last: it stops the device before the memory above goes
};

// Set once, by the thread that starts the devices; its refill hook is published after it.
constinit VirtioRng* g_device = nullptr;

}  // namespace

Result<> start_virtio_rng(std::unique_ptr<VirtioTransport> transport) {
    if (g_device != nullptr) return fail(Error::AlreadyInProgress);
    auto device = std::unique_ptr<VirtioRng>{new (std::nothrow) VirtioRng{std::move(transport)}};
    if (device == nullptr) return fail(Error::NoMemory);
    TRY(device->start());
    g_device = device.release();
    set_entropy_refill([] { g_device->request(); });
    return {};
}

}  // namespace tutti::drivers
