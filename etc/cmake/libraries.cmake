# SPDX-License-Identifier: MIT
# The libraries we stand on; all of them are Debian 12 packages (etc/packages.txt).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
pkg_check_modules(uv REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares>=1.18)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(sasl REQUIRED IMPORTED_TARGET libsasl2)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)

# Only its headers: the library is loaded when somebody uses a shared spool (spool/postgresql/libpq.h).
pkg_check_modules(libpq REQUIRED libpq>=14)
add_library(hikyaku_libpq_headers INTERFACE)
target_include_directories(hikyaku_libpq_headers SYSTEM INTERFACE ${libpq_INCLUDE_DIRS})
