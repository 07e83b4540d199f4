// SPDX-License-Identifier: BSD-3-Clause
// Intrusive reference counting. Derive from RefCounted<T>; hold with Ref<T>; create with make_ref<T>(args...).
//
// The count starts at one, owned by the Ref that make_ref returns. The last put() deletes the object in the context
// of the caller: types whose destructor may block say so, and their Refs are dropped in Thread context only.
#pragma once

#include <atomic>
#include <new>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"
#include "base/result.hpp"

namespace tutti {

template <class T>
class RefCounted {
  public:
    RefCounted(RefCounted const&) = delete;
    RefCounted& operator=(RefCounted const&) = delete;

    ISR_SAFE void get() const {
        // relaxed: the caller already holds a reference, so nothing is published here.
        [[maybe_unused]] u32 const before = count_.fetch_add(1, std::memory_order_relaxed);
        ASSERT(before != 0, "reference taken to a dead object");
    }
    ISR_SAFE void put() const {
        // release: our accesses come before the deletion; pairs with the acquire below of whoever deletes.
        if (count_.fetch_sub(1, std::memory_order_release) == 1) {
            (void)count_.load(std::memory_order_acquire);
            auto const* const object = static_cast<T const*>(this);
            // A last call while the object is still whole, for what its parts are registered with.
            if constexpr (requires { object->before_delete(); }) object->before_delete();
            delete object;
        }
    }
    // For lookups that race with the last put(): fails when the object is already dying. The caller keeps the memory
    // valid meanwhile (a lock, or RCU).
    [[nodiscard]] ISR_SAFE bool try_get() const {
        u32 count = count_.load(std::memory_order_relaxed);
        while (count != 0)
            // acquire: pairs with the release in put(), so that we see what earlier holders wrote.
            if (count_.compare_exchange_weak(count, count + 1, std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }
    // A hint: others may change it at any time.
    [[nodiscard]] u32 reference_count() const { return count_.load(std::memory_order_relaxed); }

  protected:
    constexpr RefCounted() = default;
    ~RefCounted() = default;

  private:
    mutable std::atomic<u32> count_{1};
};

template <class T>
class Ref {
  public:
    constexpr Ref() = default;
    constexpr Ref(std::nullptr_t) {}
    // Takes a further reference to an object that the caller knows to be alive.
    explicit Ref(T& object) : object_{&object} { object.get(); }
    // Takes over a reference that the caller owns.
    [[nodiscard]] static Ref adopt(T* object) {
        Ref ref;
        ref.object_ = object;
        return ref;
    }

    Ref(Ref const& other) : object_{other.object_} {
        if (object_ != nullptr) object_->get();
    }
    Ref(Ref&& other) noexcept : object_{std::exchange(other.object_, nullptr)} {}
    template <class U>
        requires std::is_convertible_v<U*, T*>
    Ref(Ref<U> other) : object_{other.leak()} {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ISR_SAFE ~Ref() { reset(); }

    ISR_SAFE void reset() {
        if (T* const object = std::exchange(object_, nullptr)) object->put();
    }
    // Gives the reference up to the caller, who must put() it later.
    [[nodiscard]] T* leak() { return std::exchange(object_, nullptr); }

    [[nodiscard]] ISR_SAFE T* get() const { return object_; }
    T& operator*() const { ASSERT(object_ != nullptr); return *object_; }
    T* operator->() const { ASSERT(object_ != nullptr); return object_; }
    explicit operator bool() const { return object_ != nullptr; }
    friend bool operator==(Ref const& a, Ref const& b) { return a.object_ == b.object_; }

  private:
    T* object_ = nullptr;
};

// Error::NoMemory when the heap is exhausted.
template <class T, class... Args>
[[nodiscard]] Result<Ref<T>> make_ref(Args&&... args) {
    T* const object = new (std::nothrow) T(std::forward<Args>(args)...);
    if (object == nullptr) return fail(Error::NoMemory);
    return Ref<T>::adopt(object);
}

}  // namespace tutti
