# SPDX-License-Identifier: BSD-3-Clause
# The kernel as an ordinary Linux process (kernel/platform/linuxu/README.md), from the sources and unit tests that the folders
# have named. In the build folder,
#
#   tutti-linuxu                debug, with the unit tests
#   tutti-kernel-linuxu         release, for programs: what `tutti run --platform linuxu` starts
#   tutti-kernel-debug-linuxu   the same with assertions
#   tutti-linuxu-tsan           base, smp, mem, sched and what devices are, with their unit tests, under ThreadSanitizer
#   tutti-linuxu-asan           the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   tutti-linuxu-aarch64        the layers up to vfs with their unit tests, for qemu-user
#
# and target tutti_linuxu_release: base, smp, mem and sched for native benchmarks (which define hal::kernel_main() and call
# platform::boot()). Sanitizers and benchmarks need a C library, whose thread pointer is the one a program would have: no
# programs there.

# Where there is a C library: what it has, and operators that must share the process with host code. Programs do not run
# there, nor what is only for them.
set(TUTTI_LINUXU_CORE "/kernel/(base|smp|mem|sched|drivers/(blk|net))/")
set(TUTTI_LINUXU_WITHOUT_CORE "/kernel/(base/(freestanding|memory_functions)\\.cpp|mem/heap/operators\\.cpp)")
# Where programs run: all but what drives a machine's hardware.
set(TUTTI_LINUXU_WITHOUT
  "/kernel/(arch|platform)/|/kernel/mem/paging/kernel_map|/kernel/drivers/(bus|virtio)/|/kernel/drivers/(devices\\.cpp|console/virtio_console\\.cpp|rng/virtio_rng\\.cpp)")

# What plays the hardware, whatever the processor.
set(TUTTI_LINUXU_HOST arch/backtrace.cpp arch/contract.cpp arch/user_access.cpp arch/hosted/auxiliary_vector.cpp
  arch/hosted/host_memory.cpp arch/hosted/host_tlb.cpp arch/hosted/interrupts.cpp arch/hosted/traps.cpp platform/contract.cpp
  platform/linuxu/boot.cpp platform/linuxu/clock.cpp platform/linuxu/console.cpp platform/linuxu/cpus.cpp
  platform/linuxu/interrupts.cpp platform/linuxu/memory.cpp
  platform/linuxu/options.cpp platform/linuxu/power.cpp)
