# SPDX-License-Identifier: BSD-3-Clause
# Kernel images. Folders name their sources with tutti_kernel_sources() and their in-kernel unit tests
# with tutti_kernel_tests(); tutti_kernel_images() then makes, in the build folder, for each architecture
#
#   tutti-kernel-ARCH.elf         release: -O2 -DNDEBUG
#   tutti-kernel-debug-ARCH.elf   assertions on: -O1 -DTUTTI_DEBUG=1
#   tutti-tests-ARCH.elf          the debug objects plus the unit tests and tests/harness
#   tutti-bench-ARCH.elf          the release objects plus the benchmarks that count instructions (tests/harness/bench.hpp)
#   *.elf.debug                   the same with debug information and symbols, for gdb
#   *.Image                       where the boot protocol wants a flat file (aarch64)
#
# Both flavours keep frame pointers (backtraces) and carry a symbol table (kernel/base/symbol_table.hpp).
#
# What an architecture needs is in cmake/arch_ARCH.cmake, as TUTTI_ARCH_WORD; TUTTI_ARCH is that of host and process images.

# tutti_arch_include(ARCH RESULT): the folder through which `#include "arch/cpu.hpp"` finds kernel/arch/ARCH/cpu.hpp, and
# "linux_abi/machine/" and "linux_abi/vdso/machine/" find kernel/linux_abi/ARCH and kernel/linux_abi/vdso/ARCH.
function(tutti_arch_include arch result)
  set(folder ${PROJECT_BINARY_DIR}/include)
  if(NOT arch STREQUAL TUTTI_ARCH)
    string(APPEND folder -${arch})
  endif()
  file(MAKE_DIRECTORY ${folder})
  file(MAKE_DIRECTORY ${folder}/linux_abi/vdso)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/arch/${arch} ${folder}/arch SYMBOLIC)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/linux_abi/${arch} ${folder}/linux_abi/machine SYMBOLIC)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernel/linux_abi/vdso/${arch} ${folder}/linux_abi/vdso/machine SYMBOLIC)
  set(${result} ${folder} PARENT_SCOPE)
endfunction()

