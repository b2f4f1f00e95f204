// SPDX-License-Identifier: MIT
#include "daemon/setup/target.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/mail/address.h"

namespace hikyaku::setup {
namespace {

using config::PasswordKind;
using config::Preset;
using mail::TlsMode;

Target of_preset(const Preset& preset, std::string_view host) {
  Target target{.preset = &preset, .host = std::string(host), .port = preset.port, .tls = preset.tls};
  target.words =
      cat("This is ", preset.title,
          host.empty() ? "" : cat(": ", describe_server(target.host, target.port, target.tls)), ".\n");
  return target;
}

Result<Target, std::string> of_probe(const std::string& host, const Probe& probe) {
  auto found = probe(host);
  if (!found) return std::unexpected(std::move(found.error()));
  const Preset* named = config::find_preset(found->preset);
  return Target{.preset = named != nullptr ? named : config::preset_of_host(found->host),
                .host = std::move(found->host),
                .port = found->port,
                .tls = found->tls,
                .offers_login = found->offers_login,
                .words = std::move(found->words),
                .doubt = std::move(found->doubt)};
}

Result<Target, std::string> of_address(std::string_view text, const Probe& probe) {
  auto path = mail::parse_path(text, {});
  if (!path || path->address != text)
    return std::unexpected("that is no mail address; it looks like me@example.com");
  const std::string domain = to_lower(mail::domain_of(text));
  const Preset* preset = config::preset_of_domain(domain);
  auto target = preset != nullptr ? of_preset(*preset, preset->host) : of_probe(domain, probe);
  if (target) target->address = text;
  return target;
}

Result<Target, std::string> of_url(std::string_view text) {
  auto url = config::parse_smarthost_url(text);
  if (!url) return std::unexpected(cat("a URL ", url.error()));
  if (url->is_direct)
    return std::unexpected(
        "`mx:` needs no log-in and no setup: write `smarthost: \"mx:\"` into the configuration");
  Target target{.preset = config::preset_of_host(url->host),
                .host = url->host,
                .port = url->port.value_or(config::default_port(url->mode)),
                .tls = url->mode};
  target.words = cat(describe_server(target.host, target.port, target.tls), ".\n");
  return target;
}

// A port says which TLS mode is usual there; without one, or with another, the host is looked at.
Result<Target, std::string> of_host(std::string_view text, const Probe& probe) {
  auto place = config::parse_host_port(text);
  if (!place)
    return std::unexpected("that is neither an address (me@example.com) nor a host (smtp.example.com)");
  if (const Preset* preset = config::preset_of_host(place->host)) return of_preset(*preset, place->host);
  auto mode = place->port ? config::default_tls_mode(*place->port) : std::nullopt;
  if (mode) return of_url(url_of(place->host, *place->port, *mode));
  if (place->port)
    return std::unexpected(cat("this port says nothing about TLS; answer smtps://", text,
                               " (TLS from the first byte) or submission://", text, " (STARTTLS)"));
  return of_probe(place->host, probe);
}

std::string_view scheme_of(TlsMode tls) {
  if (tls == TlsMode::implicit) return "smtps";
  return tls == TlsMode::starttls ? "submission" : "smtp";
}

}  // namespace

std::string url_of(const std::string& host, std::uint16_t port, TlsMode tls) {
  const std::string shown = host.find(':') == host.npos ? host : cat("[", host, "]");
  return cat(scheme_of(tls), "://", shown,
             port == config::default_port(tls) ? "" : cat(":", std::to_string(port)));
}

std::string describe_server(const std::string& host, std::uint16_t port, TlsMode tls) {
  const std::string_view how = tls == TlsMode::implicit   ? "TLS from the first byte"
                               : tls == TlsMode::starttls ? "STARTTLS"
                               : tls == TlsMode::none     ? "no TLS"
                                                          : "STARTTLS where it is offered";
  return cat(host, " port ", std::to_string(port), ", ", how);
}

std::string explain_obstacle(const Preset& preset) {
  const std::string help = preset.help.empty() ? "" : cat("\nSee ", preset.help);
  if (!preset.ended.empty()) return cat(preset.title, " has ended on ", preset.ended, ".", help);
  if (preset.password != PasswordKind::oauth2_only || !preset.oauth.empty()) return {};
  return cat(preset.title,
             " takes no passwords for SMTP: it wants OAuth2, and hikyaku does not know how it does that. ",
             preset.steps, help);
}

Result<Target, std::string> find_target(std::string_view answer, const Probe& probe) {
  answer = trim(answer);
  if (answer.find("://") != answer.npos || starts_with_ignoring_case(answer, "mx:")) return of_url(answer);
  if (answer.find('@') != answer.npos) return of_address(answer, probe);
  if (const Preset* preset = config::find_preset(answer)) return of_preset(*preset, preset->host);
  return of_host(answer, probe);
}

}  // namespace hikyaku::setup
