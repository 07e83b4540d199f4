# SPDX-License-Identifier: BSD-3-Clause
# Debian's Xen, which tests start inside QEMU: build/xen/xen-ARCH. Without it (no mirror) the tests on Xen are left out.
set(TUTTI_XEN_VERSION 4.17.5+72-g01140da4e8-1)
set(TUTTI_XEN_x86_64 amd64)
set(TUTTI_XEN_aarch64 arm64)

# tutti_xen(ARCH RESULT): true when build/xen/xen-ARCH is there.
function(tutti_xen arch result)
  set(${result} FALSE PARENT_SCOPE)
  set(debian ${TUTTI_XEN_${arch}})
  set(package ${PROJECT_BINARY_DIR}/debian/xen-hypervisor-4.17-${debian}_${TUTTI_XEN_VERSION})
  set(image ${PROJECT_BINARY_DIR}/xen/xen-${arch})
  if(NOT EXISTS ${package})
    message(STATUS "Fetching Xen ${TUTTI_XEN_VERSION} for ${debian}")
    execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/fetch-package ${debian} xen-hypervisor-4.17-${debian}
      ${TUTTI_XEN_VERSION} ${package} RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(WARNING "No Xen for ${arch}: its tests are left out")
      return()
    endif()
  endif()
  if(NOT EXISTS ${image} OR ${package} IS_NEWER_THAN ${image})
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/xen)
    set(boot ${package}/boot/xen-4.17-${debian})
    if(EXISTS ${boot}.gz)  # QEMU's multiboot loader does not decompress
      execute_process(COMMAND gzip -dc ${boot}.gz OUTPUT_FILE ${image} COMMAND_ERROR_IS_FATAL ANY)
    else()
      configure_file(${boot} ${image} COPYONLY)
    endif()
  endif()
  set(${result} TRUE PARENT_SCOPE)
endfunction()
