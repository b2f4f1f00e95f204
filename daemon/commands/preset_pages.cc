// SPDX-License-Identifier: MIT
#include "daemon/commands/preset_pages.h"

#include <algorithm>
#include <vector>

#include "daemon/base/columns.h"
#include "daemon/base/text.h"

namespace hikyaku::commands {
namespace {

using config::Preset;
using config::SenderDemand;
using mail::TlsMode;

std::string padded(std::string_view text, std::size_t width) {
  return left_aligned(std::string(text), width);
}

std::vector<std::string> regions_of(const Preset& family) {
  std::vector<std::string> names;
  for (const Preset& preset : config::presets())
    if (preset.family == family.name) names.emplace_back(preset.name);
  return names;
}

std::string server_of(const Preset& preset) {
  const std::string_view host = preset.host.empty() ? words(preset.hosts).front() : preset.host;
  return cat(host, ":", std::to_string(preset.port));
}

struct TableRow {
  std::string name, title, server, sender, password;
};

TableRow row_of(const Preset& preset) {
  TableRow row{std::string(preset.name), std::string(preset.title), cat("ended on ", preset.ended), "-", "-"};
  if (!preset.ended.empty()) return row;
  if (const std::size_t regions = regions_of(preset).size(); regions > 0)
    row.title += cat(" (", std::to_string(regions), regions == 1 ? " region)" : " regions)");
  row.server = server_of(preset);
  row.sender = word_of(preset.demand);
  row.password = word_of(preset.password);
  return row;
}

std::string table_text(const std::vector<TableRow>& rows, bool has_servers) {
  std::size_t title = 0, server = 0, sender = 0;
  for (const TableRow& row : rows) {
    title = std::max(title, row.title.size() + 2);
    server = std::max(server, row.server.size() + 2);
    sender = std::max(sender, row.sender.size() + 2);
  }
  std::string text;
  for (const TableRow& row : rows)
    text += cat(padded(row.name, 14), padded(row.title, title), has_servers ? padded(row.server, server) : "",
                padded(row.sender, sender), row.password, "\n");
  return text;
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  for (std::string_view line : split(text, '\n')) widest = std::max(widest, columns_of(line));
  return widest;
}

// "  server    smtp.gmail.com", and further lines below the text.
std::string fact(std::string_view label, std::string_view text) {
  constexpr std::size_t kWidth = 96;
  std::string lines, line;
  for (std::string_view word : words(text)) {
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
      lines += cat(padded(lines.empty() ? label : "", 10), line, "\n  ");
      line.clear();
    }
    line += cat(line.empty() ? "" : " ", word);
  }
  return text.empty() ? "" : cat("  ", lines, padded(lines.empty() ? label : "", 10), line, "\n");
}

std::string_view tls_words(TlsMode mode) {
  switch (mode) {
    case TlsMode::implicit: return "TLS from the first byte";
    case TlsMode::starttls: return "STARTTLS";
    case TlsMode::opportunistic: return "STARTTLS where it is offered";
    case TlsMode::none: break;
  }
  return "no TLS";
}

std::string sender_words(const Preset& preset) {
  const std::string takes = cat("takes ", to_text(preset.demand));
  if (preset.demand != SenderDemand::account) return takes;
  return cat(
      takes,
      "; so all mail leaves with the address in `user`, and the one that was there goes into Reply-To. "
      "`from: ADDRESS` names another address, `rewrite: {unless: [ADDRESS]}` senders that stay as they "
      "are (\"*\": all of them)");
}

std::string own_address_of(const Preset& preset) {
  const auto domains = words(preset.domains);
  return cat("me@", domains.empty() ? "example.com" : domains.front());
}

// The user in the examples: one that everybody has, an address, or a word to replace.
std::string user_of(const Preset& preset) {
  if (!preset.user.empty()) return std::string(preset.user);
  return preset.user_hint.empty() ? own_address_of(preset) : "USER";
}

std::string host_to_paste(const Preset& preset) {
  if (!preset.host.empty()) return std::string(preset.host);
  std::string host(words(preset.hosts).front());
  if (const std::size_t star = host.find('*'); star != host.npos)
    host.replace(star, 1, host.starts_with('*') ? "example" : host.contains("amazonaws") ? "eu-west-1" : "1");
  return host;
}

std::string where_to_write(const Preset& preset) {
  if (preset.password == config::PasswordKind::oauth2_only)
    return cat("\n`hikyaku setup --host ", preset.name,
               "` writes the rest; or write this into /etc/hikyaku/hikyaku.yaml,\n"
               "and run `hikyaku oauth login`:\n\nsmarthost:\n  preset: ",
               preset.name, "\n  user: ", user_of(preset), "\n  oauth: {provider: ", preset.oauth,
               ", client_id: ID}\n");
  return cat("\nIn /etc/hikyaku/hikyaku.yaml, instead of `smarthost`:\n\n", preset_yaml(preset),
             "\nIn /etc/hikyaku/authinfo (or: hikyaku authinfo add ", host_to_paste(preset), "):\n\nmachine ",
             host_to_paste(preset), " login ", user_of(preset), " password PASSWORD\n");
}

std::string limits_of(const Preset& preset) {
  std::vector<std::string> limits;
  for (const config::PresetValue& value : preset_values(preset))
    for (std::string_view key : {"connections", "messages_per_connection", "rate"})
      if (value.key == key) limits.push_back(cat(value.key, ": ", value.value));
  return join(limits, ", ");
}

}  // namespace

