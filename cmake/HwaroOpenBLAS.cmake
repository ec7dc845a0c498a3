# Which OpenBLAS there is. It is opened when it is first needed, not linked, so it only has to lie next to libhwaro.so.
#
#   HWARO_OPENBLAS           bundled: that of the scipy-openblas32 package in the Python that builds the extension, copied
#                            beside the library and installed with it; system: libopenblas.so.0 of the machine that runs
#                            (libopenblas0 in Debian), and nothing of it is needed here
#   HWARO_OPENBLAS_LIBRARY   the shared library
#   HWARO_OPENBLAS_LICENSE   its licence texts, which have to travel with it
#   hwaro_copy_openblas(<target> <folder>)   puts it into a folder when the target is built

set(HWARO_OPENBLAS "bundled" CACHE STRING "bundled or system")
set_property(CACHE HWARO_OPENBLAS PROPERTY STRINGS bundled system)
if(HWARO_OPENBLAS STREQUAL "system")
  function(hwaro_copy_openblas target folder)
  endfunction()
  return()
elseif(NOT HWARO_OPENBLAS STREQUAL "bundled")
  message(FATAL_ERROR "HWARO_OPENBLAS is '${HWARO_OPENBLAS}'; it is bundled or system")
endif()

if(NOT HWARO_OPENBLAS_LIBRARY)
  if(NOT Python_EXECUTABLE)
    find_package(Python 3.10 REQUIRED COMPONENTS Interpreter)
  endif()
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import os, scipy_openblas32 as b; print(os.path.join(b.get_lib_dir(), b.get_library(fullname=True)), end='')"
    OUTPUT_VARIABLE library ERROR_VARIABLE error RESULT_VARIABLE result)
  if(NOT result EQUAL 0 OR NOT EXISTS "${library}")
    message(FATAL_ERROR "Hwaro needs scipy-openblas32 in ${Python_EXECUTABLE}: "
                        "pip install -r tools/requirements-build.txt, or set HWARO_OPENBLAS_LIBRARY\n${error}")
  endif()
  set(HWARO_OPENBLAS_LIBRARY "${library}" CACHE FILEPATH "OpenBLAS of scipy-openblas32")
endif()

if(NOT HWARO_OPENBLAS_LICENSE)
  get_filename_component(site_packages "${HWARO_OPENBLAS_LIBRARY}/../../.." ABSOLUTE)
  file(GLOB licenses "${site_packages}/scipy_openblas32-*.dist-info/licenses/LICENSE.txt"
                     "${site_packages}/scipy_openblas32-*.dist-info/LICENSE.txt")
  if(NOT licenses)
    message(FATAL_ERROR "found no licence text for ${HWARO_OPENBLAS_LIBRARY}; set HWARO_OPENBLAS_LICENSE to it")
  endif()
  list(GET licenses 0 HWARO_OPENBLAS_LICENSE)
endif()

function(hwaro_copy_openblas target folder)
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
    COMMAND ${CMAKE_COMMAND} -E make_directory "${folder}"
    COMMAND ${CMAKE_COMMAND} -E copy_if_different "${HWARO_OPENBLAS_LIBRARY}" "${folder}")
endfunction()