foreach(arch IN LISTS TUTTI_ARCHES)
  include(arch_${arch})
  tutti_arch_include(${arch} include_folder)
  add_library(tutti_kernel_flags_${arch} INTERFACE)
  target_include_directories(tutti_kernel_flags_${arch} INTERFACE ${include_folder} ${PROJECT_SOURCE_DIR}/kernel
                                                                  ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(tutti_kernel_flags_${arch} INTERFACE ${TUTTI_${arch}_FLAGS})
  target_link_libraries(tutti_kernel_flags_${arch} INTERFACE tutti_kernel_flags)
endforeach()
# Of the architecture that shares this machine's processes.
set(TUTTI_ARCH_FLAGS ${TUTTI_${TUTTI_ARCH}_FLAGS})
set(TUTTI_ARCH_LINK_FLAGS ${TUTTI_${TUTTI_ARCH}_LINK_FLAGS})

add_library(tutti_kernel_flags INTERFACE)
target_compile_options(tutti_kernel_flags INTERFACE
  -ffreestanding -fno-pic -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables
  -ffunction-sections -fdata-sections -fno-common -fno-strict-aliasing -fvisibility=hidden -g
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
  # Marks for tools/isrcheck. A call through a pointer carries its type and traps when the function has another, which
  # is what lets isrcheck tell where such a call may go.
  -DTUTTI_ISR_MARKS=1 $<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=kcfi>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-c++-static-destructors -faligned-allocation>
  $<$<COMPILE_LANGUAGE:C,CXX>:-Wall -Wextra -Werror -Wthread-safety -Wvla -Wshadow-all -Wimplicit-fallthrough
    -Wno-shadow-uncaptured-local -Wno-missing-field-initializers>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)
# The kernel's own optimisation level, whatever the flavour of the host tools: ours comes later and wins.
set(TUTTI_RELEASE_FLAGS -O2 -DNDEBUG)
set(TUTTI_DEBUG_FLAGS -O1 -UNDEBUG -DTUTTI_DEBUG=1)

# tutti_kernel_sources(files...): C++, C or assembly of the kernel, relative to the calling folder.
function(tutti_kernel_sources)
  foreach(file IN LISTS ARGN)
    get_filename_component(path ${file} ABSOLUTE)
    set_property(GLOBAL APPEND PROPERTY TUTTI_KERNEL_SOURCES ${path})
  endforeach()
endfunction()

# tutti_kernel_tests(files...): unit tests that run inside the kernel (the test image only).
function(tutti_kernel_tests)
  foreach(file IN LISTS ARGN)
    get_filename_component(path ${file} ABSOLUTE)
    set_property(GLOBAL APPEND PROPERTY TUTTI_KERNEL_TESTS ${path})
  endforeach()
endfunction()

# tutti_kernel_benches(files...): benchmarks that run inside the kernel (the bench image only).
function(tutti_kernel_benches)
  foreach(file IN LISTS ARGN)
    get_filename_component(path ${file} ABSOLUTE)
    set_property(GLOBAL APPEND PROPERTY TUTTI_KERNEL_BENCHES ${path})
  endforeach()
endfunction()

# tutti_kernel_depends(targets...): targets that generate headers or files the kernel's sources include.
function(tutti_kernel_depends)
  set_property(GLOBAL APPEND PROPERTY TUTTI_KERNEL_DEPENDS ${ARGN})
endfunction()

# tutti_kernel_embed(ARCH SYMBOL FILE TARGET): puts the bytes of FILE, a build product of custom target TARGET, into the
# read-only data of ARCH's kernel, page-aligned, as `extern "C" const unsigned char SYMBOL[]` and `SYMBOL_end[]`.
function(tutti_kernel_embed arch symbol file target)
  set(assembly ${PROJECT_BINARY_DIR}/embedded/kernel/${arch}/${symbol}.S)
  file(GENERATE OUTPUT ${assembly} CONTENT
"    .section .rodata.${symbol}, \"a\"
    .balign 4096
    .globl ${symbol}, ${symbol}_end
${symbol}:
    .incbin \"${file}\"
${symbol}_end:
    .section .note.GNU-stack, \"\"
")
  set_property(GLOBAL APPEND PROPERTY TUTTI_KERNEL_EMBEDDED "${assembly}|${file}")
  tutti_kernel_sources(${assembly})
  tutti_kernel_depends(${target})
endfunction()

# One flavour's objects.
# The standard headers, of which half of a compilation is spent, are read once for each set of flags. Sources name
# what they use all the same: GCC reads them without this (tests/gcc).
set(TUTTI_STANDARD_HEADERS <algorithm> <array> <atomic> <bit> <concepts> <cstring> <memory> <new> <optional> <span> <string_view>)
# But what defines functions of the C library, whose declarations it would meet.
foreach(file base/freestanding base/memory_functions platform/virt/libfdt_support)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/kernel/${file}.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endforeach()

function(tutti_kernel_objects arch name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;FLAGS")
  add_library(${name} OBJECT ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE tutti_kernel_flags_${arch})
  target_compile_options(${name} PRIVATE ${arg_FLAGS})
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS ON POSITION_INDEPENDENT_CODE OFF)
  target_precompile_headers(${name} PRIVATE ${TUTTI_STANDARD_HEADERS})
  get_property(depends GLOBAL PROPERTY TUTTI_KERNEL_DEPENDS)
  if(depends)
    add_dependencies(${name} ${depends})
  endif()
endfunction()

# Links object libraries into IMAGE with a symbol table (cmake/link_kernel.cmake says how).
function(tutti_kernel_link arch image)
  set(objects "")
  foreach(library IN LISTS ARGN)
    list(APPEND objects "$<FILTER:$<TARGET_OBJECTS:${library}>,EXCLUDE,\\.pch$>")
  endforeach()
  list(JOIN TUTTI_${arch}_LINK_FLAGS " " link_flags)
  list(JOIN TUTTI_${arch}_FLAGS " " assembler_flags)
  set(script ${TUTTI_${arch}_LINKER_SCRIPT})
  set(flat "")
  if(TUTTI_${arch}_FLAT)
    set(flat ${PROJECT_BINARY_DIR}/${image}.Image)
  endif()
  set(work ${PROJECT_BINARY_DIR}/link/${image})
  file(MAKE_DIRECTORY ${work})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/isrcheck)
  file(GENERATE OUTPUT ${work}/objects.rsp CONTENT "$<JOIN:${objects};${TUTTI_${arch}_LIBRARIES},\n>\n")
  add_custom_command(
    OUTPUT ${PROJECT_BINARY_DIR}/${image}.elf
    BYPRODUCTS ${PROJECT_BINARY_DIR}/${image}.elf.debug ${flat}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${PROJECT_BINARY_DIR}/${image}.elf -DWORK=${work}
      -DOBJECTS=${work}/objects.rsp -DSCRIPT=${script} -DFLAT=${flat}
      "-DLINK_FLAGS=${link_flags}" -DLD=${TUTTI_LLD} -DOBJCOPY=${TUTTI_OBJCOPY}
      -DASSEMBLER=${CMAKE_C_COMPILER} "-DASSEMBLER_FLAGS=${assembler_flags}"
      -DEMBED_SYMBOLS=$<TARGET_FILE:embed-symbols> -P ${PROJECT_SOURCE_DIR}/cmake/link_kernel.cmake
    DEPENDS ${objects} ${work}/objects.rsp ${script} ${TUTTI_${arch}_LIBRARIES} embed-symbols
      ${PROJECT_SOURCE_DIR}/cmake/link_kernel.cmake
    COMMENT "Linking kernel image ${image}.elf"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${image} ALL DEPENDS ${PROJECT_BINARY_DIR}/${image}.elf)
  # The build fails when an interrupt can reach code that is not marked for it (tools/isrcheck/README.md).
  set(report ${PROJECT_BINARY_DIR}/isrcheck/${image}.json)
  add_custom_command(OUTPUT ${report}
    COMMAND isrcheck ${work}/image.elf --name ${image} --json ${report}
    DEPENDS ${PROJECT_BINARY_DIR}/${image}.elf isrcheck
    COMMENT "Checking what interrupts reach in ${image}.elf" VERBATIM)
  add_custom_target(isrcheck.${image} ALL DEPENDS ${report})
  add_test(NAME isrcheck.${image} COMMAND isrcheck ${work}/image.elf --name ${image} --json ${report})
  set_tests_properties(isrcheck.${image} PROPERTIES LABELS check TIMEOUT 60)
endfunction()

function(tutti_kernel_images)
  if(NOT TUTTI_KERNEL)
    return()
  endif()
  get_property(sources GLOBAL PROPERTY TUTTI_KERNEL_SOURCES)
  get_property(tests GLOBAL PROPERTY TUTTI_KERNEL_TESTS)
  get_property(benches GLOBAL PROPERTY TUTTI_KERNEL_BENCHES)
  get_property(embedded GLOBAL PROPERTY TUTTI_KERNEL_EMBEDDED)
  foreach(pair IN LISTS embedded)
    string(REPLACE "|" ";" pair "${pair}")
    list(GET pair 0 assembly)
    list(GET pair 1 file)
    set_source_files_properties(${assembly} PROPERTIES GENERATED TRUE LANGUAGE ASM OBJECT_DEPENDS ${file})
  endforeach()
  find_program(TUTTI_LLD ld.lld-19 REQUIRED)
  find_program(TUTTI_OBJCOPY llvm-objcopy-19 REQUIRED)
  tutti_isrcheck_faults()
  foreach(arch IN LISTS TUTTI_ARCHES)
    tutti_kernel_images_of(${arch} "${sources}" "${tests}" "${benches}")
  endforeach()
endfunction()

# tutti_keep_own(LIST ARCH): drops the files of other architectures and their platforms.
function(tutti_keep_own list arch)
  set(files ${${list}})
  foreach(other IN LISTS TUTTI_ARCHES)
    if(NOT other STREQUAL arch)
      list(FILTER files EXCLUDE REGEX "/kernel/(.*/)?${other}/")
      foreach(platform IN LISTS TUTTI_${other}_PLATFORMS)
        list(FILTER files EXCLUDE REGEX "/kernel/platform/${platform}/")
      endforeach()
    endif()
  endforeach()
  set(${list} ${files} PARENT_SCOPE)
endfunction()

# The images of one architecture.
function(tutti_kernel_images_of arch sources tests benches)
  foreach(list sources tests benches)
    tutti_keep_own(${list} ${arch})
  endforeach()
  tutti_kernel_objects(${arch} kernel_release_${arch} SOURCES ${sources} FLAGS ${TUTTI_RELEASE_FLAGS})
  tutti_kernel_objects(${arch} kernel_debug_${arch} SOURCES ${sources} FLAGS ${TUTTI_DEBUG_FLAGS})
  tutti_kernel_objects(${arch} kernel_tests_${arch} SOURCES ${tests} FLAGS ${TUTTI_DEBUG_FLAGS} -DTUTTI_TESTS=1)
  tutti_kernel_objects(${arch} kernel_benches_${arch} SOURCES ${benches} FLAGS ${TUTTI_RELEASE_FLAGS})
  tutti_kernel_link(${arch} tutti-kernel-${arch} kernel_release_${arch})
  tutti_kernel_link(${arch} tutti-kernel-debug-${arch} kernel_debug_${arch})
  tutti_kernel_link(${arch} tutti-tests-${arch} kernel_debug_${arch} kernel_tests_${arch})
  tutti_kernel_link(${arch} tutti-bench-${arch} kernel_release_${arch} kernel_benches_${arch})
  tutti_kernel_test_runs(${arch})
endfunction()

# CTest entries `kernel.MACHINE.CPUS` that boot the unit-test image. With more than eight CPUs, which take turns on the few
# of a test machine: start-up, clocks, wake-ups, calls between CPUs, shootdowns and RCU, in their storms.
set(TUTTI_STORMS "clock.*,call.storm*,call.requests*,park.loses*,park.is_woken*,thread.*storm*,timer.sleeps*")
string(APPEND TUTTI_STORMS ",address_space.storm*,address_space.protection*,wake_up.*,rcu.synchronize*")
function(tutti_kernel_test_runs arch)
  set(image ${PROJECT_BINARY_DIR}/tutti-tests-${arch}.elf)
  if(TUTTI_${arch}_FLAT)
    set(image ${PROJECT_BINARY_DIR}/tutti-tests-${arch}.Image)
  endif()
  set(runs ${TUTTI_${arch}_TEST_RUNS})
  tutti_xen(${arch} has_xen)
  if(has_xen)
    list(APPEND runs xen:1 xen:2 xen:4)
  endif()
  foreach(run IN LISTS runs)
    string(REPLACE ":" ";" run ${run})
    list(GET run 0 machine)
    list(GET run 1 cpus)
    if(machine STREQUAL xen)
      set(machine_name xen-${arch})
    else()
      set(machine_name ${machine})
    endif()
    set(name kernel.${machine_name}.${cpus})
    set(more)
    if(cpus GREATER 8)
      set(more --append tests=${TUTTI_STORMS} --memory 1G)
    endif()
    set(time 300)
    if(machine STREQUAL xen)  # a hypervisor inside an emulator
      set(time 900)
      list(APPEND more --silence 330)
    endif()
    math(EXPR outer "${time} + 30")
    add_test(NAME ${name} COMMAND run-tap --machine ${machine} --cpus ${cpus} ${more}
      --record ${PROJECT_BINARY_DIR}/test/tap/${name} --timeout ${time} ${image})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${outer} LABELS kernel PROCESSORS 2)
    tutti_in_matrix(unit ${machine_name} ${cpus} ${name})
  endforeach()
endfunction()