list(TRANSFORM TUTTI_LINUXU_HOST PREPEND ${PROJECT_SOURCE_DIR}/kernel/)
set(TUTTI_LINUXU OFF)
if(TUTTI_KERNEL AND TUTTI_ARCH STREQUAL x86_64 AND CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  set(TUTTI_LINUXU ON)
endif()

function(tutti_linuxu_images)
  if(NOT TUTTI_LINUXU)
    return()
  endif()
  set(arch ${PROJECT_SOURCE_DIR}/kernel/arch)
  set(processor ${arch}/hosted/${TUTTI_ARCH})
  set(platform ${PROJECT_SOURCE_DIR}/kernel/platform/linuxu)
  get_property(kernel GLOBAL PROPERTY TUTTI_KERNEL_SOURCES)
  get_property(kernel_tests GLOBAL PROPERTY TUTTI_KERNEL_TESTS)
  foreach(list kernel kernel_tests)
    tutti_keep_own(${list} ${TUTTI_ARCH})
    list(FILTER ${list} EXCLUDE REGEX "${TUTTI_LINUXU_WITHOUT}")
  endforeach()

  set(core ${kernel})
  list(FILTER core INCLUDE REGEX "${TUTTI_LINUXU_CORE}")
  list(FILTER core EXCLUDE REGEX "${TUTTI_LINUXU_WITHOUT_CORE}|/mem/paging/")
  set(core_tests ${kernel_tests})
  list(FILTER core_tests INCLUDE REGEX "${TUTTI_LINUXU_CORE}|/tests/harness/")
  foreach(file command_line core crash)
    list(APPEND core ${PROJECT_SOURCE_DIR}/kernel/init/${file}.cpp)
  endforeach()
  list(APPEND core_tests ${PROJECT_SOURCE_DIR}/kernel/init/core_main.cpp)
  list(APPEND core_tests ${arch}/hosted/interrupts_test.cpp)
  list(APPEND kernel_tests ${arch}/hosted/interrupts_test.cpp ${platform}/interrupts_test.cpp ${arch}/user_access_test.cpp ${arch}/x86_64/user_mode_programs.S ${arch}/x86_64/user_mode_test.cpp)
  list(FILTER kernel_tests EXCLUDE REGEX "/kernel/vm/out_of_memory_test")  # stacks and the kernel's tables are not made of frames

  set(host ${TUTTI_LINUXU_HOST} ${arch}/x86_64/print_frame.cpp ${arch}/x86_64/context_switch.S ${arch}/x86_64/fpu_area.cpp
    ${arch}/x86_64/user_access.S ${processor}/crash_report.cpp ${processor}/fpu.cpp ${processor}/programs.cpp
    ${processor}/signal_context.cpp ${processor}/signal_entry.S ${platform}/sanitizer.cpp)
  set(host_of_core ${host} ${arch}/hosted/context_switch.cpp ${platform}/operators.cpp)
  set(host_of_programs ${host} ${arch}/user_contract.cpp ${arch}/x86_64/memory_block.cpp ${platform}/devices.cpp ${platform}/disk.cpp
    ${platform}/host_link.cpp ${platform}/host_thread.cpp ${platform}/${TUTTI_ARCH}/start.S ${platform}/tap.cpp)

  tutti_linuxu_flavour("" KERNEL ${kernel} TESTS ${kernel_tests} HOST ${host_of_programs} FLAGS ${TUTTI_DEBUG_FLAGS})
  tutti_linuxu_flavour(-release KERNEL ${kernel} HOST ${host_of_programs} FLAGS ${TUTTI_RELEASE_FLAGS})
  tutti_linuxu_flavour(-tsan KERNEL ${core} TESTS ${core_tests} HOST ${host_of_core} FLAGS ${TUTTI_DEBUG_FLAGS}
    DEFINE TUTTI_HOSTED_LIBC=1 TUTTI_HOSTED_SANITIZER=1 TUTTI_HOSTED_TSAN=1 SANITIZE -fsanitize=thread)
  set(asan -fsanitize=address,undefined -fno-sanitize=vptr,function -fno-sanitize-recover=all)
  tutti_linuxu_flavour(-asan KERNEL ${core} TESTS ${core_tests} HOST ${host_of_core} FLAGS ${TUTTI_DEBUG_FLAGS}
    DEFINE TUTTI_HOSTED_LIBC=1 TUTTI_HOSTED_SANITIZER=1 TUTTI_HOSTED_ASAN=1 SANITIZE ${asan})

  tutti_linuxu_image(tutti-linuxu PARTS core tests host LINK ${TUTTI_LINUXU_PROGRAM_LINK_FLAGS})
  tutti_linuxu_image(tutti-kernel-linuxu PARTS core-release host-release LINK ${TUTTI_LINUXU_PROGRAM_LINK_FLAGS})
  tutti_linuxu_image(tutti-kernel-debug-linuxu PARTS core host LINK ${TUTTI_LINUXU_PROGRAM_LINK_FLAGS})
  tutti_linuxu_image(tutti-linuxu-tsan PARTS core-tsan tests-tsan host-tsan LINK ${TUTTI_LINUXU_LINK_FLAGS} -fsanitize=thread)
  tutti_linuxu_image(tutti-linuxu-asan PARTS core-asan tests-asan host-asan LINK ${TUTTI_LINUXU_LINK_FLAGS} ${asan})

  tutti_linuxu_test_runs(tutti-linuxu linuxu 1 2 4 8)
  tutti_not_in_matrix(programs linuxu.tsan "the sanitizers need the C library's thread pointer, which is the program's there")
  tutti_not_in_matrix(programs linuxu.asan "as linuxu.tsan")
  tutti_linuxu_test_runs(tutti-linuxu-tsan linuxu.tsan 1 2 4)
  tutti_linuxu_test_runs(tutti-linuxu-asan linuxu.asan 1 2 4)

  # For benchmarks.
  tutti_linuxu_objects(linuxu_core_release ${TUTTI_RELEASE_FLAGS} -ffreestanding -DTUTTI_HOSTED_LIBC=1)
  target_sources(linuxu_core_release PRIVATE ${core})
  tutti_linuxu_objects(linuxu_host_release ${TUTTI_RELEASE_FLAGS} -DTUTTI_HOSTED_LIBC=1)
  target_sources(linuxu_host_release PRIVATE ${host_of_core} ${PROJECT_BINARY_DIR}/link/linuxu/no_symbols.S)
  add_library(tutti_linuxu_release INTERFACE)
  target_sources(tutti_linuxu_release INTERFACE $<FILTER:$<TARGET_OBJECTS:linuxu_core_release>,EXCLUDE,\\.pch$>
    $<FILTER:$<TARGET_OBJECTS:linuxu_host_release>,EXCLUDE,\\.pch$>)
  tutti_linuxu_include(${TUTTI_ARCH} include)
  target_include_directories(tutti_linuxu_release INTERFACE ${include})
  target_link_options(tutti_linuxu_release INTERFACE ${TUTTI_LINUXU_LINK_FLAGS})
endfunction()

# tutti-linuxu-aarch64: the same process for another processor, which qemu-user imitates. Programs do not run there
# (kernel/arch/hosted/README.md), nor does what is only for them.
set(TUTTI_LINUXU_AARCH64_CORE "/kernel/(base|smp|mem|sched|vm|drivers|vfs)/")
function(tutti_linuxu_aarch64_image)
  if(NOT TUTTI_KERNEL OR NOT aarch64 IN_LIST TUTTI_ARCHES OR NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    return()
  endif()
  set(arch ${PROJECT_SOURCE_DIR}/kernel/arch)
  set(processor ${arch}/hosted/aarch64)
  set(platform ${PROJECT_SOURCE_DIR}/kernel/platform/linuxu)
  get_property(kernel GLOBAL PROPERTY TUTTI_KERNEL_SOURCES)
  get_property(kernel_tests GLOBAL PROPERTY TUTTI_KERNEL_TESTS)
  foreach(list kernel kernel_tests)
    tutti_keep_own(${list} aarch64)
  endforeach()
  list(FILTER kernel INCLUDE REGEX "${TUTTI_LINUXU_AARCH64_CORE}")
  list(FILTER kernel EXCLUDE REGEX "${TUTTI_LINUXU_WITHOUT}")
  list(FILTER kernel_tests INCLUDE REGEX "${TUTTI_LINUXU_AARCH64_CORE}|/tests/harness/")
  list(FILTER kernel_tests EXCLUDE REGEX "/kernel/vm/out_of_memory_test")  # as above
  foreach(file command_line core crash)
    list(APPEND kernel ${PROJECT_SOURCE_DIR}/kernel/init/${file}.cpp)
  endforeach()
  list(APPEND kernel_tests ${PROJECT_SOURCE_DIR}/kernel/init/core_main.cpp ${arch}/hosted/interrupts_test.cpp ${arch}/user_access_test.cpp
    ${processor}/signal_context_test.cpp)
  tutti_linuxu_flavour(-aarch64 ARCH aarch64 KERNEL ${kernel} TESTS ${kernel_tests} HOST ${TUTTI_LINUXU_HOST} ${arch}/aarch64/atomics.S
    ${arch}/aarch64/context_switch.S ${arch}/aarch64/crash_report.cpp ${arch}/aarch64/memory_block.S ${arch}/aarch64/user_access.S
    ${processor}/signal_context.cpp ${processor}/signal_entry.S ${platform}/host_thread.cpp ${platform}/sanitizer.cpp
    ${platform}/aarch64/start.S FLAGS ${TUTTI_DEBUG_FLAGS})
  tutti_linuxu_image(tutti-linuxu-aarch64 ARCH aarch64 PARTS core-aarch64 tests-aarch64 host-aarch64
    LINK --target=aarch64-linux-gnu ${TUTTI_LINUXU_PROGRAM_LINK_FLAGS})
  tutti_linuxu_test_runs(tutti-linuxu-aarch64 linuxu-aarch64 1 2 4)
  tutti_not_in_matrix(programs linuxu-aarch64 "kernel/arch/hosted/aarch64 has no way into programs, and qemu-user hands over no system calls")
endfunction()

set(TUTTI_LINUXU_SCRIPT_FLAGS -fuse-ld=lld -Wl,-T,${PROJECT_SOURCE_DIR}/kernel/platform/linuxu/linuxu.ld -Wl,-z,noexecstack)
set(TUTTI_LINUXU_LINK_FLAGS -no-pie ${TUTTI_LINUXU_SCRIPT_FLAGS} -pthread)
# Beyond the addresses of programs (kernel/arch/hosted/memory_layout.hpp), and without anything else in the process.
set(TUTTI_LINUXU_PROGRAM_LINK_FLAGS ${TUTTI_LINUXU_SCRIPT_FLAGS} -nostdlib -static -Wl,--image-base=0x7c0000000000 -Wl,--gc-sections)

# CTest entries `linuxu[.FLAVOUR].CPUS`, judged as the kernel's are.
function(tutti_linuxu_test_runs image label)
  foreach(cpus ${ARGN})
    add_test(NAME ${label}.${cpus} COMMAND run-tap --native --cpus ${cpus} --memory 256M
      --record ${PROJECT_BINARY_DIR}/test/tap/${label}.${cpus} --timeout 300 ${PROJECT_BINARY_DIR}/${image})
    set_tests_properties(${label}.${cpus} PROPERTIES TIMEOUT 330 LABELS linuxu PROCESSORS 2)
    tutti_in_matrix(unit ${label} ${cpus} ${label}.${cpus})
  endforeach()
endfunction()

# tutti_linuxu_include(ARCH RESULT): the folders in which `#include "arch/..."` is looked for: first that of the processor's
# part of arch/hosted, then kernel/ for arch/x86_64/ and arch/aarch64/ (not the part of that name), last that of arch/hosted.
function(tutti_linuxu_include arch result)
  set(common ${PROJECT_BINARY_DIR}/include-linuxu)
  set(own ${common}-${arch})
  file(MAKE_DIRECTORY ${common} ${own}/linux_abi/vdso)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/arch/hosted ${common}/arch SYMBOLIC)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/arch/hosted/${arch} ${own}/arch SYMBOLIC)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/linux_abi/${arch} ${own}/linux_abi/machine SYMBOLIC)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/linux_abi/vdso/${arch} ${own}/linux_abi/vdso/machine SYMBOLIC)
  set(${result} ${own} ${PROJECT_SOURCE_DIR}/kernel ${common} PARENT_SCOPE)
