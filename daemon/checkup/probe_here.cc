// SPDX-License-Identifier: MIT
#include "daemon/checkup/probe_here.h"

#include <utility>

#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/dns/client.h"
#include "daemon/io/resolver.h"
#include "smtpc/sasl_client.h"

namespace hikyaku::checkup {

Standpoint standpoint_of(const std::string& config_file) {
  config::Settings settings = config::understandable_settings(config_file);
  const bool is_named = config::is_full_name(settings.hostname);
  return {.hostname = is_named ? std::move(settings.hostname) : config::default_hostname(),
          .dns = settings.dns};
}

Task<ProbeResult> probe_from_here(io::Loop& loop, Standpoint here, ProbeTarget target,
                                  std::optional<mail::Credentials> credentials) {
  io::SystemResolver names(loop);
  dns::Client dns(loop, {.hostname = here.hostname});
  dns.configure(here.dns, here.hostname);
  // Our own daemon may be looked at like any other: no mail is sent that could come back.
  smtpc::SystemConnector connector(loop, names, dns.destinations(), [](const Endpoint&) { return false; });
  ProbeContext context{.dialling = {.loop = loop, .connector = connector, .ehlo_name = here.hostname},
                       .records = dns.records(),
                       .installed = smtpc::available_mechanisms()};
  auto result = co_await probe(std::move(context), std::move(target), std::move(credentials));
  co_return result;
}

}  // namespace hikyaku::checkup
