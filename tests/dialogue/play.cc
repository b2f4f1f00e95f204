// SPDX-License-Identifier: MIT
#include "tests/dialogue/play.h"

#include "daemon/base/text.h"
#include "tests/support/peers/smtpd_rig.h"

namespace hikyaku::test {
namespace {

std::string at_line(std::size_t line, std::string_view wanted, std::string_view got) {
  return cat("line ", std::to_string(line), ": wanted \"", printable(wanted), "\", got \"", printable(got),
             "\"");
}

void set_option(smtpd::Limits& limits, std::string_view name, std::uint64_t value) {
  if (name == "max_size") limits.max_size = value;
  if (name == "max_recipients") limits.max_recipients = value;
  if (name == "max_hops") limits.max_hops = static_cast<unsigned>(value);
  if (name == "errors") limits.errors = value;
  if (name == "commands") limits.commands = value;
}

void set_failure(MemorySink& sink, std::string_view text) {
  auto parts = words(text);
  sink.failures = {};
  if (parts.size() != 2) return;
  auto kind = parts[0] == "no_space"       ? mail::SinkErrorKind::no_space
              : parts[0] == "write_failed" ? mail::SinkErrorKind::write_failed
                                           : mail::SinkErrorKind::shutting_down;
  if (parts[1] == "may_accept") sink.failures.may_accept = kind;
  if (parts[1] == "begin") sink.failures.begin = kind;
  if (parts[1] == "write") sink.failures.write = kind;
  if (parts[1] == "commit") sink.failures.commit = kind;
}

std::string to_text(const mail::Recipient& recipient) {
  std::string text = recipient.address;
  if (!recipient.notify.is_absent()) text += cat(" NOTIFY=", mail::to_text(recipient.notify));
  if (!recipient.orcpt.empty()) text += cat(" ORCPT=", recipient.orcpt);
  return text;
}

std::string to_text(const mail::Envelope& envelope) {
  std::string text = cat("<", envelope.sender, ">");
  if (envelope.ret != mail::Ret::absent) text += envelope.ret == mail::Ret::full ? " RET=FULL" : " RET=HDRS";
  if (!envelope.envid.empty()) text += cat(" ENVID=", envelope.envid);
  if (envelope.body != mail::Body::absent)
    text += envelope.body == mail::Body::seven_bit ? " BODY=7BIT" : " BODY=8BITMIME";
  if (envelope.smtputf8) text += " SMTPUTF8";
  std::vector<std::string> recipients;
  for (const auto& recipient : envelope.recipients) recipients.push_back(to_text(recipient));
  return cat(text, " -> ", join(recipients, ", "));
}

std::string compare(const ExpectedMail& wanted, const StoredMail& got) {
  std::string envelope = to_text(got.envelope);
  if (wanted.envelope != envelope) return at_line(wanted.line, wanted.envelope, envelope);
  std::string content = below_received(got.content);
  if (!content.ends_with("\r\n")) return at_line(wanted.line, "content that ends with CR LF", content);
  std::string_view rest = content;
  std::size_t line = wanted.line;
  for (const std::string& pattern : wanted.lines) {
    std::size_t end = std::min(rest.find("\r\n"), rest.size());
    if (++line; rest.empty() || !matches(pattern, rest.substr(0, end)))
      return at_line(line, pattern, rest.substr(0, end));
    rest.remove_prefix(end + 2);
  }
  return rest.empty() ? std::string() : at_line(line, "no more content", rest);
}

std::string compare(const Script& script, const std::vector<StoredMail>& mails) {
  for (std::size_t i = 0; i < script.mails.size() && i < mails.size(); ++i) {
    std::string failure = compare(script.mails[i], mails[i]);
    if (!failure.empty()) return failure;
  }
  if (script.mails.size() == mails.size()) return {};
  return cat("wanted ", std::to_string(script.mails.size()), " mails, got ", std::to_string(mails.size()));
}

Task<std::string> expect_line(TestClient& client, const Step& step) {
  auto got = co_await client.line();
  bool good = got && matches(step.text, *got);
  co_return good ? std::string() : at_line(step.line, step.text, got.value_or("the end"));
}

Task<std::string> expect_reply(TestClient& client, const Step& step) {
  std::string got = co_await client.reply();
  for (std::string_view line : split(got, '\n'))
    if (!line.starts_with(step.text)) co_return at_line(step.line, step.text, got);
  co_return std::string();
}

Task<std::string> expect_end(TestClient& client, const Step& step) {
  std::string got = co_await client.rest();
  co_return got.empty() ? std::string() : at_line(step.line, "the end", got);
}

Task<std::string> take_step(SmtpdRig& rig, TestClient& client, const Step& step) {
  std::string failure;
  switch (step.kind) {
    case StepKind::send: co_await client.send(step.text); break;
    case StepKind::half_close: co_await client.finish(); break;
    case StepKind::sink: set_failure(rig.sink, step.text); break;
    case StepKind::expect_line: failure = co_await expect_line(client, step); break;
    case StepKind::expect_reply: failure = co_await expect_reply(client, step); break;
    case StepKind::expect_end: failure = co_await expect_end(client, step); break;
    case StepKind::log: break;  // at the end
  }
  co_return failure;
}

Task<std::string> take_steps(SmtpdRig& rig, const Script& script) {
  std::string failure;
  {
    TestClient client = rig.connect();
    for (const Step& step : script.steps) {
      failure = co_await take_step(rig, client, step);
      if (!failure.empty()) break;
    }
    co_await client.finish();
    std::string rest = co_await client.rest();
    if (failure.empty() && !rest.empty()) failure = cat("unexpected at the end: ", printable(rest));
  }
  co_await rig.nursery.drained({});
  co_return failure;
}

std::string compare_log(const Script& script, const RecordingObserver& observer) {
  for (const Step& step : script.steps)
    if (step.kind == StepKind::log && !observer.saw(step.text))
      return at_line(step.line, step.text, join(observer.lines, "; "));
  return {};
}

}  // namespace

std::string play(const Script& script, std::size_t segment) {
  if (!script.problem.empty()) return script.problem;
  SmtpdRig rig;
  for (const auto& [name, value] : script.options) set_option(rig.options.limits, name, value);
  rig.wire.largest_read = segment;
  std::string failure = rig.loop.run(take_steps(rig, script));
  if (failure.empty()) failure = compare(script, rig.sink.mails());
  if (failure.empty()) failure = compare_log(script, rig.observer);
  return failure;
}

}  // namespace hikyaku::test