endfunction()

# The flags of one object library; the kernel's where they do not depend on its machine.
set(TUTTI_LINUXU_x86_64_FLAGS -march=x86-64 -mno-red-zone)
# x18 is the CPU's (kernel/arch/hosted/aarch64/processor.hpp).
set(TUTTI_LINUXU_aarch64_FLAGS --target=aarch64-linux-gnu -march=armv8-a -mgeneral-regs-only -moutline-atomics -ffixed-x18)
function(tutti_linuxu_objects name)
  tutti_linuxu_objects_of(${TUTTI_ARCH} ${name} ${ARGN})
endfunction()
function(tutti_linuxu_objects_of arch name)
  add_library(${name} OBJECT)
  tutti_linuxu_include(${arch} include)
  target_include_directories(${name} PRIVATE ${include} ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${name} PRIVATE ${TUTTI_LINUXU_${arch}_FLAGS} -fPIE -fno-plt -fno-stack-protector -fno-omit-frame-pointer
    -mno-omit-leaf-frame-pointer -ffunction-sections -fdata-sections -fno-strict-aliasing -fno-builtin-bcmp -fvisibility=hidden -g
    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-c++-static-destructors -faligned-allocation
      -Wall -Wextra -Werror -Wthread-safety -Wvla -Wshadow-all -Wimplicit-fallthrough -Wno-shadow-uncaptured-local
      -Wno-missing-field-initializers -Wnon-virtual-dtor -Woverloaded-virtual>
    ${ARGN})
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS ON POSITION_INDEPENDENT_CODE OFF)
  target_precompile_headers(${name} PRIVATE ${TUTTI_STANDARD_HEADERS})
