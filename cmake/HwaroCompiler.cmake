# Which compilers, which flags. Include it right after project().
#
#   hwaro_flags                    interface target with the flags of every file of the project
#   hwaro_add_isa_library(<isa> <source>...)
#                                  object library hwaro_isa_<isa>: the same sources, once per instruction set

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "Hwaro needs g++ >= 12, and this is ${CMAKE_CXX_COMPILER_VERSION}")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  message(FATAL_ERROR "Hwaro needs clang >= 16, and this is ${CMAKE_CXX_COMPILER_VERSION}")
elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
  message(FATAL_ERROR "Hwaro is built with g++ or clang; ${CMAKE_CXX_COMPILER_ID} is not supported")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# A compiler cache speeds up clean rebuilds; where there is none, nothing else changes.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(HWARO_CCACHE ccache)
  mark_as_advanced(HWARO_CCACHE)
  if(HWARO_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${HWARO_CCACHE}")
  endif()
endif()

set(HWARO_SANITIZE "" CACHE STRING "address (with undefined behaviour) or thread; empty for none")
set_property(CACHE HWARO_SANITIZE PROPERTY STRINGS "" address thread)

# No contraction: an fma is written where it is meant, so that results do not depend on what the compiler fuses.
set(common_flags -ffp-contract=off -fno-math-errno -Wall -Wextra -Wno-psabi)
add_library(hwaro_flags INTERFACE)
target_compile_options(hwaro_flags INTERFACE ${common_flags})
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # The tables of pointwise operators are defined by the generated file of their family alone.
  target_compile_options(hwaro_flags INTERFACE -Wno-undefined-var-template)
endif()
# Kernels are flat loops over vectors: with every check of undefined behaviour each of them compiles for minutes. They
# get those that such loops can violate, and address checks by calls. Those of other instruction sets than
# HWARO_SANITIZE_KERNELS lists stay as they are in the preset dev, whose objects a compiler cache then serves.
set(HWARO_SANITIZE_KERNELS ON CACHE STRING
    "The instruction sets whose kernels are instrumented, too, when HWARO_SANITIZE is set; ON: all, OFF: none")
add_library(hwaro_kernel_flags INTERFACE)
target_compile_options(hwaro_kernel_flags INTERFACE ${common_flags})
if(HWARO_SANITIZE STREQUAL "address")
  # A cast of a float that is out of range is undefined too, but not in the group.
  # Without optimisation these checks compile in less than half the time, and tests wait for Python, not for the engine.
  set(flags -O0 -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all)
  set(kernel_flags -fsanitize=address,signed-integer-overflow,shift,integer-divide-by-zero,bounds,float-cast-overflow
      -fno-sanitize-recover=all)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND kernel_flags "SHELL:--param asan-instrumentation-with-call-threshold=0")
  else()
    list(APPEND kernel_flags "SHELL:-mllvm -asan-instrumentation-with-call-threshold=0")
  endif()
elseif(HWARO_SANITIZE STREQUAL "thread")
  set(flags -O1 -fsanitize=thread)
  set(kernel_flags ${flags})
elseif(HWARO_SANITIZE)
  message(FATAL_ERROR "HWARO_SANITIZE is '${HWARO_SANITIZE}'; it is address, thread or empty")
endif()
if(HWARO_SANITIZE)
  target_compile_options(hwaro_flags INTERFACE -fno-omit-frame-pointer ${flags})
  target_link_options(hwaro_flags INTERFACE ${flags})
  target_compile_definitions(hwaro_flags INTERFACE HWARO_SANITIZE=1)
  add_library(hwaro_sanitized_kernel_flags INTERFACE)
  target_link_libraries(hwaro_sanitized_kernel_flags INTERFACE hwaro_kernel_flags)
  target_compile_options(hwaro_sanitized_kernel_flags INTERFACE ${common_flags} -O1 -fno-omit-frame-pointer
                         ${kernel_flags})
  target_compile_definitions(hwaro_sanitized_kernel_flags INTERFACE HWARO_SANITIZE=1)
endif()

# The instruction sets that kernels are compiled for, as HWARO_EACH_ISA in hwaro/base/isa.h lists them.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(HWARO_ISAS base avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(HWARO_ISAS neon)
else()
  set(HWARO_ISAS base)
endif()
set(HWARO_ISA_FLAGS_base "")
set(HWARO_ISA_FLAGS_neon "")
set(HWARO_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi -mbmi2)
set(HWARO_ISA_FLAGS_avx512 ${HWARO_ISA_FLAGS_avx2} -mavx512f -mavx512dq -mavx512bw -mavx512vl
    -mprefer-vector-width=512)

function(hwaro_kernel_flags_of isa variable)
  set(${variable} hwaro_kernel_flags PARENT_SCOPE)
  if(HWARO_SANITIZE AND (isa IN_LIST HWARO_SANITIZE_KERNELS OR HWARO_SANITIZE_KERNELS STREQUAL "ON"))
    set(${variable} hwaro_sanitized_kernel_flags PARENT_SCOPE)
  endif()
endfunction()

function(hwaro_add_isa_library isa)
  add_library(hwaro_isa_${isa} OBJECT ${ARGN})
  target_include_directories(hwaro_isa_${isa} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
  target_compile_definitions(hwaro_isa_${isa} PRIVATE HWARO_ISA=${isa})
  target_compile_options(hwaro_isa_${isa} PRIVATE ${HWARO_ISA_FLAGS_${isa}})
  hwaro_kernel_flags_of(${isa} flags)
  target_link_libraries(hwaro_isa_${isa} PRIVATE ${flags})
endfunction()
