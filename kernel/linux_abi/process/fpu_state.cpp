// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/fpu_state.hpp"

#include <new>

#include "arch/fpu.hpp"
#include "smp/context/context.hpp"
#include "vm/user_copy.hpp"

namespace tutti::linux_abi {

namespace {

constexpr std::align_val_t kAreaAlignment{64};  // XSAVE (Intel SDM vol. 1, 13.4)

}  // namespace

FpuState::~FpuState() {
    if (area_ != nullptr) ::operator delete(area_, kAreaAlignment);
}

Result<> FpuState::create() {
    area_ = static_cast<u8*>(::operator new(arch::fpu_area_size(), kAreaAlignment, std::nothrow));
    if (area_ == nullptr) return fail(Error::NoMemory);
    arch::fpu_reset(area_);
    return {};
}

Result<> FpuState::create_copy_of_current() {
    TRY(create());
    smp::PreemptGuard guard;
    arch::fpu_save(area_);
    return {};
}

ISR_SAFE void FpuState::save_at_switch() { arch::fpu_save(area_); }
ISR_SAFE void FpuState::load_at_switch() { arch::fpu_restore(area_); }

void FpuState::save_current() {
    smp::PreemptGuard guard;  // a switch in the middle would save over the area
    arch::fpu_save(area_);
}

void FpuState::load_current() {
    smp::PreemptGuard guard;
    arch::fpu_restore(area_);
}

void FpuState::reset() {
    smp::PreemptGuard guard;
    arch::fpu_reset(area_);
    arch::fpu_restore(area_);
}

Result<> FpuState::load_from_user(VirtAddr from, u64 length) {
    // Read into memory of its own: a switch during the copy would save the live registers over a half-read area.
    auto* const incoming = static_cast<u8*>(::operator new(size(), kAreaAlignment, std::nothrow));
    if (incoming == nullptr) return fail(Error::NoMemory);
    arch::fpu_reset(incoming);
    Result<> const copied = vm::copy_from_user(incoming, from, length);
    if (copied) {
        arch::fpu_sanitize(incoming);
        smp::PreemptGuard guard;
        arch::fpu_restore(incoming);
    }
    ::operator delete(incoming, kAreaAlignment);
    return copied;
}

u64 FpuState::size() const { return arch::fpu_area_size(); }

}  // namespace tutti::linux_abi
