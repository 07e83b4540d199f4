// SPDX-License-Identifier: BSD-3-Clause
#include "vfs/procfs/cpu_list.hpp"

namespace tutti::vfs {

Result<> append_cpu_mask(String& text, smp::CpuSet const& cpus) {
    constexpr u32 kWordBits = 32;
    u32 const words = (cpus.capacity() + kWordBits - 1) / kWordBits;
    for (u32 i = words; i-- > 0;) {
        u32 const bits = static_cast<u32>(cpus.word_value(i / 2) >> (i % 2 * kWordBits));
        u32 const digits = i == words - 1 ? ((cpus.capacity() - 1) % kWordBits) / 4 + 1 : kWordBits / 4;
        char buffer[8];
        std::string_view const word = format_to(buffer, "{:08x}", bits);
        TRY(text.append(word.substr(word.size() - digits)));
        if (i != 0) TRY(text.append(','));
    }
    return {};
}

Result<> append_cpu_list(String& text, smp::CpuSet const& cpus) {
    bool first = true;
    for (u32 cpu = cpus.next_from(0).value(); cpu < cpus.capacity();) {
        u32 last = cpu;
        while (cpus.contains(CpuId{last + 1})) ++last;
        if (!first) TRY(text.append(','));
        first = false;
        TRY(text.append_format("{}", cpu));
        if (last != cpu) TRY(text.append_format("-{}", last));
        cpu = cpus.next_from(last + 1).value();
    }
    return {};
}

}  // namespace tutti::vfs
