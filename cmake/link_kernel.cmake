# SPDX-License-Identifier: BSD-3-Clause
# Links one kernel image with an embedded symbol table. The table's size depends on the symbols and the
# symbols' addresses may depend on the table's size, so the link is repeated:
#
#   link with an empty table -> read symbols -> link with that table (its size is now final)
#   -> read symbols -> link with that table -> read once more: it must not have changed.
#
# Then the debug information moves to OUTPUT.debug. FLAT, if given, gets the image as it lies in memory.
cmake_minimum_required(VERSION 3.25)
separate_arguments(LINK_FLAGS UNIX_COMMAND "${LINK_FLAGS}")
separate_arguments(ASSEMBLER_FLAGS UNIX_COMMAND "${ASSEMBLER_FLAGS}")

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " line)
    message(FATAL_ERROR "kernel link step failed (${status}): ${line}")
  endif()
endfunction()

# Links with the table in WORK/symbols.S into `image`.
function(link image)
  run(${ASSEMBLER} ${ASSEMBLER_FLAGS} -c ${WORK}/symbols.S -o ${WORK}/symbols.o)
  run(${LD} ${LINK_FLAGS} -static -nostdlib --gc-sections --build-id=sha1 --no-undefined -z noexecstack
    -z max-page-size=4096 -T ${SCRIPT} @${OBJECTS} ${WORK}/symbols.o
    -Map=${WORK}/map.txt -o ${image})
endfunction()

run(${EMBED_SYMBOLS} --empty ${WORK}/symbols.S)
link(${WORK}/image.elf)
run(${EMBED_SYMBOLS} ${WORK}/image.elf ${WORK}/symbols.S)
link(${WORK}/image.elf)
run(${EMBED_SYMBOLS} ${WORK}/image.elf ${WORK}/symbols.S)
link(${WORK}/image.elf)
run(${EMBED_SYMBOLS} ${WORK}/image.elf ${WORK}/check.S)
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/symbols.S ${WORK}/check.S RESULT_VARIABLE differs)
if(differs)
  message(FATAL_ERROR "kernel symbol table did not settle: compare ${WORK}/symbols.S with ${WORK}/check.S")
endif()

run(${OBJCOPY} --only-keep-debug ${WORK}/image.elf ${OUTPUT}.debug)
run(${OBJCOPY} --strip-all --add-gnu-debuglink=${OUTPUT}.debug ${WORK}/image.elf ${OUTPUT})
if(FLAT)
  run(${OBJCOPY} -O binary ${WORK}/image.elf ${FLAT})
endif()
