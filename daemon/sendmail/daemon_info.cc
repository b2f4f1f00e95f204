// SPDX-License-Identifier: MIT
#include "daemon/sendmail/daemon_info.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/sendmail/input.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::string_view kMagic = "hikyaku-sendmail 1";
constexpr std::size_t kLongest = 64 * 1024;

// Values from the file become part of SMTP lines and of messages to users.
bool is_plain(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f; });
}

void set_text(DaemonInfo& info, std::string_view key, std::string_view value) {
  const std::pair<std::string_view, std::string*> texts[] = {{"submit_socket", &info.submit_socket},
                                                             {"control_socket", &info.control_socket},
                                                             {"drop", &info.drop},
                                                             {"listen", &info.listen},
                                                             {"hostname", &info.hostname},
                                                             {"domain", &info.domain},
                                                             {"aliases", &info.aliases},
                                                             {"local_mail", &info.local_mail}};
  const auto* found = std::ranges::find(texts, key, [](const auto& text) { return text.first; });
  if (found == std::end(texts)) return;
  bool is_path = found->second->starts_with('/');
  if (is_path ? value.starts_with('/') : is_plain(value)) *found->second = value;
}

void set(DaemonInfo& info, std::string_view key, std::string_view value) {
  auto number = parse_number(value);
  if (key == "max_size" && number) info.max_size = *number;
  if (key == "max_recipients" && number && *number > 0) info.max_recipients = *number;
  if (key == "min_free" && number) info.min_free = *number;
  set_text(info, key, value);
}

}  // namespace

std::optional<DaemonInfo> parse_daemon_info(std::string_view text) {
  auto lines = split(text, '\n');
  if (lines.front() != kMagic) return std::nullopt;
  DaemonInfo info;
  for (std::string_view line : lines) {
    std::size_t blank = std::min(line.find(' '), line.size());
    set(info, line.substr(0, blank), trim(line.substr(blank)));
  }
  return info;
}

DaemonInfo find_daemon_info(const std::string& path) {
  if (!path.empty())
    if (auto info = parse_daemon_info(read_regular_file(path, kLongest).value_or(""))) return *info;
  return parse_daemon_info(read_regular_file(std::string(kDaemonInfoFile), kLongest).value_or(""))
      .value_or(DaemonInfo());
}

}  // namespace hikyaku::sendmail
