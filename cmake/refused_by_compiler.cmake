# SPDX-License-Identifier: BSD-3-Clause
# cmake -DCOMPILER=... -DFLAGS=... -DSOURCE=... -DLAST=n -DTEXT=... -P refused_by_compiler.cmake
# SOURCE must compile with CASE=0, and be refused with each CASE from 1 to LAST by a message that has TEXT in it.
set(failed "")
foreach(case RANGE 0 ${LAST})
  execute_process(COMMAND ${COMPILER} ${FLAGS} -fsyntax-only -DCASE=${case} ${SOURCE}
    RESULT_VARIABLE status ERROR_VARIABLE messages)
  if(case EQUAL 0 AND NOT status EQUAL 0)
    message(SEND_ERROR "CASE 0 must compile:\n${messages}")
  elseif(case GREATER 0 AND status EQUAL 0)
    message(SEND_ERROR "CASE ${case} compiles")
  elseif(case GREATER 0 AND NOT messages MATCHES "error: [^\n]*${TEXT}")
    message(SEND_ERROR "CASE ${case} is refused for another reason:\n${messages}")
  endif()
endforeach()
message(STATUS "${LAST} cases refused as they must be")
