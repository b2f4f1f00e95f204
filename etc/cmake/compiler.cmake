# SPDX-License-Identifier: MIT
# Chooses the compiler before project(): an explicit CMAKE_CXX_COMPILER or $CXX wins, then a GCC of at least 14,
# then clang++-19.
if(NOT CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
  execute_process(COMMAND g++ -dumpfullversion OUTPUT_VARIABLE hikyaku_gcc OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET RESULT_VARIABLE hikyaku_no_gcc)
  if(hikyaku_no_gcc OR hikyaku_gcc VERSION_LESS 14)
    find_program(hikyaku_clang clang++-19)
    if(NOT hikyaku_clang)
      message(FATAL_ERROR "hikyaku needs clang++-19 or GCC 14; the default g++ is '${hikyaku_gcc}'. "
                          "On Debian: apt-get install clang-19 lld-19")
    endif()
    message(STATUS "Using ${hikyaku_clang}: the default g++ is '${hikyaku_gcc}', and GCC before 14 miscompiles coroutines")
    set(CMAKE_CXX_COMPILER ${hikyaku_clang} CACHE FILEPATH "C++ compiler")
  endif()
endif()
