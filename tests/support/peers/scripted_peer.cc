// SPDX-License-Identifier: MIT
#include "tests/support/peers/scripted_peer.h"

#include <utility>

#include "daemon/base/check.h"
#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kLongest = 1 << 20;

std::string unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      bytes += text[i];
      continue;
    }
    char c = text[++i];
    bytes += c == 'r' ? '\r' : c == 'n' ? '\n' : c == '0' ? '\0' : c;
  }
  return bytes;
}

}  // namespace

ScriptedPeer::ScriptedPeer(io::Loop& loop, std::string script, std::shared_ptr<io::TlsServer> tls)
    : loop_(loop), steps_(parse(script)), tls_(std::move(tls)) {}

std::vector<ScriptedPeer::Step> ScriptedPeer::parse(const std::string& script) {
  std::vector<Step> steps;
  auto add_send = [&](std::string bytes) {
    if (steps.empty() || steps.back().kind != Step::send) steps.push_back({Step::send, {}});
    steps.back().text += bytes;
  };
  for (std::string_view line : split(script, '\n')) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    std::string rest(line.substr(std::min<std::size_t>(3, line.size())));
    if (line.empty()) continue;
    if (line.starts_with("S:"))
      add_send(rest + "\r\n");
    else if (line.starts_with("R:"))
      add_send(unescape(rest));
    else if (line.starts_with("C:"))
      steps.push_back({Step::expect, rest});
    else if (line.starts_with("C*"))
      steps.push_back({Step::expect_prefix, rest});
    else if (line == "D:")
      steps.push_back({Step::content, {}});
    else if (line.starts_with("B "))
      steps.push_back({Step::chunk, std::string(line.substr(2))});
    else if (line == "TLS")
      steps.push_back({Step::tls, {}});
    else if (line == "CLOSE")
      steps.push_back({Step::close, {}});
    else if (line.starts_with("SLEEP "))
      steps.push_back({Step::sleep, std::string(line.substr(6))});
    else
      check(false, "no line of a script");
  }
  return steps;
}

Task<void> ScriptedPeer::play(io::StreamPtr stream) {
  stream_ = std::move(stream);
  reader_ = std::make_unique<io::LineReader>(*stream_);
  bool goes_on = true;
  for (const Step& step : steps_) {
    goes_on = co_await take(step);
    if (!goes_on) break;
  }
  if (goes_on) co_await hear_to_the_end();
  reader_.reset();
  stream_.reset();
}

Task<bool> ScriptedPeer::take(const Step& step) {
  switch (step.kind) {
    case Step::send: {
      [[maybe_unused]] auto written = co_await stream_->write(step.text, {});
      co_return true;
    }
    case Step::expect:
    case Step::expect_prefix: {
      auto expected = co_await expect(step);
      co_return expected;
    }
    case Step::content: {
      auto read = co_await read_content();
      co_return read;
    }
    case Step::chunk: {
      auto read = co_await read_chunk(parse_number(step.text).value());
      co_return read;
    }
    case Step::tls: {
      auto shaken = co_await shake_hands();
      co_return shaken;
    }
    case Step::sleep: {
      [[maybe_unused]] auto slept =
          co_await sleep_until(loop_, loop_.within(std::chrono::seconds(parse_number(step.text).value())));
      co_return true;
    }
    case Step::close: co_return false;
  }
  co_return false;
}

Task<bool> ScriptedPeer::expect(const Step& step) {
  auto line = co_await reader_->line(kLongest, {});
  if (!line) co_return fail(cat("expected \"", step.text, "\", got: ", line.error().text));
  heard_.push_back(line->text);
  bool fits = step.kind == Step::expect ? line->text == step.text : line->text.starts_with(step.text);
  if (fits && line->end == io::LineEnd::crlf) co_return true;
  co_return fail(cat("expected \"", step.text, "\", got \"", line->text, "\""));
}

Task<bool> ScriptedPeer::read_content() {
  std::string content;
  while (!content.ends_with("\r\n.\r\n") && content != ".\r\n") {
    auto line = co_await reader_->line(kLongest, {});
    if (!line) {
      contents_.push_back(std::move(content));
      co_return fail(cat("content broke off: ", line.error().text));
    }
    content += cat(line->text, line->end == io::LineEnd::crlf ? "\r\n" : "\n");
  }
  contents_.push_back(std::move(content));
  co_return true;
}

Task<bool> ScriptedPeer::read_chunk(std::size_t size) {
  std::string content;
  while (content.size() < size) {
    auto bytes = co_await reader_->some({});
    if (!bytes) {
      contents_.push_back(std::move(content));
      co_return fail(cat("the chunk broke off: ", bytes.error().text));
    }
    std::size_t length = std::min(size - content.size(), bytes->size());
    content += bytes->substr(0, length);
    reader_->consume(length);
  }
  contents_.push_back(std::move(content));
  co_return true;
}

Task<bool> ScriptedPeer::shake_hands() {
  check(tls_ != nullptr, "a script with TLS needs a TlsServer");
  if (!reader_->is_empty()) co_return fail("bytes before the TLS handshake");
  auto encrypted = co_await tls_->accept(std::move(stream_), {});
  if (!encrypted) co_return false;  // the client sees why
  stream_ = std::move(*encrypted);
  reader_->switch_to(*stream_);
  co_return true;
}

Task<void> ScriptedPeer::hear_to_the_end() {
  for (;;) {
    auto line = co_await reader_->line(kLongest, {});
    if (!line) break;
    heard_.push_back(line->text);
    fail(cat("nothing was expected, got \"", line->text, "\""));
  }
  if (!reader_->is_empty()) fail(cat("nothing was expected, got \"", printable(reader_->buffered()), "\""));
}

bool ScriptedPeer::fail(std::string what) {
  if (problem_.empty()) problem_ = std::move(what);
  return false;
}

}  // namespace hikyaku::test
