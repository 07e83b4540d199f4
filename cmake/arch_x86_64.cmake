# SPDX-License-Identifier: BSD-3-Clause
# What the x86_64 kernel needs from the compiler and the linker. Without SSE and MMX the compiler uses only
# general registers, and passing a float or double does not compile. (-mgeneral-regs-only also rejects the
# mere declarations with long double in libstdc++'s <atomic> and <string>.)
set(TUTTI_ARCH_FLAGS --target=x86_64-linux-gnu -march=x86-64 -mno-red-zone
  -mno-sse -mno-mmx -msoft-float -mno-implicit-float -mcmodel=kernel -mno-omit-leaf-frame-pointer)
set(TUTTI_ARCH_LINK_FLAGS -m elf_x86_64)
set(TUTTI_ARCH_PLATFORMS pc)
set(TUTTI_ARCH_LINKER_SCRIPT ${PROJECT_SOURCE_DIR}/kernel/platform/pc/kernel.ld)
