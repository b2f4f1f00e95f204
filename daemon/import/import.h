// SPDX-License-Identifier: MIT
// Other relays' configurations: text in; our configuration, log-ins and remarks out. No command that a configuration
// names is run, no .db is read, and what is printed holds no password: those go into authinfo alone. Pure but for
// ReadText.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "daemon/import/imported.h"
#include "daemon/import/source.h"

namespace hikyaku::importing {

// Each gets the text of its main file; files that it names are read by `read`. Whatever the text holds, they return.
Imported import_postfix(std::string_view text, const std::string& file, const ReadText& read);
Imported import_sendmail(std::string_view text, const std::string& file, const ReadText& read);
Imported import_msmtp(std::string_view text, const std::string& file, const ReadText& read);
Imported import_ssmtp(std::string_view text, const std::string& file, const ReadText& read);
Imported import_nullmailer(std::string_view text, const std::string& file, const ReadText& read);
Imported import_dma(std::string_view text, const std::string& file, const ReadText& read);

struct System {
  std::string_view name;
  std::string_view file;  // where its configuration usually is
  Imported (*read)(std::string_view text, const std::string& file, const ReadText& read);
};
std::span<const System> systems();
const System* find_system(std::string_view name);

// The configuration, and below it in comments what was found of log-ins and what has no counterpart.
std::string to_page(const Imported& imported, const System& system, const std::string& file);
// The lines of the configuration alone.
std::string to_configuration(const Imported& imported, const System& system, const std::string& file);

}  // namespace hikyaku::importing
