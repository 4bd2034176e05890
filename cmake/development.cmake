# How our own programs are compiled: what a user of the library does not get.

option(UNIROUTE_WERROR "Warnings are errors" OFF)
option(UNIROUTE_CHECKED_ARRAYS "xtensor checks every index and shape" OFF)

add_library(uniroute_development INTERFACE)
target_link_libraries(uniroute_development INTERFACE uniroute::uniroute)
target_compile_options(
  uniroute_development
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${UNIROUTE_WERROR}>:-Werror>
            # g++ 12 finds overruns in xtensor and libstdc++ that are not there as soon as it optimises.
            $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict>)
target_compile_definitions(
  uniroute_development INTERFACE $<$<BOOL:${UNIROUTE_CHECKED_ARRAYS}>:XTENSOR_ENABLE_ASSERT>
                                 UNIROUTE_DATA_DIR="${UNIROUTE_DATA_DIR}")

# `./examples/run` and ninja's own jobs are few and large: a compiler cache pays where there is one.
find_program(UNIROUTE_CCACHE ccache)
mark_as_advanced(UNIROUTE_CCACHE)
if(UNIROUTE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are cached only if their time stamps do not count.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros
                                  "${UNIROUTE_CCACHE}")
endif()
