// SPDX-License-Identifier: MIT
#include "daemon/import/import.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/config/effective.h"

namespace hikyaku::importing {
namespace {

constexpr System kSystems[] = {
    {"postfix", "/etc/postfix/main.cf", import_postfix},
    {"sendmail", "/etc/mail/sendmail.mc", import_sendmail},
    {"msmtp", "/etc/msmtprc", import_msmtp},
    {"ssmtp", "/etc/ssmtp/ssmtp.conf", import_ssmtp},
    {"nullmailer", "/etc/nullmailer/remotes", import_nullmailer},
    {"dma", "/etc/dma/dma.conf", import_dma},
};

// Comments, so that the whole page can be saved as the configuration.
std::string comment(std::string_view text) {
  std::string lines, line;
  for (std::string_view word : words(text)) {
    if (!line.empty() && line.size() + word.size() + 1 > 108) {
      lines += cat(line, "\n");
      line.clear();
    }
    line += cat(line.empty() ? (lines.empty() ? "# " : "#   ") : " ", word);
  }
  return cat(lines, line, "\n");
}

std::string login_text(const Login& login) {
  const config::AuthinfoEntry& entry = login.entry;
  // A token may be both user and password.
  const bool is_token = entry.credentials.user == entry.credentials.password.reveal();
  return comment(cat("password of ", is_token ? "a token" : printable(entry.credentials.user, 200), " for ",
                     entry.host.empty() ? "any host" : entry.host,
                     entry.port ? cat(" port ", std::to_string(*entry.port)) : "", ": found in ",
                     to_text(login.place)));
}

std::string remark_text(const Remark& remark) {
  const std::string place = remark.place.file.empty() ? "" : cat(to_text(remark.place), ": ");
  return comment(cat(place, remark.subject, remark.subject.empty() ? "" : ": ", remark.text));
}

}  // namespace

std::span<const System> systems() { return kSystems; }

const System* find_system(std::string_view name) {
  auto found = std::ranges::find_if(
      kSystems, [&](const System& system) { return equals_ignoring_case(system.name, name); });
  return found == std::end(kSystems) ? nullptr : &*found;
}

std::string to_configuration(const Imported& imported, const System& system, const std::string& file) {
  return cat(
      comment(cat("hikyaku's configuration, made from that of ", system.name, " in ", printable(file),
                  ". `hikyaku config show` prints all other keys with their defaults. Passwords are in the "
                  "authinfo file.")),
      config::minimal_yaml(imported.settings));
}

std::string to_page(const Imported& imported, const System& system, const std::string& file) {
  std::string page = to_configuration(imported, system, file);
  if (!imported.logins.empty()) page += "\n# Log-ins, which `--write` puts into the authinfo file:\n";
  for (const Login& login : imported.logins) page += login_text(login);
  if (!imported.remarks.empty()) page += "\n# What changes, or has no counterpart:\n";
  for (const Remark& remark : imported.remarks) page += remark_text(remark);
  if (!imported.unneeded.empty())
    page += cat("\n", comment(cat("Not needed here: ", join(imported.unneeded, ", "), ".")));
  return page;
}

}  // namespace hikyaku::importing
