# SPDX-License-Identifier: BSD-3-Clause
# The kernel's portable layers as an ordinary Linux process (kernel/platform/linuxu/README.md). From the sources and unit
# tests that the folders have named, those of base, smp, mem and sched; in the build folder,
#
#   tutti-linuxu          debug, with the unit tests
#   tutti-linuxu-tsan     the same under ThreadSanitizer
#   tutti-linuxu-asan     the same under AddressSanitizer and UndefinedBehaviorSanitizer
#
# and target tutti_linuxu_release: what a native benchmark links (it defines hal::kernel_main() and calls
# platform::boot()).

set(TUTTI_LINUXU_LAYERS "/kernel/(base|smp|mem|sched)/")
# Not in a process: what the C library has, page tables, and operators that must share the process with host code.
set(TUTTI_LINUXU_WITHOUT "/kernel/(base/(freestanding|memory_functions)\\.cpp|mem/paging/|mem/heap/operators\\.cpp)")

function(tutti_linuxu_images)
  if(NOT TUTTI_KERNEL OR NOT TUTTI_ARCH STREQUAL x86_64 OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
    return()
  endif()
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include-linuxu)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/arch/hosted ${PROJECT_BINARY_DIR}/include-linuxu/arch SYMBOLIC)

  get_property(core GLOBAL PROPERTY TUTTI_KERNEL_SOURCES)
  list(FILTER core INCLUDE REGEX "${TUTTI_LINUXU_LAYERS}")
  list(FILTER core EXCLUDE REGEX "${TUTTI_LINUXU_WITHOUT}")
  foreach(file command_line core crash)
    list(APPEND core ${PROJECT_SOURCE_DIR}/kernel/init/${file}.cpp)
  endforeach()
  get_property(tests GLOBAL PROPERTY TUTTI_KERNEL_TESTS)
  list(FILTER tests INCLUDE REGEX "${TUTTI_LINUXU_LAYERS}|/tests/harness/")
  list(FILTER tests EXCLUDE REGEX "${TUTTI_LINUXU_WITHOUT}")
  list(APPEND tests ${PROJECT_SOURCE_DIR}/kernel/init/core_main.cpp)
  set(arch ${PROJECT_SOURCE_DIR}/kernel/arch)
  set(platform ${PROJECT_SOURCE_DIR}/kernel/platform/linuxu)
  set(host ${arch}/backtrace.cpp ${arch}/contract.cpp ${arch}/x86_64/print_frame.cpp ${arch}/x86_64/context_switch.S ${arch}/hosted/context_switch.cpp
    ${arch}/hosted/interrupts.cpp ${arch}/hosted/signal_entry.S ${arch}/hosted/traps.cpp ${platform}/boot.cpp
    ${platform}/clock.cpp ${platform}/console.cpp ${platform}/cpus.cpp ${platform}/interrupts.cpp
    ${platform}/memory.cpp ${platform}/operators.cpp ${platform}/options.cpp ${platform}/power.cpp
    ${platform}/sanitizer.cpp)

  tutti_linuxu_image("" CORE ${core} TESTS ${tests} HOST ${host})
  tutti_linuxu_image(-tsan CORE ${core} TESTS ${tests} HOST ${host}
    DEFINE TUTTI_HOSTED_SANITIZER=1 TUTTI_HOSTED_TSAN=1 SANITIZE -fsanitize=thread)
  tutti_linuxu_image(-asan CORE ${core} TESTS ${tests} HOST ${host}
    DEFINE TUTTI_HOSTED_SANITIZER=1 TUTTI_HOSTED_ASAN=1 SANITIZE -fsanitize=address,undefined -fno-sanitize=vptr,function
    -fno-sanitize-recover=all)

  tutti_linuxu_test_runs(tutti-linuxu linuxu 1 2 4 8)
  tutti_linuxu_test_runs(tutti-linuxu-tsan linuxu.tsan 1 2 4)
  tutti_linuxu_test_runs(tutti-linuxu-asan linuxu.asan 1 2 4)

  # For benchmarks.
  tutti_linuxu_objects(linuxu_core_release ${TUTTI_RELEASE_FLAGS} -ffreestanding)
  target_sources(linuxu_core_release PRIVATE ${core})
  tutti_linuxu_objects(linuxu_host_release ${TUTTI_RELEASE_FLAGS})
  target_sources(linuxu_host_release PRIVATE ${host} ${PROJECT_BINARY_DIR}/link/linuxu/no_symbols.S)
  add_library(tutti_linuxu_release INTERFACE)
  target_sources(tutti_linuxu_release INTERFACE $<TARGET_OBJECTS:linuxu_core_release> $<TARGET_OBJECTS:linuxu_host_release>)
  target_include_directories(tutti_linuxu_release INTERFACE ${PROJECT_BINARY_DIR}/include-linuxu ${PROJECT_SOURCE_DIR}/kernel)
  target_link_options(tutti_linuxu_release INTERFACE ${TUTTI_LINUXU_LINK_FLAGS})
