// SPDX-License-Identifier: MIT
#include "daemon/setup/installing.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/config/read_file.h"
#include "daemon/system/file_edit.h"

namespace hikyaku::setup {
namespace {

using Lines = std::vector<std::string>;

constexpr mode_t kReadableByAll = 0644;
constexpr mode_t kSecret = 0600;
constexpr mode_t kDirectory = 0755;

std::unexpected<StartError> cannot_write(const std::string& text) { return fail(Exit::cannot_create, text); }

std::string parent_of(const std::string& path) {
  return std::filesystem::absolute(path).parent_path().string();
}

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// A configuration without a smarthost, or none at all, has defaults that are this machine's.
config::Settings settings_in(const std::string& config_file) {
  if (auto settings = config::load_file(config_file)) return std::move(*settings);
  config::Settings settings = config::understandable_settings(config_file);
  if (config::is_localhost(settings.domain)) settings.domain = config::default_mail_name();
  if (settings.domain.empty()) settings.domain = config::default_hostname();
  return settings;
}

// The name is free: what an earlier run has kept stays.
std::string name_for_copy(const std::string& file, std::string_view occasion) {
  const std::string usual = cat(file, ".before-", occasion);
  std::string name = usual;
  for (int number = 2; is_there(name); ++number) name = cat(usual, ".", std::to_string(number));
  return name;
}

// Returns the copy's name.
Result<std::string, StartError> keep_copy(const std::string& file, std::string_view text,
                                          std::string_view occasion) {
  const std::string name = name_for_copy(file, occasion);
  auto edit = system::FileEdit::begin(name);
  if (!edit) return cannot_write(edit.error().text);
  auto written = edit->replace(text, {kSecret});
  if (!written) return cannot_write(written.error().text);
  return name;
}

// A configuration that somebody has closed stays closed.
system::FileAccess access_of(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return {kReadableByAll};
  return {static_cast<mode_t>(status.st_mode & 0777), status.st_gid};
}

// One for this very port would hide another for all of the host.
config::AuthinfoEntry entry_in(const AuthinfoStore& store, const Answers& answers) {
  config::AuthinfoEntry entry = entry_for(answers);
  const AuthinfoSelection same{answers.target.host, answers.target.port, answers.user};
  auto entries = store.list();
  if (entries && std::ranges::any_of(*entries, [&](const auto& each) { return same.fits(each); }))
    entry.port = answers.target.port;
  return entry;
}

Result<void, StartError> write_credentials(const AuthinfoStore& store, const config::Authinfo& entries,
                                           std::string_view occasion, Lines& lines) {
  if (is_there(store.path())) {
    auto file = config::read_file(store.path());
    if (!file) return cannot_write(cat(store.path(), " ", file.error().text));
    const Secret text(std::move(file->text));
    auto copy = keep_copy(store.path(), text.reveal(), occasion);
    if (!copy) return std::unexpected(std::move(copy.error()));
    lines.push_back(cat("kept ", *copy));
  }
  for (const config::AuthinfoEntry& entry : entries) {
    auto change = store.put(entry);
    if (!change) return std::unexpected(std::move(change.error()));
    lines.push_back(cat("wrote ", store.path(), ": ", to_text(entry)));
  }
  return {};
}

Result<void, StartError> write_configuration(const Existing& existing, const std::string& text,
                                             std::string_view occasion, Lines& lines) {
  if (existing.exists) {
    auto copy = keep_copy(existing.file, existing.text, occasion);
    if (!copy) return std::unexpected(std::move(copy.error()));
    lines.push_back(cat("kept ", *copy));
  }
  auto edit = system::FileEdit::begin(existing.file);
  if (!edit) return cannot_write(edit.error().text);
  auto now = config::read_file(edit->path());
  if ((now ? now->text : "") != existing.text)
    return fail(Exit::try_again,
                cat(existing.file, " has been changed meanwhile, so it was not written; begin again"));
  auto written = edit->replace(text, access_of(edit->path()));
  if (!written) return cannot_write(written.error().text);
  lines.push_back(cat("wrote ", existing.file));
  return {};
}

// Those that are not there yet as they are.
config::Authinfo new_entries(const AuthinfoStore& store, const config::Authinfo& entries) {
  auto present = store.list();
  auto is_there_already = [&](const config::AuthinfoEntry& entry) {
    const AuthinfoSelection same{entry.host, entry.port, entry.credentials.user};
    return present && std::ranges::any_of(*present, [&](const config::AuthinfoEntry& each) {
             return each.port == entry.port && same.fits(each) &&
                    each.credentials.password == entry.credentials.password;
           });
  };
  config::Authinfo left;
  std::ranges::remove_copy_if(entries, std::back_inserter(left), is_there_already);
  return left;
}

bool has_password(const AuthinfoStore& store, const Answers& answers) {
  auto entries = store.list();
  if (!entries) return false;
  auto found = config::find_credentials(*entries, {answers.target.host, answers.target.port, answers.user});
  return found && found->password == answers.password;
}

}  // namespace

Result<Existing, StartError> find_existing(const std::string& config_file) {
  Existing existing{.file = config_file, .settings = settings_in(config_file)};
  const std::string parent = parent_of(config_file);
  if (::access(is_there(parent) ? parent.c_str() : parent_of(parent).c_str(), W_OK) != 0)
    return fail(Exit::no_permission,
                cat("you may not write ", parent, ": ", os_error_text(errno), "; run this as root"));
  auto file = config::read_file(config_file);
  if (!file && file.error().kind == config::FileErrorKind::missing) return existing;
  if (!file) return fail(Exit::configuration, cat(config_file, " ", file.error().text));
  existing.exists = true;
  existing.text = std::move(file->text);
  return existing;
}

Result<Lines, StartError> install(const Existing& existing, const std::string& text,
                                  const AuthinfoStore& store, const Answers& answers) {
  config::Authinfo entries;
  const bool has_login = !answers.user.empty() && answers.client_id.empty();
  if (has_login && !has_password(store, answers)) entries.push_back(entry_in(store, answers));
  return install(existing, text, store, entries, "setup");
}

Result<Lines, StartError> install(const Existing& existing, const std::string& text,
                                  const AuthinfoStore& store, const config::Authinfo& entries,
                                  std::string_view occasion) {
  Lines lines;
  for (const std::string& directory : {parent_of(existing.file), parent_of(store.path())})
    if (!is_there(directory) && ::mkdir(directory.c_str(), kDirectory) != 0)
      return cannot_write(cat(directory, ": ", os_error_text(errno)));
  if (const auto missing = new_entries(store, entries); !missing.empty())
    if (auto done = write_credentials(store, missing, occasion, lines); !done)
      return std::unexpected(done.error());
  if (text != existing.text)
    if (auto done = write_configuration(existing, text, occasion, lines); !done)
      return std::unexpected(done.error());
  if (lines.empty()) lines.emplace_back("all of this is there already; nothing was written");
  return lines;
}

}  // namespace hikyaku::setup
