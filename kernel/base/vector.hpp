// SPDX-License-Identifier: BSD-3-Clause
// A growing array whose growth can fail: std::vector without exceptions has no way to say so.
// Not synchronised. Growth allocates (operator new, nothrow): Thread context with a heap.
#pragma once

#include <new>
#include <span>
#include <utility>

#include "base/assert.hpp"
#include "base/result.hpp"

namespace tutti {

template <class T>
class Vector {
  public:
    constexpr Vector() = default;
    Vector(Vector&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)},
          size_{std::exchange(other.size_, 0)},
          capacity_{std::exchange(other.capacity_, 0)} {}
    Vector& operator=(Vector&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~Vector() {
        clear();
        deallocate(data_);
    }

    // On failure (Error::NoMemory) the vector is unchanged.
    [[nodiscard]] Result<> try_reserve(size_t capacity) {
        if (capacity <= capacity_) return {};
        if (capacity > static_cast<size_t>(-1) / sizeof(T)) return fail(Error::NoMemory);
        T* const grown = allocate(capacity);
        if (grown == nullptr) return fail(Error::NoMemory);
        for (size_t i = 0; i < size_; ++i) {
            new (static_cast<void*>(grown + i)) T(std::move(data_[i]));
            data_[i].~T();
        }
        deallocate(data_);
        data_ = grown;
        capacity_ = capacity;
        return {};
    }
    template <class... Args>
    [[nodiscard]] Result<> try_emplace_back(Args&&... args) {
        if (size_ == capacity_) TRY(try_reserve(capacity_ == 0 ? 4 : capacity_ * 2));
        new (static_cast<void*>(data_ + size_)) T(std::forward<Args>(args)...);
        ++size_;
        return {};
    }
    [[nodiscard]] Result<> try_push_back(T value) { return try_emplace_back(std::move(value)); }
    // New elements are value-initialised.
    [[nodiscard]] Result<> try_resize(size_t size) {
        TRY(try_reserve(size));
        while (size_ > size) pop_back();
        while (size_ < size) new (static_cast<void*>(data_ + size_++)) T();
        return {};
    }
    [[nodiscard]] Result<> try_append(std::span<T const> values) {
        TRY(try_reserve(size_ + values.size()));
        for (T const& value : values) new (static_cast<void*>(data_ + size_++)) T(value);
        return {};
    }
    void pop_back() {
        ASSERT(size_ != 0);
        data_[--size_].~T();
    }
    void clear() {
        while (size_ != 0) pop_back();
    }
    // Removes the element at `index`, keeping the order of the others.
    void erase(size_t index) {
        ASSERT(index < size_);
        for (size_t i = index; i + 1 < size_; ++i) data_[i] = std::move(data_[i + 1]);
        pop_back();
    }

    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] size_t capacity() const { return capacity_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] T* data() { return data_; }
    [[nodiscard]] T const* data() const { return data_; }
    [[nodiscard]] T& operator[](size_t i) { ASSERT(i < size_); return data_[i]; }
    [[nodiscard]] T const& operator[](size_t i) const { ASSERT(i < size_); return data_[i]; }
    [[nodiscard]] T& back() { ASSERT(size_ != 0); return data_[size_ - 1]; }
    [[nodiscard]] T* begin() { return data_; }
    [[nodiscard]] T* end() { return data_ + size_; }
    [[nodiscard]] T const* begin() const { return data_; }
    [[nodiscard]] T const* end() const { return data_ + size_; }
    [[nodiscard]] std::span<T> span() { return {data_, size_}; }
    [[nodiscard]] std::span<T const> span() const { return {data_, size_}; }

  private:
    static T* allocate(size_t count) {
        return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{alignof(T)}, std::nothrow));
    }
    static void deallocate(T* data) {
        if (data != nullptr) ::operator delete(static_cast<void*>(data), std::align_val_t{alignof(T)});
    }

    T* data_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

}  // namespace tutti
