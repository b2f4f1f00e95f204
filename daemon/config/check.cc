// SPDX-License-Identifier: MIT
#include "daemon/config/check.h"

#include <filesystem>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/read_file.h"

namespace hikyaku::config {
namespace {

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

Problems check_configuration(const Settings& settings, const AuthinfoReader& reader) {
  Problems problems;
  if (auto entries = load_authinfo(settings.authinfo, reader); !entries)
    problems = std::move(entries.error());
  for (const mail::Smarthost& smarthost : settings.smarthosts) check_tls_files(smarthost, problems);
  check_directory("spool.directory", settings.spool.directory, problems);
  return problems;
}

}  // namespace hikyaku::config
