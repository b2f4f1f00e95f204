// SPDX-License-Identifier: MIT
// Shortcuts for tests of imports: files as a map in; a configuration that loads, and remarks, out.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/config/route_keys.h"
#include "daemon/import/import.h"

namespace hikyaku::importing {

using Files = std::map<std::string, std::string>;

// The main file has the system's usual name.
struct ImportResult {
  Imported imported;
  std::string page;
  config::Settings settings;  // as the page is read back

  const mail::Smarthost& smarthost(std::size_t index = 0) const { return settings.smarthosts.at(index); }
  bool remarks(std::string_view part) const {
    for (const Remark& remark : imported.remarks)
      if (cat(to_text(remark.place), ": ", remark.subject, ": ", remark.text).contains(part)) return true;
    return false;
  }
  // "user@host:port", with the password behind a slash.
  std::string login(std::size_t index = 0) const {
    if (index >= imported.logins.size()) return "-";
    const config::AuthinfoEntry& entry = imported.logins[index].entry;
    return cat(entry.credentials.user, "@", entry.host,
               entry.port ? cat(":", std::to_string(*entry.port)) : "", "/",
               entry.credentials.password.reveal());
  }
  // from, to and via of a route.
  std::string route(std::size_t index) const {
    if (index >= settings.routes.size()) return "-";
    const config::RouteSettings& route = settings.routes[index];
    std::string via;
    for (const auto& group : route.via) via += cat(via.empty() ? "" : ", ", join(group, "+"));
    return cat(mail::to_text(route.from), " > ", mail::to_text(route.to), " > ", via);
  }
};

inline ImportResult imported_from(std::string_view system_name, const Files& files) {
  const System& system = *find_system(system_name);
  const std::string file(system.file);
  const ReadText read = [&](const std::string& path) -> Result<std::string, std::string> {
    auto found = files.find(path);
    if (found == files.end()) return std::unexpected("does not exist");
    return found->second;
  };
  Imported imported = system.read(files.at(file), file, read);
  std::string page = to_page(imported, system, file);
  INFO(page);
  if (imported.settings.smarthosts.empty()) return {std::move(imported), std::move(page), {}};
  auto settings = config::load_text(page, "hikyaku.yaml", {"app1.shop.example", ""});
  if (!settings) FAIL(config::to_text(settings.error(), "\n"));
  for (const Login& login : imported.logins) CHECK(!page.contains(login.entry.credentials.password.reveal()));
  return {std::move(imported), std::move(page), std::move(*settings)};
}

inline ImportResult imported_from(std::string_view system, std::string_view text, Files more = {}) {
  more[std::string(find_system(system)->file)] = text;
  return imported_from(system, more);
}

}  // namespace hikyaku::importing
