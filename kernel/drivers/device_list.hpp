// SPDX-License-Identifier: BSD-3-Clause
// The devices of one class, in the order in which their drivers have found them. A device stays for ever: drivers do not
// go away, and one whose hardware has gone answers with errors.
//
// Publication: add() stores the link with release, readers load it with acquire; any context may read at any time.
#pragma once

#include <atomic>

#include "base/types.hpp"

namespace tutti::drivers {

template <class T>
class ListedDevice {
  protected:
    constexpr ListedDevice() = default;
    ~ListedDevice() = default;

  private:
    template <class>
    friend class DeviceList;
    std::atomic<T*> next_{nullptr};
};

template <class T>
class DeviceList {
  public:
    class Iterator {
      public:
        explicit Iterator(T* device) : device_{device} {}
        T& operator*() const { return *device_; }
        Iterator& operator++() {
            device_ = next_of(*device_).load(std::memory_order_acquire);
            return *this;
        }
        friend bool operator==(Iterator, Iterator) = default;

      private:
        T* device_;
    };

    constexpr DeviceList() = default;
    DeviceList(DeviceList const&) = delete;
    DeviceList& operator=(DeviceList const&) = delete;

    [[nodiscard]] Iterator begin() const { return Iterator{first_.load(std::memory_order_acquire)}; }
    [[nodiscard]] Iterator end() const { return Iterator{nullptr}; }
    // A device that is ready for use. One caller at a time: whoever starts the devices.
    void add(T& device) {
        std::atomic<T*>* link = &first_;
        while (T* const next = link->load(std::memory_order_relaxed)) link = &next_of(*next);
        link->store(&device, std::memory_order_release);
    }

  private:
    static std::atomic<T*>& next_of(T& device) { return static_cast<ListedDevice<T>&>(device).next_; }

    std::atomic<T*> first_{nullptr};
};

}  // namespace tutti::drivers
