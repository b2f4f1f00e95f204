# SPDX-License-Identifier: MIT
# One folder, one static library: hikyaku_folder(NAME FOLDER LINKS … HIDES …) takes every .cc of the folder but *_main.cc.
# LINKS are the libraries that its headers show, HIDES those that only its sources include. COLD: what it does takes no time
# worth the optimiser's in a build with sanitizers, which is three fifths of the compiler's.
function(hikyaku_folder name folder)
  cmake_parse_arguments(arg "COLD" "" "LINKS;HIDES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_main\\.cc$")
  add_library(hikyaku_${name} STATIC ${sources})
  target_link_libraries(hikyaku_${name} PUBLIC hikyaku_flags ${arg_LINKS} PRIVATE ${arg_HIDES})
  hikyaku_unity(hikyaku_${name})
  set(optimised hikyaku_base)
  if(arg_COLD AND HIKYAKU_SANITIZE)
    set(optimised hikyaku_system)
    target_compile_options(hikyaku_${name} PRIVATE -O0)
  endif()
  if(HIKYAKU_PCH)
    hikyaku_precompile(hikyaku_${name} ${CMAKE_SOURCE_DIR}/${folder}/pch.h ${optimised})
  endif()
endfunction()

function(hikyaku_unity target)
  if(HIKYAKU_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
  endif()
endfunction()

# A pch.h in the folder is its precompiled header. All others share etc/cmake/pch.h, compiled once by `carrier`, as they are.
function(hikyaku_precompile target own carrier)
  if(EXISTS ${own})
    target_precompile_headers(${target} PRIVATE ${own})
  elseif(target STREQUAL carrier)
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/etc/cmake/pch.h)
  else()
    target_precompile_headers(${target} REUSE_FROM ${carrier})
  endif()
endfunction()

# The set-gid program and its names beside it. It links what is named here and nothing else (tests/tools/links.txt).
function(hikyaku_sendmail main)
  add_executable(sendmail ${CMAKE_SOURCE_DIR}/${main})
  target_link_libraries(sendmail PRIVATE hikyaku_sendmail)
  foreach(link mailq newaliases)
    add_custom_command(TARGET sendmail POST_BUILD COMMAND ${CMAKE_COMMAND} -E create_symlink sendmail
                       ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${link})
  endforeach()
endfunction()

function(hikyaku_program name main folder)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${main})
  target_link_libraries(${name} PRIVATE ${folder})
endfunction()
