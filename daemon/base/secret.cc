// SPDX-License-Identifier: MIT
#include "daemon/base/secret.h"

#include <cstring>

namespace hikyaku {

void Secret::wipe() {
  ::explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

}  // namespace hikyaku
