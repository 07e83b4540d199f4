// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/process/host_identity.hpp"

#include "linux_abi/machine/program_start.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::linux_abi {

namespace {

constexpr size_t kNameLimit = 64;

struct Names {
    char host[kNameLimit + 1] = "tutti";
    char domain[kNameLimit + 1] = "(none)";
};
constinit smp::SpinLock names_lock{smp::LockRank::HostIdentity, "host identity"};
constinit Names names GUARDED_BY(names_lock);

void copy_name(char (&to)[kNameLimit + 1], std::string_view from) {
    size_t const count = from.size() < kNameLimit ? from.size() : kNameLimit;
    __builtin_memset(to, 0, sizeof to);
    __builtin_memcpy(to, from.data(), count);
}

}  // namespace

Utsname host_identity() {
    Utsname result{};
    copy_name(result.system_name, kSystemName);
    copy_name(result.release, kRelease);
    copy_name(result.version, kVersion);
    copy_name(result.machine, kPlatformName);
    smp::SpinGuard guard{names_lock};
    copy_name(result.node_name, names.host);
    copy_name(result.domain_name, names.domain);
    return result;
}

Result<> set_host_name(std::string_view name) {
    if (name.size() > kNameLimit) return fail(Error::InvalidArgument);
    smp::SpinGuard guard{names_lock};
    copy_name(names.host, name);
    return {};
}

Result<> set_domain_name(std::string_view name) {
    if (name.size() > kNameLimit) return fail(Error::InvalidArgument);
    smp::SpinGuard guard{names_lock};
    copy_name(names.domain, name);
    return {};
}

}  // namespace tutti::linux_abi
