# SPDX-License-Identifier: BSD-3-Clause
# Programs for ordinary Linux, which Tutti runs unmodified, and the tests that run them: on the host, where
# they must pass (so that a failure in the guest is the guest's), and in the guest.
include_guard()

find_program(TUTTI_MUSL_GCC musl-gcc)

# tutti_linux_program(NAME KIND sources...)
# KIND: static | static-pie | pie | musl (static, C only). The program is BUILD/<folder>/NAME, its target linux.NAME.
function(tutti_linux_program name kind)
  if(kind STREQUAL musl)
    if(NOT TUTTI_MUSL_GCC)
      message(FATAL_ERROR "musl-gcc is missing: install Debian's package musl-tools (scripts/install-deps)")
    endif()
    list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
    add_custom_command(OUTPUT ${name}
      COMMAND ${TUTTI_MUSL_GCC} -std=gnu11 -O2 -g -static -Wall -Wextra -Werror -o ${name} ${sources}
      DEPENDS ${sources} VERBATIM)
    add_custom_target(linux.${name} ALL DEPENDS ${name})
    return()
  endif()
  set(target linux.${name})  # a name of its own: programs are called as in the manual, as are kernel parts
  add_executable(${target} ${ARGN})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror)
  if(kind STREQUAL static)
    target_compile_options(${target} PRIVATE -fno-pie)
    target_link_options(${target} PRIVATE -static)
  elseif(kind STREQUAL static-pie)
    target_compile_options(${target} PRIVATE -fPIE)
    target_link_options(${target} PRIVATE -static-pie)
  elseif(kind STREQUAL pie)
    target_compile_options(${target} PRIVATE -fPIE)
    target_link_options(${target} PRIVATE -pie)
  else()
    message(FATAL_ERROR "tutti_linux_program(${name}): unknown kind '${kind}'")
  endif()
endfunction()

# tutti_linux_program_test(NAME [CPUS 1 4] [TIMEOUT seconds] [ARGS arguments...] [GUEST_ARGS options of tutti run...])
# CTest `host.program.NAME`, and `guest.NAME.Ncpu` for each number of CPUs; each passes when the program exits with 0.
function(tutti_linux_program_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "CPUS;ARGS;GUEST_ARGS")
  if(NOT arg_CPUS)
    set(arg_CPUS 1 4)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set(program ${CMAKE_CURRENT_BINARY_DIR}/${name})
  add_test(NAME host.program.${name} COMMAND ${program} ${arg_ARGS})
  set_tests_properties(host.program.${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS host)
  if(NOT TUTTI_KERNEL)
    return()
  endif()
  math(EXPR outer "${arg_TIMEOUT} + 30")
  foreach(cpus ${arg_CPUS})
    add_test(NAME guest.${name}.${cpus}cpu
      COMMAND tutti run --cpus ${cpus} --timeout ${arg_TIMEOUT} ${arg_GUEST_ARGS} -- ${program} ${arg_ARGS})
    set_tests_properties(guest.${name}.${cpus}cpu PROPERTIES TIMEOUT ${outer} LABELS guest)
    tutti_in_matrix(programs q35 ${cpus} guest.${name}.${cpus}cpu)
  endforeach()
endfunction()
