// SPDX-License-Identifier: BSD-3-Clause
// Strings that own their bytes: FixedString<N> in place, String on the heap with growth that can fail.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/format.hpp"
#include "base/vector.hpp"

namespace tutti {

// At most N bytes, cut silently beyond (thread names, short paths). Always NUL-terminated in memory.
template <size_t N>
class FixedString {
  public:
    constexpr FixedString() = default;
    constexpr FixedString(std::string_view text) { assign(text); }

    constexpr void assign(std::string_view text) {
        size_ = std::min(text.size(), N);
        for (size_t i = 0; i < size_; ++i) bytes_[i] = text[i];
        bytes_[size_] = 0;
    }
    [[nodiscard]] constexpr std::string_view view() const { return {bytes_, size_}; }
    constexpr operator std::string_view() const { return view(); }
    [[nodiscard]] constexpr char const* c_str() const { return bytes_; }
    [[nodiscard]] constexpr size_t size() const { return size_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }

  private:
    char bytes_[N + 1] = {};
    size_t size_ = 0;
};

class String {
  public:
    constexpr String() = default;
    [[nodiscard]] static Result<String> create(std::string_view text) {
        String string;
        TRY(string.append(text));
        return string;
    }

    [[nodiscard]] Result<> append(std::string_view text) { return bytes_.try_append({text.data(), text.size()}); }
    [[nodiscard]] Result<> append(char c) { return bytes_.try_push_back(c); }
    // At most 512 bytes of formatted text for each call.
    template <class... Args>
    [[nodiscard]] Result<> append_format(FormatString<Args...> format, Args const&... args) {
        char buffer[512];
        return append(format_to(buffer, format, args...));
    }
    void clear() { bytes_.clear(); }
    void truncate(size_t size) {
        while (bytes_.size() > size) bytes_.pop_back();
    }

    [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
    operator std::string_view() const { return view(); }
    [[nodiscard]] size_t size() const { return bytes_.size(); }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    [[nodiscard]] std::span<char> span() { return bytes_.span(); }
    [[nodiscard]] Result<> resize(size_t size) { return bytes_.try_resize(size); }

  private:
    Vector<char> bytes_;
};

}  // namespace tutti
