# The package tree tests import from: links to the Python sources, and beside them what CMake builds.
# With PYTHONPATH=build/<preset>/python an edited Python file counts at once, and nothing is written into the sources.
#
#   HWARO_PYTHON_TREE   build/<preset>/python/hwaro: put _C and libhwaro.so there (LIBRARY_OUTPUT_DIRECTORY)

set(HWARO_PYTHON_TREE "${PROJECT_BINARY_DIR}/python/hwaro")
file(MAKE_DIRECTORY "${HWARO_PYTHON_TREE}")

# A link whose source is gone would still be importable by name.
file(GLOB old LIST_DIRECTORIES true "${HWARO_PYTHON_TREE}/*")
foreach(entry IN LISTS old)
  if(IS_SYMLINK "${entry}")
    file(REMOVE "${entry}")
  endif()
endforeach()

file(GLOB entries LIST_DIRECTORIES true CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/python/hwaro/*")
foreach(entry IN LISTS entries)
  get_filename_component(name "${entry}" NAME)
  if(NOT name STREQUAL "__pycache__")
    file(CREATE_LINK "${entry}" "${HWARO_PYTHON_TREE}/${name}" SYMBOLIC)
  endif()
endforeach()
