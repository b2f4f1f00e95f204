// SPDX-License-Identifier: MIT
#include "daemon/config/load.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/read_file.h"
#include "daemon/config/settings_schema.h"
#include "daemon/config/yaml.h"

namespace hikyaku::config {
namespace {

constexpr std::uint16_t kSmtpPort = 25;

Settings default_settings(const Environment& environment) {
  static const std::uint8_t kLoopback4[]{127, 0, 0, 1};
  static const std::uint8_t kLoopback6[]{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  Settings settings;
  settings.hostname = environment.hostname;
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

// R5: nobody becomes an open relay by a listen address alone.
void check_listen(const Document& document) {
  if (!document.listen || document.allow) return;
  for (const Endpoint& endpoint : document.settings.listen.endpoints)
    if (!endpoint.address.is_loopback())
      document.listen->problem(cat(endpoint.to_text(),
                                   " can be reached from other machines: say in `allow` which of them may "
                                   "send; who lets everyone send is an "
                                   "open relay, through which strangers send with your account"));
}

Result<Settings, Problems> read_document(const YamlNode& node, const std::string& file, Settings defaults) {
  Report report{file, {}};
  Value root(node, "", report);
  Document document{std::move(defaults), {}, {}, {}, {}};
  read_map(root, document_schema(), document);
  check_smarthosts(root, document);
  check_listen(document);
  if (!report.problems.empty()) return std::unexpected(std::move(report.problems));
  if (document.settings.domain.empty()) document.settings.domain = document.settings.hostname;
  return std::move(document.settings);
}

}  // namespace

Result<Settings, Problems> load_text(std::string_view text, const std::string& file_name,
                                     const Environment& environment) {
  if (text.size() > kLargestFile)
    return std::unexpected(Problems{{file_name, 0, 0, "", "is larger than 1 MiB"}});
  auto node = read_yaml(text, file_name);
  if (!node) return std::unexpected(std::move(node.error()));
  return read_document(*node, file_name, default_settings(environment));
}

Result<Settings, Problems> load_file(const std::string& path) {
  auto file = read_file(path);
  if (!file) return std::unexpected(Problems{{path, 0, 0, "", file.error().text}});
  return load_text(file->text, path, {default_hostname()});
}

Settings understandable_settings(const std::string& path) {
  Settings defaults = default_settings({"localhost"});
  auto file = read_file(path);
  auto node = file ? read_yaml(file->text, path) : std::unexpected(Problems());
  if (!node) return defaults;
  Report ignored{path, {}};
  Value root(*node, "", ignored);
  Document document{std::move(defaults), {}, {}, {}, {}};
  read_map(root, document_schema(), document);
  return std::move(document.settings);
}

}  // namespace hikyaku::config
