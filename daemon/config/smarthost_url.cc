// SPDX-License-Identifier: MIT
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/host.h"
#include "daemon/config/smarthost_draft.h"

namespace hikyaku::config {
namespace {

using mail::TlsMode;

constexpr std::string_view kForms =
    "smtps://HOST (implicit TLS, 465), submission://HOST (STARTTLS, 587) or smtp://HOST (25)";

std::optional<TlsMode> mode_of(std::string_view scheme) {
  static constexpr std::pair<std::string_view, TlsMode> kSchemes[] = {{"smtps", TlsMode::implicit},
                                                                      {"submissions", TlsMode::implicit},
                                                                      {"submission", TlsMode::starttls},
                                                                      {"smtp", TlsMode::opportunistic}};
  for (const auto& [name, mode] : kSchemes)
    if (equals_ignoring_case(scheme, name)) return mode;
  return std::nullopt;
}

}  // namespace

Result<SmarthostUrl, std::string> parse_smarthost_url(std::string_view url) {
  if (url.find('@') != url.npos)
    return std::unexpected(
        "must not hold a user or a password: this file may be read by others; put them into the authinfo "
        "file, as "
        "`machine HOST login USER password PASSWORD`");
  std::size_t end = url.find("://");
  auto mode = end == url.npos ? std::nullopt : mode_of(url.substr(0, end));
  if (!mode) return std::unexpected(cat("must be ", kForms));
  std::string_view place = url.substr(end + 3);
  if (place.ends_with('/')) place.remove_suffix(1);
  if (place.find_first_of("/?#") != place.npos)
    return std::unexpected("must end after the host and port: there is no path in it");
  auto target = parse_host_port(place);
  if (!target)
    return std::unexpected(
        "must name a host, such as smtp.example.com, [smtp.example.com], 192.0.2.1 or [2001:db8::1], and "
        "after it at "
        "most :PORT");
  return SmarthostUrl{*mode, target->host, target->port};
}

std::uint16_t default_port(TlsMode mode) {
  if (mode == TlsMode::implicit) return 465;
  return mode == TlsMode::starttls ? 587 : 25;
}

std::optional<TlsMode> default_tls_mode(std::uint16_t port) {
  switch (port) {
    case 465: return TlsMode::implicit;
    case 587: return TlsMode::starttls;
    case 25: return TlsMode::opportunistic;
    default: return std::nullopt;
  }
}

}  // namespace hikyaku::config
