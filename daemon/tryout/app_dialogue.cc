// SPDX-License-Identifier: MIT
#include "daemon/tryout/app_dialogue.h"

#include <utility>
#include <vector>

#include "daemon/base/text.h"

namespace hikyaku::tryout {
namespace {

constexpr std::size_t kReplyLine = 4096;

std::string_view without_line_end(std::string_view line) { return line.substr(0, line.size() - 2); }

// The lines with their line ends; a line that begins with a dot gets another one before it.
std::vector<std::string> stuffed_lines(std::string_view content) {
  std::vector<std::string> lines;
  while (!content.empty()) {
    std::string_view line = content.substr(0, content.find("\r\n") + 2);
    lines.push_back(cat(line.starts_with('.') ? "." : "", line));
    content.remove_prefix(line.size());
  }
  return lines;
}

}  // namespace

AppDialogue::AppDialogue(io::Stream& stream, io::Until until, Show show)
    : stream_(stream), reader_(stream), until_(until), show_(std::move(show)) {}

Task<Result<std::string, IoError>> AppDialogue::submit(Message message) {
  auto greeting = co_await reply('2');
  if (!greeting) co_return greeting;
  const std::string commands[] = {"EHLO app.example.com", cat("MAIL FROM:<", message.sender, ">"),
                                  cat("RCPT TO:<", message.recipient, ">")};
  for (const std::string& command : commands) {
    auto taken = co_await say(command, '2');
    if (!taken) co_return taken;
  }
  auto go_on = co_await say("DATA", '3');
  if (!go_on) co_return go_on;
  auto queued = co_await send_content(std::move(message.content));
  if (!queued) co_return queued;
  auto bye = co_await say("QUIT", '2');
  if (!bye) co_return bye;
  co_return queued;
}

Task<Result<std::string, IoError>> AppDialogue::send_content(std::string content) {
  std::string all;
  for (const std::string& line : stuffed_lines(content)) {
    std::string_view text = without_line_end(line);
    show_(cat("C:", text.empty() ? "" : " ", text));
    all += line;
  }
  auto written = co_await stream_.write(all, until_);
  if (!written) co_return std::unexpected(written.error());
  auto queued = co_await say(".", '2');
  co_return queued;
}

Task<Result<std::string, IoError>> AppDialogue::say(std::string line, char wanted) {
  show_(cat("C: ", line));
  line += "\r\n";
  auto written = co_await stream_.write(line, until_);
  if (!written) co_return std::unexpected(written.error());
  auto answer = co_await reply(wanted);
  co_return answer;
}

Task<Result<std::string, IoError>> AppDialogue::reply(char wanted) {
  for (;;) {
    auto line = co_await reader_.line(kReplyLine, until_);
    if (!line) co_return std::unexpected(line.error());
    show_(cat("S: ", line->text));
    if (line->text.size() > 3 && line->text[3] == '-') continue;
    if (line->text.starts_with(wanted)) co_return std::move(line->text);
    co_return fail(IoErrorKind::system, cat("the server answered: ", printable(line->text)));
  }
}

}  // namespace hikyaku::tryout
