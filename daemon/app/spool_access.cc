// SPDX-License-Identifier: MIT
#include "daemon/app/spool_access.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/app/local_users.h"
#include "daemon/base/text.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::app {
namespace {

using spool::ViewErrorKind;

std::string owner_of(const std::string& directory) {
  struct stat status;
  if (::stat(directory.c_str(), &status) != 0) return "the daemon's user";
  std::string name = find_local_user(status.st_uid, WithGroups::no).name;
  return name.empty() ? cat("user ", std::to_string(status.st_uid)) : name;
}

std::string who_may_read(const std::string& directory) {
  std::string owner = owner_of(directory);
  return cat(directory, " may be read only by root",
             owner == "root" ? std::string() : cat(" and by its owner, ", owner));
}

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
  if (!disk) return std::unexpected(explain(spool::to_view_error(disk.error()), *directory));
  return SpoolAccess{*directory, std::move(*disk)};
}

StartError explain(const spool::ViewError& error, const std::string& directory) {
  switch (error.kind) {
    case ViewErrorKind::missing:
      return {Exit::no_input, cat("there is no spool in ", directory, " (", error.text, ")")};
    case ViewErrorKind::not_permitted: return {Exit::no_permission, who_may_read(directory)};
    case ViewErrorKind::always_changing: return {Exit::try_again, error.text};
    case ViewErrorKind::read_failed:
    case ViewErrorKind::later_format: break;
  }
  return {Exit::io, cat("cannot read the spool in ", directory, ": ", error.text)};
}

Exit report(std::string_view command, const StartError& error) {
  for (std::string_view line : split(error.text, '\n'))
    std::fputs(cat(log::error_prefix(), command, ": ", line, "\n").c_str(), stderr);
  return error.kind;
}

void report_note(std::string_view command, const std::string& note) {
  if (!note.empty()) report(command, {Exit::configuration, note});
}

}  // namespace hikyaku::app
