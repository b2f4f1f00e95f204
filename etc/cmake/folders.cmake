# SPDX-License-Identifier: MIT
# One folder, one static library: hikyaku_folder(NAME FOLDER LINKS …) takes every .cc of the folder but *_main.cc.
# A pch.h in the folder is its precompiled header, else etc/cmake/pch.h.
function(hikyaku_folder name folder)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_main\\.cc$")
  add_library(hikyaku_${name} STATIC ${sources})
  target_link_libraries(hikyaku_${name} PUBLIC hikyaku_flags ${arg_LINKS})
  if(NOT HIKYAKU_PCH)
    return()
  endif()
  set(pch ${CMAKE_SOURCE_DIR}/${folder}/pch.h)
  if(NOT EXISTS ${pch})
    set(pch ${CMAKE_SOURCE_DIR}/etc/cmake/pch.h)
  endif()
  target_precompile_headers(hikyaku_${name} PRIVATE ${pch})
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
