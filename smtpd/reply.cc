// SPDX-License-Identifier: MIT
#include "smtpd/reply.h"

#include "daemon/base/error.h"
#include "daemon/base/text.h"

namespace hikyaku::smtpd {
namespace {

std::string status_prefix(const Reply& reply) {
  return reply.status.status_class == 0 ? std::string() : cat(mail::to_text(reply.status), " ");
}

}  // namespace

std::string to_wire(const Reply& reply) {
  check(!reply.lines.empty(), "a reply has at least one line");
  std::string code = std::to_string(reply.code);
  std::string status = status_prefix(reply);
  std::string wire;
  for (const std::string& line : reply.lines)
    wire += cat(code, &line == &reply.lines.back() ? " " : "-", status, line, "\r\n");
  return wire;
}

std::string to_text(const Reply& reply) {
  return cat(std::to_string(reply.code), " ", status_prefix(reply), join(reply.lines, " / "));
}

}  // namespace hikyaku::smtpd
