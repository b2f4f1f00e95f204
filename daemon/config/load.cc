// SPDX-License-Identifier: MIT
#include "daemon/config/load.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/read_file.h"
#include "daemon/config/rewriting_keys.h"
#include "daemon/config/settings_schema.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/config/yaml.h"
#include "daemon/mail/alias_file.h"

namespace hikyaku::config {
namespace {

constexpr std::uint16_t kSmtpPort = 25;

Settings default_settings() {
  static const std::uint8_t kLoopback4[]{127, 0, 0, 1};
  static const std::uint8_t kLoopback6[]{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  Settings settings;
  settings.listen.endpoints = {{IpAddress::from_bytes(kLoopback4, false), kSmtpPort},
                               {IpAddress::from_bytes(kLoopback6, true), kSmtpPort}};
  settings.allow = {*Network::parse("127.0.0.0/8"), *Network::parse("::1/128")};
  return settings;
}

void check_smarthosts(const Value& root, const Document& document) {
  if (document.smarthost && document.smarthosts)
    document.smarthosts->problem("there is `smarthost` as well; write one of them");
  if (!document.smarthost && !document.smarthosts)
    root.problem("needs a smarthost; the shortest complete file is `smarthost: smtps://smtp.example.com`");
}

// Beside a single `smarthost`, which may be a URL, so that two lines are a complete file.
void give_from_to_smarthost(Document& document) {
  if (!document.from) return;
  if (document.smarthosts)
    return document.from->problem(
        "belongs to one `smarthost`; with `smarthosts`, write it into each entry that insists on an address");
  for (mail::Smarthost& smarthost : document.settings.smarthosts)
    if (document.from_address) apply_from(*document.from, *document.from_address, smarthost.rewrite);
}

// Nobody becomes an open relay by a listen address alone.
void check_listen(const Document& document) {
  if (!document.listen || document.allow) return;
  for (const Endpoint& endpoint : document.settings.listen.endpoints)
    if (!endpoint.address.is_loopback())
      document.listen->problem(cat(endpoint.to_text(),
                                   " can be reached from other machines: say in `allow` which of them may "
                                   "send; who lets everyone send is an "
                                   "open relay, through which strangers send with your account"));
}

Result<Settings, Problems> read_document(const YamlNode& node, const std::string& file) {
  Report report{file, {}};
  Value root(node, "", report);
  Document document{default_settings(), {}, {}, {}, {}};
  read_map(root, document_schema(), document);
  check_smarthosts(root, document);
  give_from_to_smarthost(document);
  for (mail::Smarthost& smarthost : document.settings.smarthosts) send_as_account(smarthost);
  check_route_names(document.route_names, document.settings.smarthosts);
  check_listen(document);
  if (!report.problems.empty()) return std::unexpected(std::move(report.problems));
  return std::move(document.settings);
}

// Names only where the file gives them.
Result<Settings, Problems> read_text(std::string_view text, const std::string& file_name) {
  if (text.size() > kLargestFile)
    return std::unexpected(Problems{{file_name, 0, 0, "", "is larger than 1 MiB"}});
  auto node = read_yaml(text, file_name);
  if (!node) return std::unexpected(std::move(node.error()));
  return read_document(*node, file_name);
}

void name_after(const Environment& environment, Settings& settings) {
  if (settings.hostname.empty()) settings.hostname = environment.hostname;
  if (settings.domain.empty()) settings.domain = environment.mail_name;
  if (settings.domain.empty()) settings.domain = settings.hostname;
}

LoadedAliases refuse_aliases(const std::string& path, std::string text) {
  return {{}, {{path, 0, 0, "", std::move(text)}}};
}

void check_readable(const std::string& key, const std::string& path, Problems& problems) {
  if (path.empty()) return;
  if (auto file = read_file(path); !file) problems.push_back({path, 0, 0, key, file.error().text});
}

void check_tls_files(const mail::Smarthost& smarthost, Problems& problems) {
  std::string key = cat("smarthost ", smarthost.name, ": tls_");
  check_readable(cat(key, "ca_file"), smarthost.tls.ca_file, problems);
  check_readable(cat(key, "client_cert.cert"), smarthost.tls.client_cert, problems);
  check_readable(cat(key, "client_cert.key"), smarthost.tls.client_key, problems);
}

// The daemon creates the directory itself, but not the one above it: that would hide a misspelt path.
void check_directory(const std::string& key, const std::string& directory, Problems& problems) {
  std::filesystem::path path(directory);
  if (!path.has_filename()) path = path.parent_path();  // written with a slash at its end
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return;
  if (std::filesystem::exists(status)) {
    problems.push_back({directory, 0, 0, key, "is not a directory"});
  } else if (!std::filesystem::is_directory(path.parent_path(), error)) {
    problems.push_back({directory, 0, 0, key, "neither this directory nor the one above it exists"});
  }
}

}  // namespace

Result<Settings, Problems> load_text(std::string_view text, const std::string& file_name,
                                     const Environment& environment) {
  auto settings = read_text(text, file_name);
  if (settings) name_after(environment, *settings);
  return settings;
}

Result<Source, Problems> find_source(const std::string& path, const Variables& variables) {
  auto file = read_file(path);
  if (file) return Source{std::move(file->text), path};
  if (file.error().kind == FileErrorKind::missing && path == kDefaultConfig)
    if (auto source = source_in(variables)) return std::move(*source);
  return std::unexpected(Problems{{path, 0, 0, "", file.error().text}});
}

Result<Settings, Problems> load_file(const std::string& path) {
  auto source = find_source(path, this_environment());
  if (!source) return std::unexpected(std::move(source.error()));
  auto settings = read_text(source->text, source->name);
  if (!settings) return std::unexpected(source->say(std::move(settings.error())));
  settings->authinfo.given = source->credentials;
  // A name that it gives is not looked for.
  name_after({settings->hostname.empty() ? default_hostname() : "", default_mail_name()}, *settings);
  return settings;
}

Settings understandable_settings(const std::string& path) {
  Settings defaults = default_settings();
  name_after({"localhost", ""}, defaults);
  auto source = find_source(path, this_environment());
  auto node = source ? read_yaml(source->text, path) : std::unexpected(Problems());
  if (!node) return defaults;
  Report ignored{path, {}};
  Value root(*node, "", ignored);
  Document document{std::move(defaults), {}, {}, {}, {}};
  read_map(root, document_schema(), document);
  return std::move(document.settings);
}

LoadedAliases load_aliases(const AliasesSettings& settings) {
  auto file = read_file(settings.path);
  if (!file && file.error().kind == FileErrorKind::missing && !settings.is_explicit) return {};
  if (!file) return refuse_aliases(settings.path, cat("the aliases file ", file.error().text));
  if ((file->status.st_mode & S_IWOTH) != 0)
    return refuse_aliases(
        settings.path,
        cat("anybody may write this file, and so have root's mail sent to them; run: chmod o-w ",
            settings.path));
  auto parsed = mail::parse_aliases(file->text);
  LoadedAliases loaded{std::move(parsed.aliases), {}};
  for (mail::AliasProblem& problem : parsed.problems)
    loaded.problems.push_back({settings.path, problem.line, 0, "", std::move(problem.text)});
  return loaded;
}

Problems check_configuration(const Settings& settings, const AuthinfoReader& reader) {
  Problems problems;
  if (auto entries = load_authinfo(settings.authinfo, reader); !entries)
    problems = std::move(entries.error());
  for (const mail::Smarthost& smarthost : settings.smarthosts) check_tls_files(smarthost, problems);
  check_door_files(settings.listen, problems);
  check_directory("spool.directory", settings.spool.directory, problems);
  return problems;
}

}  // namespace hikyaku::config
