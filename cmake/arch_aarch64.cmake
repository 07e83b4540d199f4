# SPDX-License-Identifier: BSD-3-Clause
# What the aarch64 kernel needs from the compiler and the linker. Atomics call functions that use LSE where the CPU has it
# (kernel/arch/aarch64/atomics.S).
set(TUTTI_aarch64_FLAGS --target=aarch64-linux-gnu -march=armv8-a -mgeneral-regs-only -moutline-atomics
  -mno-omit-leaf-frame-pointer)
set(TUTTI_aarch64_LINK_FLAGS -m aarch64elf)
set(TUTTI_aarch64_PLATFORMS virt)
set(TUTTI_aarch64_LINKER_SCRIPT ${PROJECT_SOURCE_DIR}/kernel/platform/virt/kernel.ld)
set(TUTTI_aarch64_FLAT ON)  # the boot protocol of Arm Linux: *.Image
set(TUTTI_aarch64_TEST_RUNS virt-gicv3:1 virt-gicv3:2 virt-gicv3:4 virt-gicv3:64 virt-gicv2:1 virt-gicv2:2 virt-gicv2:4)
set(TUTTI_aarch64_VDSO_FLAGS -mgeneral-regs-only)
set(TUTTI_aarch64_VDSO_LINK_FLAGS -e __kernel_rt_sigreturn)  # where the kernel finds it

# tutti_debian_arm64(PACKAGE VERSION RESULT): the folder of an unpacked package of Debian's for this architecture.
function(tutti_debian_arm64 name version result)
  set(folder ${PROJECT_BINARY_DIR}/debian/${name}_${version}_arm64)
  if(NOT EXISTS ${folder})
    message(STATUS "Fetching ${name} ${version} for arm64")
    execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/fetch-package arm64 ${name} ${version} ${folder} RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "Arm64 needs ${name}. To build without it: cmake --preset default -DTUTTI_ARCHES=x86_64")
    endif()
  endif()
  set(${result} ${folder} PARENT_SCOPE)
endfunction()

tutti_debian_arm64(libfdt-dev 1.6.1-4+b1 package)
set(TUTTI_aarch64_LIBRARIES ${package}/usr/lib/aarch64-linux-gnu/libfdt.a)
# The headers only: no other path of the package's.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include-libfdt)
foreach(header fdt.h libfdt.h libfdt_env.h)
  file(CREATE_LINK ${package}/usr/include/${header} ${PROJECT_BINARY_DIR}/include-libfdt/${header} SYMBOLIC)
endforeach()
list(APPEND TUTTI_aarch64_FLAGS -isystem ${PROJECT_BINARY_DIR}/include-libfdt)
