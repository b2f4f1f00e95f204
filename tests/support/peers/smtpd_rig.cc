// SPDX-License-Identifier: MIT
#include "tests/support/peers/smtpd_rig.h"

#include <doctest/doctest.h>

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

Task<void> run_session(smtpd::SessionContext context, smtpd::SessionOptionsPtr options,
                       io::StreamPtr stream) {
  smtpd::Session session(context, std::move(options), std::move(stream));
  co_await session.run();
}

}  // namespace

void RecordingObserver::accepted(const smtpd::Client&, const smtpd::Accepted& what) {
  std::vector<std::string> to;
  for (const auto& recipient : what.envelope.recipients) to.push_back(cat("<", recipient.address, ">"));
  lines.push_back(cat("accepted ", std::to_string(what.id.value), " from=<", what.envelope.sender,
                      "> to=", join(to, ","), " size=", std::to_string(what.size), " ", what.protocol,
                      " fixed=", what.fixed));
}

void RecordingObserver::rejected(const smtpd::Client& client, const smtpd::Rejected& what) {
  std::string mail = what.sender ? cat(" from=<", *what.sender, "> size=", std::to_string(what.size)) : "";
  lines.push_back(cat("rejected ", what.stage, " ", to_text(what.reply), " helo=", client.helo, mail));
}

void RecordingObserver::odd(const smtpd::Client&, smtpd::Oddity oddity) {
  lines.push_back(cat("odd ", to_text(oddity)));
}

void RecordingObserver::broke_down(const std::string& what) { lines.push_back(cat("broke down ", what)); }

bool RecordingObserver::saw(std::string_view line_start) const {
  return std::ranges::any_of(lines, [=](const std::string& line) { return line.starts_with(line_start); });
}

Task<bool> TestClient::send(std::string bytes) {
  auto sent = co_await stream_->write(bytes, loop_.within(10min));
  co_return sent.has_value();
}

Task<void> TestClient::finish() {
  auto finished = co_await stream_->shut_down(loop_.within(1min));
  (void)finished;
}

Task<std::optional<std::string>> TestClient::line() {
  auto line = co_await reader_.line(4096, loop_.within(1h));
  if (!line) co_return std::nullopt;
  co_return line->text;
}

Task<std::string> TestClient::reply() {
  std::string whole;
  for (;;) {
    auto next = co_await line();
    if (!next) co_return whole;
    whole += *next;
    if (next->size() < 4 || (*next)[3] != '-') co_return whole;
    whole += '\n';
  }
}

Task<std::string> TestClient::rest() {
  std::string all;
  for (;;) {
    auto bytes = co_await reader_.some(loop_.within(1h));
    if (!bytes) co_return all;
    all += *bytes;
    reader_.consume(bytes->size());
  }
}

SmtpdRig::SmtpdRig() {
  options.hostname = "mx.test";
  options.domain = "test";
  options.token = "t0ken";
  wire.first_address = Endpoint::parse("127.0.0.1:25");
  wire.second_address = Endpoint::parse("127.0.0.1:40000");
}

TestClient SmtpdRig::connect() {
  io::MemoryPair pair = io::make_memory_pair(loop, wire);
  auto shared = std::make_shared<const smtpd::SessionOptions>(options);
  nursery.spawn(run_session({loop, sink, observer, stop}, std::move(shared), std::move(pair.first)));
  return TestClient(loop, std::move(pair.second));
}

std::string SmtpdRig::burst(std::string bytes) { return loop.run(burst_task(std::move(bytes))); }

Task<std::string> SmtpdRig::burst_task(std::string bytes) {
  TestClient client = connect();
  co_await client.send(std::move(bytes));
  co_await client.finish();
  std::string greeting = co_await client.reply();
  std::string replies = co_await client.rest();
  co_await nursery.drained({});
  co_return replies;
}

std::string SmtpdRig::only_content() const {
  CHECK(sink.mails().size() == 1);
  return sink.mails().size() == 1 ? below_received(sink.mails().front().content) : std::string();
}

std::string below_received(const std::string& content) {
  CHECK(content.starts_with("Received: "));
  std::size_t at = content.find("\r\n");
  while (at != content.npos && at + 2 < content.size() && is_blank(content[at + 2]))
    at = content.find("\r\n", at + 2);
  return at == content.npos ? std::string() : content.substr(at + 2);
}

}  // namespace hikyaku::test
