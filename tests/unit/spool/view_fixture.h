// SPDX-License-Identifier: MIT
// A spool that is looked at from outside, and the few steps of it.
#pragma once

#include "spool/view.h"
#include "tests/unit/spool/spool_fixture.h"
#include "tests/unit/spool/watched_disk.h"

namespace hikyaku::spool {

inline mail::Progress deferred(std::uint32_t attempts, std::string reply, Duration next_wait = 60s) {
  mail::Progress progress;
  progress.recipients = {{.state = mail::RecipientState::pending, .last_reply = std::move(reply)}};
  progress.attempts = attempts;
  progress.next_wait = next_wait;
  progress.reason = "not now";
  progress.smarthost = "main";
  return progress;
}

// All that a reader is handed of a mail's content; nothing of a damaged one.
struct ContentSeen {
  std::string bytes;
  std::optional<mail::SourceErrorKind> error;
};
inline ContentSeen content_of(View& view, mail::MailId id) {
  ContentSeen seen;
  auto read = view.read_content(id, [&](std::string_view piece) { return seen.bytes.append(piece), true; });
  if (!read) seen.error = read.error().kind;
  return seen;
}

struct ViewFixture : SpoolFixture {
  ViewFixture() { REQUIRE(start() == std::nullopt); }

  // `use` sees the spool as it is, and must not change it.
  void look(const std::function<void(View&)>& use, std::optional<mail::MailId> only = std::nullopt) {
    WatchedDisk watched(*disk);
    auto view = View::open(watched, only);
    REQUIRE(view);
    use(*view);
    CHECK(watched.changes() == 0);
  }
  std::string newest_segment() const { return "log/" + used_segments().back(); }
  std::vector<std::string> used_segments() const {
    std::vector<std::string> names;
    for (const std::string& name : *disk->list("log")) {
      auto header = decode_segment_header(disk->content("log/" + name).substr(0, kSegmentHeader)).header;
      if (header.state == SegmentState::in_use) names.push_back(name);
    }
    return names;
  }
  void flip(const std::string& path, std::uint64_t offset) {
    char byte = disk->content(path)[offset];
    disk->corrupt(path, offset, std::string(1, static_cast<char>(byte ^ 1)));
  }
};

}  // namespace hikyaku::spool
