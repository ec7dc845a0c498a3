# What `cmake --install` and the wheel contain. Include it after all targets.
#
# In a wheel (SKBUILD) everything goes into the package folder hwaro/, next to the Python files. Otherwise it is a C++
# installation: the library, OpenBLAS beside it, the headers, and find_package(hwaro).

include(GNUInstallDirs)

if(SKBUILD)
  set_target_properties(hwaro _C PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(TARGETS hwaro _C LIBRARY DESTINATION hwaro RUNTIME DESTINATION hwaro)
  install(FILES "${HWARO_OPENBLAS_LIBRARY}" DESTINATION hwaro)
  install(FILES "${HWARO_PYTHON_TREE}/__init__.pyi" DESTINATION hwaro)
  install(DIRECTORY "${HWARO_PYTHON_TREE}/_C" DESTINATION hwaro)
  install(FILES "${HWARO_OPENBLAS_LICENSE}" DESTINATION hwaro RENAME scipy_openblas32-LICENSE.txt)
  return()
endif()

include(CMakePackageConfigHelpers)
set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hwaro")

set_target_properties(hwaro PROPERTIES INSTALL_RPATH "$ORIGIN")
target_include_directories(hwaro INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_compile_features(hwaro INTERFACE cxx_std_20)
install(TARGETS hwaro EXPORT hwaro LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${HWARO_OPENBLAS_LIBRARY}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${HWARO_OPENBLAS_LICENSE}" DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME scipy_openblas32-LICENSE.txt)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
foreach(root "${PROJECT_SOURCE_DIR}/hwaro" "${PROJECT_BINARY_DIR}/generated/hwaro")
  if(IS_DIRECTORY "${root}")
    install(DIRECTORY "${root}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/hwaro" FILES_MATCHING PATTERN "*.h")
  endif()
endforeach()

install(EXPORT hwaro NAMESPACE hwaro:: FILE hwaroTargets.cmake DESTINATION "${config_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/hwaroConfig.cmake.in" "${PROJECT_BINARY_DIR}/hwaroConfig.cmake"
                              INSTALL_DESTINATION "${config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hwaroConfigVersion.cmake" VERSION "${PROJECT_VERSION}"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/hwaroConfig.cmake" "${PROJECT_BINARY_DIR}/hwaroConfigVersion.cmake"
        DESTINATION "${config_dir}")