endfunction()

# Object libraries linuxu_core<suffix>, linuxu_tests<suffix> if there are tests, and linuxu_host<suffix>. Only the portable
# layers are instrumented: what plays the hardware is not.
function(tutti_linuxu_flavour suffix)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ARCH" "KERNEL;TESTS;HOST;FLAGS;DEFINE;SANITIZE")
  if(NOT arg_ARCH)
    set(arg_ARCH ${TUTTI_ARCH})
  endif()
  set(instrument "")
  if(arg_SANITIZE)
    set(instrument ${arg_SANITIZE} -fsanitize-coverage=trace-pc)
  endif()
  tutti_linuxu_objects_of(${arg_ARCH} linuxu_core${suffix} ${arg_FLAGS} -ffreestanding ${instrument})
  target_sources(linuxu_core${suffix} PRIVATE ${arg_KERNEL})
  tutti_linuxu_objects_of(${arg_ARCH} linuxu_host${suffix} ${arg_FLAGS})
  target_sources(linuxu_host${suffix} PRIVATE ${arg_HOST} ${PROJECT_SOURCE_DIR}/kernel/platform/linuxu/main.cpp)
  set(parts core host)
  if(arg_TESTS)
    # Test cases are found as an array, which red zones between them would break.
    tutti_linuxu_objects_of(${arg_ARCH} linuxu_tests${suffix} ${arg_FLAGS} -DTUTTI_TESTS=1 -ffreestanding ${instrument}
      "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-mllvm -asan-globals=0>")
    target_sources(linuxu_tests${suffix} PRIVATE ${arg_TESTS})
    list(APPEND parts tests)
  endif()
  get_property(depends GLOBAL PROPERTY TUTTI_KERNEL_DEPENDS)
  foreach(part IN LISTS parts)
    target_compile_definitions(linuxu_${part}${suffix} PRIVATE ${arg_DEFINE})
    if(depends)
      add_dependencies(linuxu_${part}${suffix} ${depends})
    endif()
  endforeach()
  if(arg_SANITIZE)  # arch/hosted/context_switch.cpp has the function of this name
    target_compile_definitions(linuxu_host${suffix} PRIVATE $<$<COMPILE_LANGUAGE:ASM>:switch_stacks=switch_stacks_raw>)
  endif()
