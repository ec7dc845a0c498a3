# What `cmake --install` and the wheel contain. Include it after all targets.
#
# There are two layouts of the same C++ installation (libraries, OpenBLAS, headers, find_package, pkg-config):
#
#   the usual one    PREFIX/include, PREFIX/lib, PREFIX/lib/cmake/hwaro, PREFIX/lib/pkgconfig
#   the wheel's      all of it in the package folder hwaro/, beside the Python files and the extension, so that
#                    `pip install` serves C++, too (python -m hwaro --cmake-prefix)
#
# In a build of the wheel (SKBUILD) the second is what is installed; otherwise the first, and the second by
# `cmake --install BUILD --component wheel`.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# An application that links the static library finds OpenBLAS by its own run path.
set_target_properties(hwaro PROPERTIES INSTALL_RPATH "$ORIGIN")
if(TARGET _C)
  set_target_properties(_C PROPERTIES INSTALL_RPATH "$ORIGIN")
endif()

write_basic_package_version_file("${PROJECT_BINARY_DIR}/hwaroConfigVersion.cmake" VERSION "${PROJECT_VERSION}"
                                 COMPATIBILITY SameMinorVersion)

# hwaro_install(NAME INCLUDE LIB CMAKE PKGCONFIG DOC OPTIONS…): one layout, by its folders below the prefix. OPTIONS are
# those of install(), such as COMPONENT.
function(hwaro_install name include lib cmake pkgconfig doc)
  install(TARGETS hwaro EXPORT ${name} LIBRARY DESTINATION "${lib}" ${ARGN} RUNTIME DESTINATION "${lib}" ${ARGN}
          INCLUDES DESTINATION "${include}")
  set(static "")
  if(TARGET hwaro_static AND NOT ${name} STREQUAL "hwaro_wheel")
    # Where it has not been built, hwaroConfig.cmake does without.
    install(TARGETS hwaro_static EXPORT ${name}_static ARCHIVE DESTINATION "${lib}" OPTIONAL ${ARGN}
            INCLUDES DESTINATION "${include}")
    install(EXPORT ${name}_static NAMESPACE hwaro:: FILE hwaroStaticTargets.cmake DESTINATION "${cmake}" ${ARGN})
    set(static hwaro-static.pc)
  endif()
  install(EXPORT ${name} NAMESPACE hwaro:: FILE hwaroTargets.cmake DESTINATION "${cmake}" ${ARGN})

  if(HWARO_OPENBLAS STREQUAL "bundled")
    install(FILES "${HWARO_OPENBLAS_LIBRARY}" DESTINATION "${lib}" ${ARGN})
    install(FILES "${HWARO_OPENBLAS_LICENSE}" DESTINATION "${doc}" RENAME scipy_openblas32-LICENSE.txt ${ARGN})
  endif()
  foreach(root "${PROJECT_SOURCE_DIR}/hwaro" "${PROJECT_BINARY_DIR}/generated/hwaro")
    install(DIRECTORY "${root}/" DESTINATION "${include}/hwaro" ${ARGN} FILES_MATCHING PATTERN "*.h")
  endforeach()

  set(generated "${PROJECT_BINARY_DIR}/install/${name}")
  set(HWARO_LIBRARY_DIR "${lib}")
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/hwaroConfig.cmake.in" "${generated}/hwaroConfig.cmake"
                                INSTALL_DESTINATION "${cmake}" PATH_VARS HWARO_LIBRARY_DIR)
  install(FILES "${generated}/hwaroConfig.cmake" "${PROJECT_BINARY_DIR}/hwaroConfigVersion.cmake" DESTINATION "${cmake}"
          ${ARGN})
  foreach(file hwaro.pc ${static})
    # Folders relative to the file, so that an installation can be moved.
    file(RELATIVE_PATH pc_lib "/${pkgconfig}" "/${lib}")
    file(RELATIVE_PATH pc_include "/${pkgconfig}" "/${include}")
    configure_file("${PROJECT_SOURCE_DIR}/cmake/${file}.in" "${generated}/${file}" @ONLY)
    install(FILES "${generated}/${file}" DESTINATION "${pkgconfig}" ${ARGN})
  endforeach()
endfunction()

if(SKBUILD)
  set(wheel "")
else()
  set(wheel COMPONENT wheel EXCLUDE_FROM_ALL)
  hwaro_install(hwaro "${CMAKE_INSTALL_INCLUDEDIR}" "${CMAKE_INSTALL_LIBDIR}" "${CMAKE_INSTALL_LIBDIR}/cmake/hwaro"
                "${CMAKE_INSTALL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_DOCDIR}")
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endif()
if(HWARO_BUILD_PYTHON)
  hwaro_install(hwaro_wheel hwaro/include hwaro hwaro/share/cmake/hwaro hwaro/share/pkgconfig hwaro ${wheel})
  install(TARGETS _C LIBRARY DESTINATION hwaro ${wheel})
  install(FILES "${HWARO_PYTHON_TREE}/__init__.pyi" DESTINATION hwaro ${wheel})
  install(DIRECTORY "${HWARO_PYTHON_TREE}/_C" DESTINATION hwaro ${wheel})
endif()
