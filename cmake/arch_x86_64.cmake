# SPDX-License-Identifier: BSD-3-Clause
# What the x86_64 kernel needs from the compiler and the linker. Without SSE and MMX the compiler uses only
# general registers, and passing a float or double does not compile. (-mgeneral-regs-only also rejects the
# mere declarations with long double in libstdc++'s <atomic> and <string>.)
set(TUTTI_x86_64_FLAGS --target=x86_64-linux-gnu -march=x86-64 -mno-red-zone
  -mno-sse -mno-mmx -msoft-float -mno-implicit-float -mcmodel=kernel -mno-omit-leaf-frame-pointer)
set(TUTTI_x86_64_LINK_FLAGS -m elf_x86_64)
set(TUTTI_x86_64_VDSO_FLAGS -mno-sse -mno-mmx)
set(TUTTI_x86_64_PLATFORMS pc)
set(TUTTI_x86_64_LINKER_SCRIPT ${PROJECT_SOURCE_DIR}/kernel/platform/pc/kernel.ld)
set(TUTTI_x86_64_TEST_RUNS q35:1 q35:2 q35:4 q35:8 q35:64 q35:128 pc:2 microvm:1 microvm:2 microvm:4)
