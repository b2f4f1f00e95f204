# SPDX-License-Identifier: MIT
# The man pages that are written in scdoc(5). (sendmail.8 is mdoc, and installed as it is.)
find_program(HIKYAKU_SCDOC scdoc REQUIRED)
set(manuals)
foreach(page hikyaku.1 hikyaku.yaml.5 authinfo.5 hikyakud.8)
  set(source ${CMAKE_SOURCE_DIR}/etc/man/${page}.scd)
  set(made ${CMAKE_BINARY_DIR}/man/${page})
  add_custom_command(OUTPUT ${made} DEPENDS ${source}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
    COMMAND sh -c "'${HIKYAKU_SCDOC}' < '${source}' > '${made}'" VERBATIM)
  list(APPEND manuals ${made})
  string(REGEX MATCH "[0-9]$" section ${page})
  install(FILES ${made} DESTINATION share/man/man${section})
endforeach()
add_custom_target(manuals ALL DEPENDS ${manuals})
