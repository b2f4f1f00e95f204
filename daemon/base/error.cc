// SPDX-License-Identifier: MIT
#include "daemon/base/error.h"

#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace hikyaku {

std::string os_error_text(int error_number) { return std::generic_category().message(error_number); }

void check_failed(const char* what, std::source_location where) {
  std::fprintf(stderr, "hikyaku: bug: %s (%s:%u)\n", what, where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace hikyaku
