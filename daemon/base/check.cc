// SPDX-License-Identifier: MIT
#include "daemon/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hikyaku {

void check_failed(const char* what, std::source_location where) {
  std::fprintf(stderr, "hikyaku: bug: %s (%s:%u)\n", what, where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace hikyaku
