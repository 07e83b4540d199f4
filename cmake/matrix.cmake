# SPDX-License-Identifier: BSD-3-Clause
# The matrix of platforms and numbers of CPUs: labels by which `make test PLATFORM=... CPUS=...` chooses, and of which
# scripts/matrix makes the table at the end of a run.

# tutti_in_matrix(KIND PLATFORM CPUS TEST...): KIND is `unit` or `programs`.
function(tutti_in_matrix kind platform cpus)
  foreach(test IN LISTS ARGN)
    set_property(TEST ${test} APPEND PROPERTY LABELS matrix-${kind} platform=${platform} cpus=${cpus})
  endforeach()
endfunction()

# tutti_not_in_matrix(KIND PLATFORM REASON): a place of the table that stays empty, and why.
function(tutti_not_in_matrix kind platform reason)
  set_property(GLOBAL APPEND_STRING PROPERTY TUTTI_NOT_IN_MATRIX "${platform}\t${kind}\t${reason}\n")
endfunction()

# After all tests are known.
function(tutti_write_matrix)
  get_property(lines GLOBAL PROPERTY TUTTI_NOT_IN_MATRIX)
  file(WRITE ${PROJECT_BINARY_DIR}/test/not-in-matrix "${lines}")
endfunction()
