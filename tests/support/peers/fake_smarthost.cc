// SPDX-License-Identifier: MIT
#include "tests/support/peers/fake_smarthost.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::test {

Task<Result<io::StreamPtr, mail::Failure>> FakeConnector::dial(const mail::Smarthost& smarthost, io::Until) {
  FakeSmarthost& host = (*this)[smarthost.direct ? smarthost.host : smarthost.name];
  ++host.dials;
  host.last_dial = loop_.now();
  if (host.unreachable) co_return std::unexpected(*host.unreachable);
  if (host.is_down)
    co_return std::unexpected(mail::make_failure(smarthost, mail::Stage::connect,
                                                 IoError{IoErrorKind::refused, "connection refused"}));
  io::MemoryPairOptions options;
  options.first_address = Endpoint::parse("127.0.0.1:40000");
  options.second_address = Endpoint::parse("127.0.0.1:587");
  auto pair = io::make_memory_pair(loop_, options);
  nursery_.spawn(host.serve(std::move(pair.second)));
  co_return std::move(pair.first);
}

std::string FakeSmarthost::good_reply(const std::string& line) const {
  if (line.empty()) return "220 smarthost.example ready";
  if (line.starts_with("EHLO")) return "250-smarthost.example\r\n" + keywords.substr(0, keywords.size() - 2);
  if (line.starts_with("AUTH")) return "235 2.7.0 welcome";
  if (line == "DATA") return "354 go ahead";
  if (line == "QUIT") return "221 2.0.0 bye";
  return line == "." ? "250 2.0.0 Ok: queued as FAKE" : "250 2.1.0 Ok";
}

Task<bool> FakeSmarthost::obey(io::Stream& stream, io::LineReader& reader, const std::string& line,
                               ReceivedMail& mail) {
  if (latency > Duration{0}) co_await io::sleep_until(loop_, loop_.within(latency));
  if (breaks_off) co_return false;
  if (line.starts_with("AUTH")) ++logins;
  std::string reply = line == "." ? judge(mail) : "";
  if (reply.empty()) reply = answer(line);
  bool is_late = line == "DATA" || line.starts_with("RCPT");  // pipelined behind a MAIL that was refused
  if (line == "DATA" && mail.recipients.empty()) reply = "554 5.5.1 no valid recipients";
  if (is_late && !mail.is_open) reply = "503 5.5.1 MAIL first";
  bool refused = reply.starts_with('4') || reply.starts_with('5');
  if (line.starts_with("MAIL") || line == ".") mail.is_open = line != "." && !refused;
  if (line.starts_with("MAIL FROM:<"))
    mail = {line.substr(11, line.find('>') - 11), {}, {}, mail.is_open, {}};
  if (line.starts_with("RCPT TO:<") && !refused)
    mail.recipients.push_back(line.substr(9, line.find('>') - 9));
  mail.at = loop_.now();
  if (line == "." && !refused) mails.push_back(mail);
  if (reply == "HANG UP") co_return false;
  if (reply == "STALL") {
    [[maybe_unused]] auto end = co_await reader.line(4096, {});
    co_return false;
  }
  if (reply.empty()) reply = good_reply(line);
  auto written = co_await stream.write(reply + "\r\n", {});
  if (!written || line == "QUIT") co_return false;
  if (line != "DATA" || !reply.starts_with("354")) co_return true;
  for (;;) {
    auto content = co_await reader.line(1 << 20, {});
    if (!content) co_return false;
    if (content->text == ".") break;
    mail.content += content->text + "\r\n";
  }
  bool has_company = !reader.buffered().empty();
  companions += has_company;
  auto more = co_await obey(stream, reader, ".", mail);
  co_return more && !(has_company && minds_company);
}

Task<void> FakeSmarthost::serve(io::StreamPtr stream) {
  most_open = std::max(most_open, ++open);
  io::LineReader reader(*stream);
  ReceivedMail mail;
  auto going = co_await obey(*stream, reader, "", mail);
  while (going) {
    auto line = co_await reader.line(4096, {});
    if (!line) break;
    going = co_await obey(*stream, reader, line->text, mail);
  }
  --open;
}

}  // namespace hikyaku::test
