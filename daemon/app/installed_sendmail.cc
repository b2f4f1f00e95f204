// SPDX-License-Identifier: MIT
#include "daemon/app/installed_sendmail.h"

#include <filesystem>

#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTarget = "../lib/hikyaku/sendmail";  // of the link, as the installation makes it

}  // namespace

std::optional<std::string> judge_installed_sendmail(const std::string& prefix) {
  std::error_code error;
  const fs::path ours = fs::canonical(cat(prefix, "/lib/hikyaku/sendmail"), error);
  if (error) return std::nullopt;
  const std::string name = cat(prefix, "/sbin/sendmail");
  const fs::path found = fs::canonical(name, error);
  if (error)
    return cat(name, " is missing, so cron and scripts cannot send mail; run: ln -sf ", kTarget, " ", name);
  if (found == ours) return std::nullopt;
  return cat(name, " is ", fs::is_symlink(name) ? found.string() : "another program",
             " and not hikyaku's: a package has replaced it, and mail of cron and scripts goes there; remove "
             "that package, "
             "then run: ln -sf ",
             kTarget, " ", name);
}

std::string installation_prefix() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().parent_path().string();
}

}  // namespace hikyaku::app
