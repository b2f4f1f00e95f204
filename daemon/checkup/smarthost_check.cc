// SPDX-License-Identifier: MIT
#include "daemon/checkup/smarthost_check.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/checkup/certificate_text.h"
#include "daemon/checkup/test_mail.h"
#include "daemon/mail/diagnosis.h"
#include "smtpc/login.h"
#include "smtpc/opening.h"

namespace hikyaku::checkup {
namespace {

using mail::FailureKind;
using mail::Stage;

constexpr Duration kPatience = 1min;

std::string size_text(const mail::Capabilities& offered) {
  return offered.max_size == 0 ? "SIZE" : cat("SIZE ", std::to_string(offered.max_size));
}

// As the server would write it, without what no mail depends on.
std::string offer_text(const mail::Capabilities& offered) {
  std::vector<std::string> parts;
  if (offered.starttls) parts.emplace_back("STARTTLS");
  if (!offered.mechanisms.empty())
    parts.push_back(cat("AUTH ", printable(join(offered.mechanisms, " "), 200)));
  if (offered.size) parts.push_back(size_text(offered));
  for (const auto& [is_offered, name] : {std::pair{offered.pipelining, "PIPELINING"},
                                         {offered.chunking, "CHUNKING"},
                                         {offered.eight_bit_mime, "8BITMIME"},
                                         {offered.smtputf8, "SMTPUTF8"},
                                         {offered.dsn, "DSN"}})
    if (is_offered) parts.emplace_back(name);
  return cat(offered.name.empty() ? "the server" : printable(offered.name, 200), " offers ",
             parts.empty() ? "nothing" : join(parts, ", "));
}

std::string belief_text(const io::TlsInfo& tls) {
  return tls.fault ? cat(words_for_fault(*tls.fault), " and is not verified") : cat("is ", tls.verdict);
}

// What keeps mail to this recipient alone from being taken says nothing about the smarthost.
bool is_about_recipient(const mail::Failure& failure) {
  return failure.stage == Stage::rcpt && failure.kind == FailureKind::recipient_refused;
}

}  // namespace

mail::SmtpTimeouts for_people(mail::SmtpTimeouts timeouts) {
  for (Duration* each : {&timeouts.connect, &timeouts.greeting, &timeouts.command, &timeouts.data})
    *each = std::min(*each, kPatience);
  return timeouts;
}

SmarthostCheck::SmarthostCheck(io::Loop& loop, smtpc::Connector& connector, CheckQuestion question,
                               Journal& journal)
    : loop_(loop),
      connector_(connector),
      question_(std::move(question)),
      journal_(journal),
      seen_{.smarthost = question_.smarthost} {
  question_.smarthost.timeout = for_people(question_.smarthost.timeout);
  seen_.max_size = question_.max_size;
  seen_.now = journal_.wall();
}

void SmarthostCheck::greeted(const mail::Reply& greeting) {
  seen_.greeting = join(greeting.lines, " ");
  journal_.pass("greeting", mail::to_text(greeting));
}

void SmarthostCheck::encrypted(const io::TlsInfo& tls) {
  seen_.tls = tls;
  journal_.pass(
      "TLS", cat(tls.version, ", ", tls.cipher, "; the certificate ", belief_text(tls)),
      tls.certificate ? certificate_lines(*tls.certificate, seen_.now) : std::vector<std::string>());
}

void SmarthostCheck::introduced(const mail::Capabilities& offered) {
  seen_.offered = offered;
  journal_.pass("EHLO", offer_text(offered));
}

Task<Report> SmarthostCheck::run() {
  auto result = co_await go_through();
  if (!result) journal_.fail(result.error());
  const bool ends_in_order = client_ && client_->is_usable();
  if (ends_in_order) co_await client_->quit();
  if (ends_in_order && result) journal_.pass("QUIT", "the connection is closed");
  client_.reset();
  co_return report(result);
}

Task<SmarthostCheck::Step> SmarthostCheck::go_through() {
  auto tls = smtpc::make_tls_client(question_.smarthost, true);
  if (!tls) co_return std::unexpected(mail::make_failure(question_.smarthost, Stage::tls, tls.error()));
  tls_ = std::move(*tls);
  journal_.begin();
  auto opened = co_await open();
  if (!opened) co_return opened;
  note_login();
  auto taken = co_await rehearse();
  if (!taken || !question_.sends) co_return taken;
  auto sent = co_await send();
  co_return sent;
}

Task<SmarthostCheck::Step> SmarthostCheck::connect() {
  seen_.tls.reset();
  auto stream = co_await connector_.dial(question_.smarthost, {});
  if (!stream) co_return std::unexpected(stream.error());
  client_ = std::make_unique<smtpc::Client>(smtpc::ClientContext{.loop = loop_,
                                                                 .smarthost = question_.smarthost,
                                                                 .connector = connector_,
                                                                 .knowledge = knowledge_,
                                                                 .tls = tls_,
                                                                 .ehlo_name = question_.hostname,
                                                                 .instance_token = {},
                                                                 .observer = this,
                                                                 .keys = question_.keys,
                                                                 .tokens = question_.tokens},
                                            std::move(*stream));
  journal_.pass("connection", cat("to ", client_->address()));
  co_return Step{};
}

// Where another connection may do better, a lane makes it at once.
Task<SmarthostCheck::Step> SmarthostCheck::open() {
  for (;;) {
    auto connected = co_await connect();
    if (!connected) co_return connected;
    auto opened = co_await client_->open();
    if (opened) co_return Step{};
    if (!client_->wants_new_connection()) co_return std::unexpected(std::move(opened.error().failure));
    journal_.fail_once(opened.error().failure);
  }
}

void SmarthostCheck::note_login() {
  if (!smtpc::wants_login(question_.smarthost)) return;
  const auto& credentials = question_.smarthost.credentials;
  const std::string account = mail::account_of(question_.smarthost);
  const std::string who = account.empty() ? "" : cat("as ", printable(account), " ");
  const std::string where = credentials ? cat(" (", credentials->origin, ")") : "";
  journal_.pass("log-in", cat(who, "with ", client_->mechanism(), where));
}

Task<SmarthostCheck::Step> SmarthostCheck::rehearse() {
  seen_.sender = mail::sender_as_sent(question_.smarthost.rewrite, question_.sender);
  auto answer = co_await client_->rehearse(question_.sender, question_.recipient);
  if (!answer && !is_about_recipient(answer.error().failure))
    co_return std::unexpected(std::move(answer.error().failure));
  std::string text = cat("mail from <", printable(seen_.sender), "> ");
  if (answer) {
    journal_.pass("addresses", cat(text, "to <", printable(question_.recipient), "> is accepted"));
  } else {
    warnings_.push_back(cat("tried with a mail to <", printable(question_.recipient),
                            ">: ", mail::diagnose(answer.error().failure)));
    journal_.pass("addresses", cat(text, "is accepted, but this recipient is not"));
  }
  co_return Step{};
}

Task<SmarthostCheck::Step> SmarthostCheck::send() {
  auto test = make_test_mail({.sender = question_.sender,
                              .recipient = question_.recipient,
                              .hostname = question_.hostname,
                              .domain = question_.domain,
                              .smarthost = question_.smarthost,
                              .now = journal_.wall()});
  auto result = co_await client_->send({test.mail, {0}, *test.content, false}, {});
  if (const smtpc::Refusal* refusal = result.refusal_of(0)) co_return std::unexpected(refusal->failure);
  journal_.pass("test mail", cat("\"", test.subject, "\" is handed over for <",
                                 printable(question_.recipient), ">: ", mail::to_text(*result.final_reply)));
  co_return Step{};
}

Report SmarthostCheck::report(const Step& result) {
  const mail::Smarthost& smarthost = question_.smarthost;
  Report report{
      .smarthost = smarthost.name, .host = smarthost.host, .port = smarthost.port, .steps = journal_.take()};
  for (std::string& doubt : doubts(seen_)) report.warnings.push_back(std::move(doubt));
  for (std::string& warning : warnings_) report.warnings.push_back(std::move(warning));
  if (seen_.tls) report.certificate = seen_.tls->certificate;
  if (result) return report;
  report.failure = result.error();
  if (report.failure->certificate) report.certificate = report.failure->certificate;
  return report;
}

}  // namespace hikyaku::checkup
