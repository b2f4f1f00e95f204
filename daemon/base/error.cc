// SPDX-License-Identifier: MIT
#include "daemon/base/error.h"

#include <system_error>

namespace hikyaku {

std::string os_error_text(int error_number) { return std::generic_category().message(error_number); }

}  // namespace hikyaku
