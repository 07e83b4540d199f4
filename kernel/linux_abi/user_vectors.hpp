// SPDX-License-Identifier: BSD-3-Clause
// The vectors of a scattered transfer (readv, sendmsg), copied in: few in place, many on the heap.
#pragma once

#include <algorithm>

#include "linux_abi/abi/file.hpp"
#include "linux_abi/user_memory.hpp"
#include "vm/io_buffer.hpp"

namespace tutti::linux_abi {

class UserVectors {
  public:
    // Errors: BadAddress, InvalidArgument (a negative length), `too_many` (more than kIovMax).
    Result<> read(UserPtr<IoVec> from, u64 count, Error too_many) {
        if (count > kIovMax) return fail(too_many);
        vm::IoVector* to = inline_;
        if (count > kInline) {
            TRY(heap_.try_resize(count));
            to = heap_.data();
        }
        static_assert(sizeof(vm::IoVector) == sizeof(IoVec));
        TRY(vm::copy_from_user(to, from.address(), count * sizeof(IoVec)));
        u64 total = 0;
        for (u64 i = 0; i < count; ++i) {
            if (static_cast<i64>(to[i].length) < 0) return fail(Error::InvalidArgument);
            if (!vm::is_user_range(to[i].base, to[i].length)) return fail(Error::BadAddress);
            to[i].length = std::min(to[i].length, kMaxRwCount - total);
            total += to[i].length;
        }
        used_ = {to, count};
        return {};
    }
    [[nodiscard]] vm::IoBuffer buffer() const { return vm::IoBuffer::user(used_); }

  private:
    static constexpr u64 kInline = 8;
    vm::IoVector inline_[kInline];
    Vector<vm::IoVector> heap_;
    std::span<vm::IoVector const> used_;
};

}  // namespace tutti::linux_abi
