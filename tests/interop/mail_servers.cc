// SPDX-License-Identifier: MIT
// mail_servers SERVER HOSTNAME DOMAIN…: asks the DNS server for the mail servers of each domain, as a machine
// of that name would; a line each, "DOMAIN: PREFERENCE NAME ADDRESS…; …", or "DOMAIN: KIND, for good" or
// "for now".
#include <cstdio>
#include <string>

#include "daemon/base/text.h"
#include "daemon/dns/client.h"

using namespace hikyaku;

namespace {

std::string shown(const dns::DestinationAnswer& answer) {
  if (!answer)
    return cat(mail::to_text(answer.error().kind), answer.error().is_permanent ? ", for good" : ", for now");
  std::string text;
  for (const dns::MailHost& host : answer->hosts) {
    text += cat(text.empty() ? "" : "; ", std::to_string(host.preference), " ", host.name);
    for (const IpAddress& address : host.addresses) text += cat(" ", address.to_text());
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  auto server = argc > 3 ? Endpoint::parse(argv[1]) : std::nullopt;
  if (!server) return std::fputs("usage: mail_servers SERVER HOSTNAME DOMAIN...\n", stderr), 64;
  SystemClock clock;
  io::Loop loop(clock);
  dns::Client client(loop, {});
  client.configure(server, argv[2]);
  for (int i = 3; i < argc; ++i) {
    auto answer = loop.run(client.destinations().resolve(argv[i], 25, {}));
    std::printf("%s: %s\n", argv[i], shown(answer).c_str());
  }
}
