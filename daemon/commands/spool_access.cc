// SPDX-License-Identifier: MIT
#include "daemon/commands/spool_access.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/base/text.h"
#include "daemon/listing/view_trouble.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::commands {
namespace {

Result<std::string, StartError> directory_of(std::string_view command, const SpoolWords& words) {
  if (!words.directory.empty()) return words.directory;
  auto places = find_daemon(words.config);
  if (!places)
    return fail(Exit::configuration,
                cat(places.error().text, "\nuse -c FILE or --directory DIR to say where the spool is"));
  report_note(command, places->note);
  return places->spool;
}

}  // namespace

void add_spool_options(CLI::App& command, SpoolWords& words) {
  command.add_option("-c", words.config, "the configuration, which says where the spool is")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--directory", words.directory, "the spool itself, or a copy of one")->type_name("DIR");
}

Result<SpoolAccess, StartError> open_spool(std::string_view command, const SpoolWords& words) {
  auto directory = directory_of(command, words);
  if (!directory) return std::unexpected(directory.error());
  auto disk = spool::open_disk(*directory);
  if (!disk) return std::unexpected(listing::explain(spool::to_view_error(disk.error()), *directory));
  return SpoolAccess{*directory, std::move(*disk)};
}

Exit report(std::string_view command, const StartError& error) {
  for (std::string_view line : split(error.text, '\n'))
    std::fputs(cat(log::error_prefix(), command, ": ", line, "\n").c_str(), stderr);
  return error.kind;
}

void report_note(std::string_view command, const std::string& note) {
  if (!note.empty()) report(command, {Exit::configuration, note});
}

}  // namespace hikyaku::commands
