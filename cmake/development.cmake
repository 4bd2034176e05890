# How our own programs are compiled: what a user of the library does not get.

option(UNIROUTE_WARNINGS_AS_ERRORS "Warnings are errors" OFF)

add_library(uniroute_development INTERFACE)
target_link_libraries(uniroute_development INTERFACE uniroute::uniroute)
target_compile_options(
  uniroute_development
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${UNIROUTE_WARNINGS_AS_ERRORS}>:-Werror>
            # What g++ leaves out of -Wconversion; the headers themselves are clean of it (headers_alone).
            $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
            # g++ 12 sees overruns and unset values in xtensor and libstdc++ that are not there, once it optimises.
            $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
            -Wno-stringop-overread>
            # Its collector of garbage takes a tenth of the time below a gigabyte.
            $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=1000000>)
target_compile_definitions(uniroute_development INTERFACE UNIROUTE_DATA_DIR="${UNIROUTE_DATA_DIR}")
