# SPDX-License-Identifier: MIT
# `cmake --install build` with the paths of a distribution (DESTDIR is honoured). The configuration of a machine that has
# one is left as it is. Users and directories are systemd's to make: systemd-sysusers, systemd-tmpfiles --create.
if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
  set(CMAKE_INSTALL_PREFIX /usr CACHE PATH "" FORCE)
endif()
include(GNUInstallDirs)

install(TARGETS hikyakud RUNTIME DESTINATION sbin)
install(TARGETS hikyaku RUNTIME DESTINATION bin)

install(TARGETS sendmail RUNTIME DESTINATION lib/hikyaku)
install(SCRIPT etc/cmake/install_sendmail.cmake)
install(FILES etc/man/sendmail.8 DESTINATION share/man/man8)

# The shells' completions, printed by the program itself when it has been built.
set(completions)
foreach(shell bash zsh fish)
  set(made ${CMAKE_BINARY_DIR}/completions/hikyaku.${shell})
  add_custom_command(OUTPUT ${made} DEPENDS hikyaku
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/completions
    COMMAND sh -c "'$<TARGET_FILE:hikyaku>' completion ${shell} > '${made}'" VERBATIM)
  list(APPEND completions ${made})
endforeach()
add_custom_target(completions ALL DEPENDS ${completions})
install(FILES ${CMAKE_BINARY_DIR}/completions/hikyaku.bash DESTINATION share/bash-completion/completions RENAME hikyaku)
install(FILES ${CMAKE_BINARY_DIR}/completions/hikyaku.zsh DESTINATION share/zsh/vendor-completions RENAME _hikyaku)
install(FILES ${CMAKE_BINARY_DIR}/completions/hikyaku.fish DESTINATION share/fish/vendor_completions.d)

foreach(unit service socket)
  install(FILES systemd/hikyaku.${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES systemd/hikyaku.sysusers DESTINATION lib/sysusers.d RENAME hikyaku.conf)
install(FILES systemd/hikyaku.tmpfiles DESTINATION lib/tmpfiles.d RENAME hikyaku.conf)

install(DIRECTORY etc/schema DESTINATION share/hikyaku FILES_MATCHING PATTERN "*.json")
install(FILES etc/prometheus/hikyaku.rules.yaml etc/grafana/hikyaku.json DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CHANGELOG.md LICENSE etc/hikyaku.yaml etc/authinfo.example DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(CODE "
  set(conf \"\$ENV{DESTDIR}/etc/hikyaku/hikyaku.yaml\")
  if(EXISTS \"\${conf}\")
    message(STATUS \"Kept: \${conf}\")
  else()
    file(INSTALL DESTINATION \"/etc/hikyaku\" TYPE FILE FILES \"${CMAKE_SOURCE_DIR}/etc/hikyaku.yaml\")
  endif()")
