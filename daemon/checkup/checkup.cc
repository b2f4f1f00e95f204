// SPDX-License-Identifier: MIT
#include "daemon/checkup/checkup.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/checkup/smarthost_check.h"
#include "daemon/dns/client.h"
#include "daemon/io/resolver.h"
#include "daemon/mail/address.h"
#include "daemon/mail/masquerade.h"
#include "smtpc/connector.h"

namespace hikyaku::checkup {
namespace {

std::string addresses_text(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_text());
  return join(texts, ", ");
}

// The look-ups of a connector, each written down as a step of its own. A side probe, or another connection,
// looks up the same name again: that is no step.
class NotedLookups final : public io::Resolver, public dns::DestinationResolver {
 public:
  // All outlive the object.
  NotedLookups(io::Resolver& names, dns::DestinationResolver& destinations, Journal& journal)
      : names_(names), destinations_(destinations), journal_(journal) {}

  Task<Result<std::vector<IpAddress>, IoError>> resolve(std::string host, io::Until until) override {
    auto found = co_await names_.resolve(host, until);
    if (found && !IpAddress::parse(host) && noted_.insert(host).second)
      journal_.pass("look-up", cat(host, " is ", addresses_text(*found)));
    co_return found;
  }

  Task<dns::DestinationAnswer> resolve(std::string domain, std::uint16_t port, io::Until until) override {
    auto found = co_await destinations_.resolve(domain, port, until);
    if (found && noted_.insert(domain).second) note(domain, *found);
    co_return found;
  }

 private:
  void note(const std::string& domain, const dns::Destination& found) {
    std::vector<std::string> hosts;
    for (const dns::MailHost& host : found.hosts)
      hosts.push_back(cat(printable(host.name, 255), " (", addresses_text(host.addresses), ")"));
    journal_.pass("look-up", cat("the mail servers of ", domain, ", the best first:"), std::move(hosts));
  }

  io::Resolver& names_;
  dns::DestinationResolver& destinations_;
  Journal& journal_;
  std::set<std::string> noted_;
};

// A port of this machine on which the daemon listens, or will.
bool is_ours(const config::Settings& settings, const Endpoint& to) {
  return std::ranges::any_of(settings.listen.endpoints, [&](const Endpoint& ours) {
    const bool covers =
        ours.address == to.address || (ours.address.is_unspecified() && to.address.is_loopback());
    return ours.port == to.port && covers;
  });
}

// As the daemon does at its start.
Task<void> complete_credentials(mail::Smarthost& smarthost, const config::Authinfo& entries,
                                io::Resolver& names, io::Until until) {
  if (!config::depends_on_addresses(smarthost, entries)) co_return;
  auto addresses = co_await names.resolve(smarthost.host, until);
  if (addresses) config::attach_credentials(smarthost, entries, std::move(*addresses));
}

CheckQuestion question_of(const Checkup& checkup, const mail::Smarthost& smarthost) {
  CheckQuestion question{.smarthost = smarthost,
                         .hostname = checkup.settings.hostname,
                         .domain = checkup.settings.domain,
                         .sender = usual_sender(checkup.settings),
                         .recipient = checkup.recipient,
                         .sends = checkup.sends,
                         .max_size = checkup.settings.message.max_size.bytes,
                         .keys = checkup.keys,
                         .tokens = checkup.tokens};
  if (smarthost.direct) question.smarthost.host = std::string(mail::domain_of(checkup.recipient));
  return question;
}

}  // namespace

std::string usual_sender(const config::Settings& settings) {
  return mail::Masquerade{settings.masquerade, settings.domain}.apply(cat("root@", settings.domain));
}

std::string where_mail_goes(const config::Settings& settings, const mail::Aliases& aliases,
                            const mail::Recipient& to, const mail::IsUser& is_user) {
  const mail::AliasRules rules{aliases, settings.domain, settings.hostname, settings.local_mail};
  auto expanded = mail::expand(rules, {to}, is_user);
  return expanded.recipients.empty() ? to.address : expanded.recipients.front().address;
}

std::string usual_recipient(const config::Settings& settings, const mail::Aliases& aliases) {
  const mail::Recipient root{
      .address = cat("root@", settings.domain), .notify = {}, .orcpt = {}, .is_bare = true};
  return where_mail_goes(settings, aliases, root, [](const std::string& name) { return name == "root"; });
}

Task<Report> check_smarthost(io::Loop& loop, Checkup checkup, const mail::Smarthost& smarthost,
                             Journal::Tell tell) {
  const config::Settings& settings = checkup.settings;
  auto is_our_port = [&settings](const Endpoint& to) { return is_ours(settings, to); };
  io::SystemResolver names(loop);
  dns::Client dns(loop, {.hostname = settings.hostname, .has = is_our_port});
  dns.configure(settings.dns, settings.hostname);
  CheckQuestion question = question_of(checkup, smarthost);
  co_await complete_credentials(question.smarthost, checkup.credentials, names, loop.within(10s));
  Journal journal(loop.clock(), std::move(tell));
  NotedLookups lookups(names, dns.destinations(), journal);
  smtpc::SystemConnector connector(loop, lookups, lookups, is_our_port);
  SmarthostCheck check(loop, connector, std::move(question), journal);
  auto report = co_await check.run();
  co_return report;
}

}  // namespace hikyaku::checkup
