// SPDX-License-Identifier: MIT
#include "daemon/mail/dialogue.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/diagnosis.h"

namespace hikyaku::mail {
namespace {

constexpr std::size_t kLongestShown = 8192;

std::optional<std::string_view> name_of(Speaker speaker) {
  switch (speaker) {
    case Speaker::client: return "client";
    case Speaker::server: return "server";
    case Speaker::nobody: break;
  }
  return std::nullopt;
}

Speaker speaker_named(std::string_view name) {
  return name == "client" ? Speaker::client : name == "server" ? Speaker::server : Speaker::nobody;
}

std::uint64_t milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()));
}

std::string visible(std::string_view text) { return still_printable(text, kLongestShown); }

// Seconds with three places: "   12.003".
std::string seconds_column(Duration after) {
  constexpr std::size_t kWidth = 9;
  const std::uint64_t all = milliseconds(after);
  std::string fraction = std::to_string(all % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  std::string text = cat(std::to_string(all / 1000), ".", fraction);
  text.insert(0, kWidth - std::min(kWidth, text.size()), ' ');
  return text;
}

std::string line_text(const Dialogue::Line& line) {
  const std::string_view arrow = line.speaker == Speaker::client   ? " -> "
                                 : line.speaker == Speaker::server ? " <- "
                                                                   : " -- ";
  return cat(seconds_column(line.after), arrow, visible(line.text), "\n");
}

}  // namespace

Dialogue dialogue_before(const Failure& failure, WallTime began, std::vector<Dialogue::Line> lines) {
  return {.began = began,
          .smarthost = failure.smarthost,
          .host = failure.host,
          .port = failure.port,
          .address = failure.address,
          .failure = diagnose(failure),
          .lines = std::move(lines)};
}

std::size_t bytes_of(const Dialogue& dialogue) {
  std::size_t bytes = sizeof dialogue + dialogue.smarthost.size() + dialogue.host.size() +
                      dialogue.address.size() + dialogue.failure.size();
  for (const Dialogue::Line& line : dialogue.lines) bytes += sizeof line + line.text.size();
  return bytes;
}

JsonObject to_object(const Dialogue& dialogue) {
  JsonList lines;
  for (const Dialogue::Line& line : dialogue.lines)
    lines.add(JsonObject()
                  .add("after_ms", milliseconds(line.after))
                  .add("from", name_of(line.speaker))
                  .add("text", line.text));
  return JsonObject()
      .add("began", dialogue.began)
      .add("smarthost", dialogue.smarthost)
      .add("host", dialogue.host)
      .add("port", dialogue.port)
      .add("address", unless_empty(dialogue.address))
      .add("failure", dialogue.failure)
      .add("lines", lines);
}

std::optional<Dialogue> parse_dialogue(const JsonValue& json) {
  const auto began = parse_rfc3339(json.text_of("began"));
  if (!began) return std::nullopt;
  Dialogue dialogue{.began = *began,
                    .smarthost = json.text_of("smarthost"),
                    .host = json.text_of("host"),
                    .port = static_cast<std::uint16_t>(json.whole_number_of("port")),
                    .address = json.text_of("address"),
                    .failure = json.text_of("failure")};
  for (const JsonValue& line : json.list_of("lines"))
    dialogue.lines.push_back({std::chrono::milliseconds(line.whole_number_of("after_ms")),
                              speaker_named(line.text_of("from")), line.text_of("text")});
  return dialogue;
}

std::string to_text(const Dialogue& dialogue) {
  std::string text = cat("  ", to_rfc3339(dialogue.began), " with ", visible(dialogue.smarthost), ", ",
                         visible(dialogue.host), " port ", std::to_string(dialogue.port));
  if (!dialogue.address.empty()) text += cat(" (", visible(dialogue.address), ")");
  text += dialogue.lines.empty() ? ", without a connection\n" : "\n";
  for (const Dialogue::Line& line : dialogue.lines) text += line_text(line);
  return cat(text, "  failed: ", visible(dialogue.failure), "\n");
}

}  // namespace hikyaku::mail
