// SPDX-License-Identifier: MIT
#include "daemon/sendmail/batch.h"

#include "daemon/base/text.h"

namespace hikyaku::sendmail {

void BatchReplies::take(std::string_view bytes) {
  for (char c : bytes) {
    if (c != '\n') {
      line_ += c;
      continue;
    }
    bool transient = line_.starts_with('4');
    if ((transient || line_.starts_with('5')) && !bad_)
      bad_ = Failure{transient ? Exit::temporary : Exit::bad_data,
                     cat("the daemon answered ", printable(trim(line_.substr(0, line_.find('\r')))))};
    line_.clear();
  }
}

Result<void, Failure> BatchReplies::verdict() const {
  if (bad_) return std::unexpected(*bad_);
  return {};
}

}  // namespace hikyaku::sendmail
