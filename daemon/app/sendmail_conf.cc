// SPDX-License-Identifier: MIT
#include "daemon/app/sendmail_conf.h"

#include "daemon/base/text.h"
#include "daemon/system/directories.h"

namespace hikyaku::app {
namespace {

std::string line(std::string_view key, std::string_view value) {
  return value.empty() ? std::string() : cat(key, " ", value, "\n");
}

std::string reachable(const Endpoint& listening) {
  Endpoint at = listening;
  if (at.address == IpAddress::parse("0.0.0.0")) at.address = *IpAddress::parse("127.0.0.1");
  if (at.address == IpAddress::parse("::")) at.address = *IpAddress::parse("::1");
  return at.to_text();
}

}  // namespace

std::string sendmail_conf_path(const config::Settings& settings) {
  return cat(settings.spool.directory, "/sendmail.conf");
}

std::string sendmail_conf(const config::Settings& settings, const std::optional<Endpoint>& listening) {
  return cat("hikyaku-sendmail 1\n",
             line("submit_socket", system::submit_socket_in(settings.runtime_directory)),
             line("control_socket", system::control_socket_in(settings.runtime_directory)),
             line("drop", cat(settings.spool.directory, "/drop")),
             line("listen", listening ? reachable(*listening) : ""), line("hostname", settings.hostname),
             line("domain", settings.domain), line("aliases", settings.aliases.path),
             line("max_size", std::to_string(settings.message.max_size.bytes)),
             line("max_recipients", std::to_string(settings.message.max_recipients)),
             line("min_free", std::to_string(settings.spool.min_free.bytes)));
}

}  // namespace hikyaku::app
