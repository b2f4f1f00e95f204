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

foreach(unit service socket)
  install(FILES systemd/hikyaku.${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES systemd/hikyaku.sysusers DESTINATION lib/sysusers.d RENAME hikyaku.conf)
install(FILES systemd/hikyaku.tmpfiles DESTINATION lib/tmpfiles.d RENAME hikyaku.conf)

install(FILES README.md CHANGELOG.md LICENSE etc/hikyaku.yaml etc/authinfo.example DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(CODE "
  set(conf \"\$ENV{DESTDIR}/etc/hikyaku/hikyaku.yaml\")
  if(EXISTS \"\${conf}\")
    message(STATUS \"Kept: \${conf}\")
  else()
    file(INSTALL DESTINATION \"/etc/hikyaku\" TYPE FILE FILES \"${CMAKE_SOURCE_DIR}/etc/hikyaku.yaml\")
  endif()")