endfunction()

set(TUTTI_LINUXU_LINK_FLAGS -no-pie -fuse-ld=lld -Wl,-T,${PROJECT_SOURCE_DIR}/kernel/platform/linuxu/linuxu.ld
  -pthread -Wl,-z,noexecstack)

# CTest entries `linuxu[.FLAVOUR].CPUS`, judged as the kernel's are.
function(tutti_linuxu_test_runs image label)
  foreach(cpus ${ARGN})
    add_test(NAME ${label}.${cpus} COMMAND run-tap --native --cpus ${cpus} --memory 256M
      --record ${PROJECT_BINARY_DIR}/test/tap/${label}.${cpus} --timeout 300 ${PROJECT_BINARY_DIR}/${image})
    set_tests_properties(${label}.${cpus} PROPERTIES TIMEOUT 330 LABELS linuxu PROCESSORS 2)
    tutti_in_matrix(unit ${label} ${cpus} ${label}.${cpus})
  endforeach()
endfunction()

# The flags of one object library; the kernel's where they do not depend on its machine.
function(tutti_linuxu_objects name)
  add_library(${name} OBJECT)
  target_include_directories(${name} PRIVATE ${PROJECT_BINARY_DIR}/include-linuxu ${PROJECT_SOURCE_DIR}/kernel
                                             ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${name} PRIVATE -march=x86-64 -fno-pic -fno-pie -fno-stack-protector -fno-omit-frame-pointer
    -mno-omit-leaf-frame-pointer -ffunction-sections -fdata-sections -fno-strict-aliasing -fvisibility=hidden -g
    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-c++-static-destructors -faligned-allocation
      -Wall -Wextra -Werror -Wthread-safety -Wvla -Wshadow-all -Wimplicit-fallthrough -Wno-shadow-uncaptured-local
      -Wno-missing-field-initializers -Wnon-virtual-dtor -Woverloaded-virtual>
    ${ARGN})
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS ON POSITION_INDEPENDENT_CODE OFF)
endfunction()

# One executable `tutti-linuxu<suffix>`. Only the portable layers are instrumented: what plays the hardware is not.
function(tutti_linuxu_image suffix)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "CORE;TESTS;HOST;DEFINE;SANITIZE")
  set(name tutti-linuxu${suffix})
  set(instrument "")
  if(arg_SANITIZE)
    set(instrument ${arg_SANITIZE} -fsanitize-coverage=trace-pc)
  endif()
  tutti_linuxu_objects(linuxu_core${suffix} ${TUTTI_DEBUG_FLAGS} -ffreestanding ${instrument})
  target_sources(linuxu_core${suffix} PRIVATE ${arg_CORE})
  # Test cases are found as an array, which red zones between them would break.
  tutti_linuxu_objects(linuxu_tests${suffix} ${TUTTI_DEBUG_FLAGS} -DTUTTI_TESTS=1 -ffreestanding ${instrument}
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-mllvm -asan-globals=0>")
  target_sources(linuxu_tests${suffix} PRIVATE ${arg_TESTS})
  tutti_linuxu_objects(linuxu_host${suffix} ${TUTTI_DEBUG_FLAGS})
  target_sources(linuxu_host${suffix} PRIVATE ${arg_HOST} ${PROJECT_SOURCE_DIR}/kernel/platform/linuxu/main.cpp)
  foreach(part core tests host)
    target_compile_definitions(linuxu_${part}${suffix} PRIVATE ${arg_DEFINE})
  endforeach()
  if(arg_SANITIZE)  # arch/hosted/context_switch.cpp has the function of this name
    target_compile_definitions(linuxu_host${suffix} PRIVATE $<$<COMPILE_LANGUAGE:ASM>:switch_stacks=switch_stacks_raw>)
  endif()

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
    target_sources(${image} PRIVATE $<TARGET_OBJECTS:linuxu_core${suffix}> $<TARGET_OBJECTS:linuxu_tests${suffix}>
                                    $<TARGET_OBJECTS:linuxu_host${suffix}>)
    target_link_options(${image} PRIVATE ${TUTTI_LINUXU_LINK_FLAGS} ${arg_SANITIZE})
    # The C driver: no libstdc++, as in the kernel; operators new and delete are ours.
    set_target_properties(${image} PROPERTIES LINKER_LANGUAGE C)
    set_property(TARGET ${image} APPEND PROPERTY LINK_DEPENDS ${PROJECT_SOURCE_DIR}/kernel/platform/linuxu/linuxu.ld)
  endforeach()
endfunction()
