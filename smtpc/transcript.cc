// SPDX-License-Identifier: MIT
#include "smtpc/transcript.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

using mail::Speaker;

constexpr std::size_t kFirstLines = 12;  // never left out

std::string shown(Speaker speaker, std::string_view text) {
  constexpr std::size_t kLongestShown = 4 * Passage::kLongestLine;  // each byte escaped
  return speaker == Speaker::nobody ? std::string(text) : printable(text, kLongestShown);
}

}  // namespace

void Passage::add(Duration after, Speaker speaker, std::string_view start, std::string_view text) {
  const bool is_cut = start.size() + text.size() > kLongestLine;
  start = start.substr(0, kLongestLine);
  text = text.substr(0, kLongestLine - start.size());
  const std::size_t length = start.size() + text.size();
  while (marks_.size() >= kMostLines || text_.size() + length > kMostBytes) leave_out_some();
  text_.append(start).append(text);
  marks_.push_back({after, static_cast<std::uint16_t>(length), speaker, is_cut});
}

void Passage::clear() {
  text_.clear();
  marks_.clear();
  left_out_ = 0;
}

// The older half of what is not the beginning. The first lines alone never fill the passage.
void Passage::leave_out_some() {
  const std::size_t count = (marks_.size() - kFirstLines + 1) / 2;
  const auto first = marks_.begin() + static_cast<std::ptrdiff_t>(kFirstLines);
  const auto last = first + static_cast<std::ptrdiff_t>(count);
  auto length_of = [](auto from, auto to) {
    std::size_t length = 0;
    for (; from != to; ++from) length += from->length;
    return length;
  };
  text_.erase(length_of(marks_.begin(), first), length_of(first, last));
  marks_.erase(first, last);
  left_out_ += count;
}

void Passage::append_to(std::vector<mail::Dialogue::Line>& lines) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    const Mark& mark = marks_[i];
    if (i == kFirstLines && left_out_ > 0)
      lines.push_back({mark.after, Speaker::nobody, cat("… ", std::to_string(left_out_), " lines left out")});
    std::string text = shown(mark.speaker, std::string_view(text_).substr(at, mark.length));
    lines.push_back({mark.after, mark.speaker, mark.is_cut ? text + "…" : std::move(text)});
    at += mark.length;
  }
}

void Transcript::say_into(Passage& passage, std::string_view commands) {
  const Duration after = age();
  while (!commands.empty()) {
    const std::size_t end = std::min(commands.find('\n'), commands.size());
    std::string_view line = commands.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    passage.add(after, Speaker::client, line);
    commands.remove_prefix(std::min(end + 1, commands.size()));
  }
}

// "AUTH PLAIN ***". Nothing else may be shown: what follows is the password, or made of it.
void Transcript::say_login(std::string_view command) {
  constexpr std::string_view kHidden = "***";
  if (!starts_with_ignoring_case(command, "AUTH ")) return current().add(age(), Speaker::client, kHidden);
  const auto words = hikyaku::words(command);
  const std::string_view mechanism = words.size() > 1 ? words[1] : "";
  current().add(age(), Speaker::client, cat("AUTH ", mechanism, words.size() > 2 ? cat(" ", kHidden) : ""));
}

void Transcript::hear(const mail::Reply& reply) {
  const Duration after = age();
  std::string start = std::to_string(reply.code) + "-";
  for (const std::string& line : reply.lines) {
    if (&line == &reply.lines.back()) start.back() = ' ';
    current().add(after, Speaker::server, start, line);
  }
}

void Transcript::begin_mail() {
  std::swap(mail_, ahead_);
  ahead_.clear();
  ++mails_;
}

std::vector<mail::Dialogue::Line> Transcript::lines() const {
  std::vector<mail::Dialogue::Line> lines;
  opening_.append_to(lines);
  if (mails_ > 1)
    lines.push_back({lines.empty() ? Duration{0} : lines.back().after, Speaker::nobody,
                     cat("… mails before this one: ", std::to_string(mails_ - 1))});
  mail_.append_to(lines);
  return lines;
}

}  // namespace hikyaku::smtpc
