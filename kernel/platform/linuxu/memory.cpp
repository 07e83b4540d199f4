// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/memory.hpp"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "arch/auxiliary_vector.hpp"
#include "arch/host_call.hpp"
#include "arch/host_memory.hpp"
#include "arch/host_tlb.hpp"
#include "arch/memory_layout.hpp"
#include "base/assert.hpp"
#include "base/bits.hpp"
#include "hal/boot_info.hpp"
#include "mem/paging/kernel_map.hpp"
#include "mem/stack/kernel_stack.hpp"

namespace tutti::platform {
namespace {

// As in a machine, the first page is nobody's: physical address 0 never names a frame.
constexpr u64 kFirstAddress = kPageSize;

constinit PhysRange ram{};
constinit PhysRange initrd{};
constinit hal::BootInfo info{};

// False when the host has no such memory, or something lies there.
bool map_at(u64 address, u64 size, u64 extra_flags) {
    i64 const result = arch::host_call(SYS_mmap, address, size, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra_flags, ~u64{0}, 0);
    return result == static_cast<i64>(address);
}

// A file in memory, so that programs can have parts of it mapped as their own.
int make_ram(u64 size) {
    constexpr u64 kMayExecute = 0x10;  // MFD_EXEC, since Linux 6.3
    char const* const name = "tutti RAM";
    i64 file = arch::host_call(SYS_memfd_create, arch::host_argument(name), MFD_CLOEXEC | kMayExecute);
    if (file < 0) file = arch::host_call(SYS_memfd_create, arch::host_argument(name), MFD_CLOEXEC);
    CHECK(file >= 0, "no file in memory from the host: error {}", -file);
    i64 const resized = arch::host_call(SYS_ftruncate, static_cast<u64>(file), size);
    CHECK(resized == 0, "no {} MiB of RAM from the host: error {}", size >> 20, -resized);
    return static_cast<int>(file);
}

// At the end of RAM.
void load_initrd(int file) {
    struct stat status;
    CHECK(arch::host_call(SYS_fstat, static_cast<u64>(file), arch::host_argument(&status)) == 0, "no initial archive");
    u64 const size = static_cast<u64>(status.st_size);
    if (size == 0) return;
    u64 const room = align_up(size, kPageSize);
    CHECK(room < ram.size, "the initial archive does not fit: give more memory");
    initrd = {PhysAddr{ram.end().value() - room}, size};
    for (u64 done = 0; done < size;) {
        i64 const count = arch::host_call(SYS_pread64, static_cast<u64>(file),
                                          arch::host_argument(arch::phys_to_virt<char>(initrd.base) + done), size - done, done);
        CHECK(count > 0, "the initial archive cannot be read: error {}", -count);
        done += static_cast<u64>(count);
    }
    static constinit PhysRange reserved{};
    reserved = {initrd.base, room};
    info.initrd = initrd;
    info.reserved = {&reserved, 1};
}

}  // namespace

void memory_init(Options const& options) {
    u64 const host_page_size = arch::auxiliary_value(AT_PAGESZ);
    CHECK(host_page_size == kPageSize, "this host has pages of {} KiB, the kernel of {} KiB", host_page_size >> 10, kPageSize >> 10);
    u64 const size = kFirstAddress + options.memory;
    int const file = make_ram(size);
    i64 const mapped = arch::host_call(SYS_mmap, arch::kDirectMapBase, size, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, static_cast<u64>(file), 0);
    CHECK(mapped == static_cast<i64>(arch::kDirectMapBase), "no {} MiB of address space for RAM at {:#x}", options.memory >> 20,
          arch::kDirectMapBase);
    arch::host_tlb_init(file);
    ram = {PhysAddr{kFirstAddress}, options.memory};
    info.ram = {&ram, 1};
    if (options.initrd_file >= 0) load_initrd(options.initrd_file);
    info.command_line = options.kernel_arguments;
    info.cpu_count = options.cpus;
    info.platform = "linuxu";
}

void* host_allocate(u64 size) {
    return reinterpret_cast<void*>(arch::host_memory(size));
}

}  // namespace tutti::platform

namespace tutti::hal {
BootInfo const& boot_info() { return platform::info; }
}  // namespace tutti::hal

namespace tutti::mem {
void kernel_map_init() {}
// No page tables of ours: a mapping of the process. What lies below it is not mapped, or is the next stack's guard.
Result<> back_kernel_stack(VirtAddr bottom) {
    auto const map = [&] { return platform::map_at(bottom.value(), arch::kKernelStackSize, MAP_FIXED_NOREPLACE); };
    if (map()) return {};
    arch::host_tlb_drop();  // programs' pages may have all the mappings that the process can have
    if (!map()) return fail(Error::NoMemory);
    return {};
}
}  // namespace tutti::mem
