// SPDX-License-Identifier: MIT
#include "daemon/config/hostname.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/config/read_file.h"

namespace hikyaku::config {
namespace {

constexpr std::chrono::seconds kLookupLimit(3);

bool is_usable(std::string_view name) { return is_host_name(name) && !is_localhost(name); }

std::string_view first_line(std::string_view text) { return trim(text.substr(0, text.find('\n'))); }

// Of "127.0.1.1 app1.example.com app1" the full name, given the short one; Debian's installer writes such a
// line.
std::string_view full_name_in_hosts(std::string_view hosts_file, std::string_view short_name) {
  for (std::string_view line : split(hosts_file, '\n')) {
    auto names = words(line.substr(0, line.find('#')));
    if (names.empty()) continue;
    names.erase(names.begin());
    if (std::ranges::find(names, short_name) == names.end()) continue;
    auto full = std::ranges::find_if(names, is_full_name);
    if (full != names.end()) return *full;
  }
  return {};
}

std::string resolved(const NameSources& sources, std::string_view short_name) {
  std::string full = sources.full_name ? sources.full_name(std::string(short_name)) : "";
  return is_full_name(full) ? full : "";
}

std::string text_of(const char* path) {
  auto file = read_file(path);
  return file ? file->text : "";
}

std::string canonical_name(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return {};
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  std::string full = found->ai_canonname != nullptr ? found->ai_canonname : "";
  if (full.ends_with('.')) full.pop_back();
  return full;
}

// getaddrinfo(3) cannot be cancelled, so it runs on a thread that is left behind after the time-out.
std::string canonical_name_in_time(const std::string& name) {
  auto answer = std::make_shared<std::promise<std::string>>();
  std::future<std::string> full = answer->get_future();
  try {
    std::thread([answer, name] { answer->set_value(canonical_name(name)); }).detach();
  } catch (const std::system_error&) {
    return {};
  }
  return full.wait_for(kLookupLimit) == std::future_status::ready ? full.get() : "";
}

bool is_label(std::string_view label) {
  bool plain =
      std::ranges::all_of(label, [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; });
  return plain && !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-';
}

bool is_bracketed(std::string_view text) { return text.starts_with('[') && text.ends_with(']'); }

}  // namespace

bool is_full_name(std::string_view name) { return is_usable(name) && name.find('.') != name.npos; }

std::string choose_hostname(const NameSources& sources) {
  std::string_view file = first_line(sources.hostname_file);
  if (is_full_name(sources.kernel)) return sources.kernel;
  if (is_full_name(file)) return std::string(file);
  std::string_view short_name = is_usable(sources.kernel) ? std::string_view(sources.kernel) : file;
  bool has_name = is_usable(short_name);
  if (has_name)
    if (auto full = full_name_in_hosts(sources.hosts_file, short_name); !full.empty())
      return std::string(full);
  if (std::string mail_name = choose_mail_name(sources.mailname_file); !mail_name.empty()) return mail_name;
  if (!has_name) return "[127.0.0.1]";
  std::string full = resolved(sources, short_name);
  return full.empty() ? std::string(short_name) : full;
}

std::string choose_mail_name(std::string_view mailname_file) {
  std::string_view name = first_line(mailname_file);
  return is_full_name(name) ? std::string(name) : "";
}

std::string default_hostname() {
  utsname names{};
  return choose_hostname({.kernel = ::uname(&names) == 0 ? names.nodename : "",
                          .hostname_file = text_of("/etc/hostname"),
                          .hosts_file = text_of("/etc/hosts"),
                          .mailname_file = text_of("/etc/mailname"),
                          .full_name = canonical_name_in_time});
}

std::string default_mail_name() { return choose_mail_name(text_of("/etc/mailname")); }

bool is_host_name(std::string_view text) {
  auto labels = split(text, '.');
  // An all-digit last label is a broken address, not a name (RFC 1123 2.1).
  return text.size() <= 253 && std::ranges::all_of(labels, is_label) &&
         !std::ranges::all_of(labels.back(), [](char c) { return is_digit(c); });
}

bool is_localhost(std::string_view name) {
  return equals_ignoring_case(name, "localhost") || starts_with_ignoring_case(name, "localhost.");
}

std::optional<std::string> parse_host(std::string_view text) {
  if (is_bracketed(text)) text = text.substr(1, text.size() - 2);
  if (auto address = IpAddress::parse(text)) return address->to_text();
  if (is_host_name(text)) return to_lower(text);
  return std::nullopt;
}

bool is_exact_host(std::string_view text) {
  auto host = parse_host(text);
  return host && (text.starts_with('[') || IpAddress::parse(*host));
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  static constexpr std::pair<std::string_view, std::uint16_t> kServices[] = {
      {"smtp", 25}, {"submission", 587}, {"submissions", 465}, {"smtps", 465}, {"ssmtp", 465}};
  for (const auto& [name, port] : kServices)
    if (equals_ignoring_case(text, name)) return port;
  auto number = parse_number(text);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  if (auto host = parse_host(text)) return HostPort{*host, std::nullopt};
  std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view name = text.substr(0, colon);
  auto host = parse_host(name);
  auto port = parse_port(text.substr(colon + 1));
  bool is_bare_v6 = name.find(':') != name.npos && !is_bracketed(name);
  if (!host || !port || is_bare_v6) return std::nullopt;
  return HostPort{*host, port};
}

}  // namespace hikyaku::config
