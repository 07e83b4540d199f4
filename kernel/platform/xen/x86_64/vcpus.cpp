// SPDX-License-Identifier: BSD-3-Clause
// Source: Xen, public/vcpu.h and public/hvm/hvm_vcpu.h.
#include "platform/xen/vcpus.hpp"

#include "platform/xen/hypercalls.hpp"

namespace tutti::platform::xen {
namespace {

constexpr u64 kInitialise = 0;
constexpr u64 kUp = 1;
constexpr u32 kMode64 = 1;

struct VcpuContext {
    u32 mode;
    u32 padding;
    u64 general[8];  // rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi
    u64 rip, rflags;
    u64 cr0, cr3, cr4, efer;
    u64 rest[3];  // the 32-bit form is longer
};
static_assert(sizeof(VcpuContext) >= 8 + 14 * 8 + 16);

}  // namespace

i64 start_vcpu(u32 vcpu, void const* entry, PhysAddr root) {
    VcpuContext context{};
    context.mode = kMode64;
    context.rip = reinterpret_cast<u64>(entry);
    context.rflags = 2;
    context.cr0 = 0x80010013;  // PG, WP, ET, MP, PE, as ap_entry.S has it
    context.cr3 = root.value();
    context.cr4 = 1 << 5;  // PAE
    context.efer = 1 << 11 | 1 << 10 | 1 << 8;  // NXE, LMA, LME
    if (i64 const error = xen_vcpu_op(kInitialise, vcpu, &context); error != 0) return error;
    return xen_vcpu_op(kUp, vcpu, nullptr);
}

}  // namespace tutti::platform::xen
