# SPDX-License-Identifier: MIT
# One folder, one static library: hikyaku_folder(NAME FOLDER LINKS …) takes every .cc of the folder but *_main.cc.
# A pch.h in the folder is its precompiled header.
function(hikyaku_folder name folder)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_main\\.cc$")
  add_library(hikyaku_${name} STATIC ${sources})
  target_link_libraries(hikyaku_${name} PUBLIC hikyaku_flags ${arg_LINKS})
  if(EXISTS ${CMAKE_SOURCE_DIR}/${folder}/pch.h)
    target_precompile_headers(hikyaku_${name} PRIVATE ${CMAKE_SOURCE_DIR}/${folder}/pch.h)
  endif()
endfunction()

function(hikyaku_program name main)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${main})
  target_link_libraries(${name} PRIVATE hikyaku_app)
endfunction()
