# SPDX-License-Identifier: BSD-3-Clause
# Host programs: the flags they share, unit tests of portable code with GoogleTest, and fuzzers.

find_package(GTest REQUIRED)

add_library(tutti_host_flags INTERFACE)
target_compile_options(tutti_host_flags INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers -fno-omit-frame-pointer
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # GCC 12 warns of GoogleTest's own `else` and, wrongly, of bounds in its own <algorithm>.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-dangling-else -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>)
if(TUTTI_SANITIZE)
  target_compile_options(tutti_host_flags INTERFACE -fsanitize=${TUTTI_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tutti_host_flags INTERFACE -fsanitize=${TUTTI_SANITIZE})
endif()

# Adds folder `name` when it has a CMakeLists.txt; looks again at every build, so that a folder that
# appears later is picked up without configuring by hand.
function(tutti_add_folder_if_present name)
  file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/CMakeLists.txt)
  if(found)
    add_subdirectory(${name})
  endif()
endfunction()

# tutti_host_test(NAME files... [LINK libraries...] [DEFINE macros...])
# Portable kernel code and its unit test, compiled for the host with GoogleTest; CTest name `host.NAME`.
# `files` are the test and the kernel sources it needs, relative to the calling folder.
function(tutti_host_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK;DEFINE")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/kernel ${PROJECT_BINARY_DIR}/include
                                             ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE TUTTI_HOST=1 TUTTI_DEBUG=1 ${arg_DEFINE})
  target_link_libraries(${name} PRIVATE tutti_host_flags GTest::gtest GTest::gmock GTest::gtest_main ${arg_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
  add_test(NAME host.${name} COMMAND ${name})
  set_tests_properties(host.${name} PROPERTIES TIMEOUT 300 LABELS host)
endfunction()

# tutti_host_fuzzer(NAME files... [CORPUS folder] [RUNS count] [LINK libraries...])
# A libFuzzer target (defines LLVMFuzzerTestOneInput); CTest runs the corpus and a bounded number of
# mutations with a fixed seed. Run build/fuzz/NAME by hand for longer. clang only.
function(tutti_host_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS;RUNS" "LINK")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang OR TUTTI_SANITIZE MATCHES thread)
    return()
  endif()
  if(NOT arg_RUNS)
    set(arg_RUNS 20000)
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/kernel ${PROJECT_BINARY_DIR}/include)
  target_compile_definitions(${name} PRIVATE TUTTI_HOST=1 TUTTI_DEBUG=1)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Werror -Wno-missing-field-initializers -g -O1 -fno-omit-frame-pointer
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(${name} PRIVATE ${arg_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  # The scratch folder comes first: libFuzzer writes what it finds there, never into the source tree.
  set(scratch ${PROJECT_BINARY_DIR}/fuzz/${name}.corpus)
  file(MAKE_DIRECTORY ${scratch})
  set(corpus ${scratch})
  if(arg_CORPUS)
    get_filename_component(seeds ${arg_CORPUS} ABSOLUTE)
    list(APPEND corpus ${seeds})
  endif()
  add_test(NAME fuzz.${name} COMMAND ${name} -seed=1 -runs=${arg_RUNS} -max_total_time=60 -timeout=20
    -rss_limit_mb=2048 -artifact_prefix=${PROJECT_BINARY_DIR}/fuzz/${name}. ${corpus})
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300 LABELS fuzz)
endfunction()
