// SPDX-License-Identifier: MIT
#include "tests/support/drops.h"

#include <cstdio>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"

namespace hikyaku::test {

std::string sealed_drop(std::string_view rest) {
  return cat(mail::encode_drop_header({rest.size(), checksum(rest, mail::kDropSeed)}), rest);
}

std::string make_drop(std::string_view sender, const std::vector<std::string>& recipients,
                      std::string_view content) {
  std::string rest = cat("MAIL FROM:<", sender, ">\r\n");
  for (const std::string& recipient : recipients) rest += cat("RCPT TO:<", recipient, ">\r\n");
  return sealed_drop(cat(rest, mail::drop_content_line(content.size()), "\r\n", content));
}

std::string drop_name(unsigned number) {
  char name[64];
  std::snprintf(name, sizeof name, "%016x.%u.%08x", number, number + 1, number * 2654435761U);
  return name;
}

}  // namespace hikyaku::test