endfunction()

# One executable of object libraries linuxu_PART.
function(tutti_linuxu_image name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ARCH" "PARTS;LINK")
  # Linked twice: the first image tells where the functions are, the second carries their names. The symbol table lies
  # behind the code (linuxu.ld), so that nothing moves.
  set(work ${PROJECT_BINARY_DIR}/link/linuxu)
  file(MAKE_DIRECTORY ${work})
  if(NOT EXISTS ${work}/no_symbols.S)
    file(WRITE ${work}/no_symbols.S "    .section .rodata.symbol_table, \"aR\"
    .globl symbol_table_base, symbol_table_count, symbol_table_addresses, symbol_table_name_offsets, symbol_table_names
symbol_table_base: .quad 0
symbol_table_count: .long 0
symbol_table_addresses: .long 0
symbol_table_name_offsets: .long 0
symbol_table_names: .byte 0
    .section .note.GNU-stack, \"\"
")
  endif()
  add_custom_command(OUTPUT ${work}/${name}.S
    COMMAND embed-symbols $<TARGET_FILE:${name}.first> ${work}/${name}.S
    DEPENDS ${name}.first embed-symbols VERBATIM)
  add_executable(${name}.first ${work}/no_symbols.S)
  set_target_properties(${name}.first PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${work})
  add_executable(${name} ${work}/${name}.S)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  foreach(image ${name}.first ${name})
    foreach(part IN LISTS arg_PARTS)
      target_sources(${image} PRIVATE $<FILTER:$<TARGET_OBJECTS:linuxu_${part}>,EXCLUDE,\\.pch$>)
    endforeach()
    target_link_options(${image} PRIVATE ${arg_LINK})
    if(arg_ARCH)
      target_compile_options(${image} PRIVATE ${TUTTI_LINUXU_${arg_ARCH}_FLAGS})
    endif()
    # The C driver: no libstdc++, as in the kernel; operators new and delete are ours.
    set_target_properties(${image} PROPERTIES LINKER_LANGUAGE C)
    set_property(TARGET ${image} APPEND PROPERTY LINK_DEPENDS ${PROJECT_SOURCE_DIR}/kernel/platform/linuxu/linuxu.ld)
  endforeach()
endfunction()