std::string preset_table(std::optional<std::size_t> width) {
  std::vector<TableRow> rows{{"NAME", "PROVIDER", "SERVER", "SENDER", "PASSWORD"}};
  for (const Preset& preset : config::presets())
    if (preset.family.empty()) rows.push_back(row_of(preset));
  std::string text = table_text(rows, true);
  if (width && widest_line(text) > *width) text = table_text(rows, false);
  return text +
         "\n`hikyaku presets NAME` says what one sets, what it demands, and how to get its password.\n";
}

std::string preset_yaml(const Preset& preset) {
  const bool wants_user = preset.password == config::PasswordKind::account ||
                          preset.password == config::PasswordKind::app_password;
  return cat("smarthosts:\n  - preset: ", preset.name, "\n",
             preset.host.empty() ? cat("    host: ", host_to_paste(preset), "\n") : "",
             wants_user ? cat("    user: ", user_of(preset), "\n") : "",
             wants_user && preset.demand == SenderDemand::account && !user_of(preset).contains('@')
                 ? cat("    from: ", own_address_of(preset), "\n")
                 : "");
}

std::string preset_page(const Preset& preset) {
  if (!preset.ended.empty()) return cat(preset.title, " ended on ", preset.ended, ". ", preset.steps, "\n");
  std::vector<std::string> also;
  for (std::string_view url : words(preset.also)) also.emplace_back(url);
  return cat(preset.title, "\n", fact("server", cat(server_of(preset), ", ", tls_words(preset.tls))),
             fact("also", join(also, ", ")), fact("presets", join(regions_of(preset), ", ")),
             fact("user", !preset.user.empty()       ? cat("always `", preset.user, "`")
                          : preset.user_hint.empty() ? "the full mail address"
                                                     : preset.user_hint),
             fact("password", to_text(preset.password)), fact("", preset.steps),
             fact("sender", sender_words(preset)), fact("limits", limits_of(preset)),
             fact("note", preset.note), fact("help", preset.help), fact("as of", preset.checked),
             where_to_write(preset));
}

JsonObject to_json_object(const Preset& preset) {
  JsonObject sets;
  for (const config::PresetValue& value : preset_values(preset)) sets.add(value.key, value.value);
  return JsonObject()
      .add("name", preset.name)
      .add("title", preset.title)
      .add("family", unless_empty(preset.family))
      .add("sets", sets)
      .add("also", JsonList(words(preset.also)))
      .add("user_hint", unless_empty(preset.user_hint))
      .add("sender", word_of(preset.demand))
      .add("password", word_of(preset.password))
      .add("steps", preset.steps)
      .add("note", unless_empty(preset.note))
      .add("help", preset.help)
      .add("ended", unless_empty(preset.ended))
      .add("checked", preset.checked);
}

}  // namespace hikyaku::commands
