// SPDX-License-Identifier: MIT
// What was said on a connection to a smarthost, for the operator who looks at a failure: commands, replies, and what
// happened between them, each with its time. Its maker (smtpc/transcript.h) bounds it, and keeps out of it every
// password, whatever a log-in sends, and the content of messages. A plain value, as JSON, and as text for people.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/mail/failure.h"

namespace hikyaku::mail {

enum class Speaker : std::uint8_t { client, server, nobody };  // nobody: what happened meanwhile

struct Dialogue {
  struct Line {
    Duration after{0};  // since `began`
    Speaker speaker = Speaker::nobody;
    std::string text{};  // printable
    bool operator==(const Line&) const = default;
  };
  WallTime began{};         // when the connection was made, or could not be made
  std::string smarthost{};  // its name
  std::string host{};       // for direct delivery the server's name, or the domain
  std::uint16_t port = 0;
  std::string address{};      // "192.0.2.1:587", also if nobody was there; or empty
  std::string failure{};      // diagnose(): for operators only
  std::vector<Line> lines{};  // empty: there was no connection
  bool operator==(const Dialogue&) const = default;
};
using DialoguePtr = std::shared_ptr<const Dialogue>;

// One that has ended with this failure.
Dialogue dialogue_before(const Failure& failure, WallTime began, std::vector<Dialogue::Line> lines);

// Approximately; its place in memory included.
std::size_t bytes_of(const Dialogue& dialogue);

// {"began","smarthost","host","port","address","failure","lines":[{"after_ms","from","text"}]}; `from` is "client",
// "server" or null.
JsonObject to_object(const Dialogue& dialogue);
// What to_object() wrote, with times in whole milliseconds; nullopt: it is something else.
std::optional<Dialogue> parse_dialogue(const JsonValue& json);
// Several lines, each with its line end: where and when, the dialogue, and how it ended.
std::string to_text(const Dialogue& dialogue);

}  // namespace hikyaku::mail
