// SPDX-License-Identifier: MIT
#include "daemon/setup/authinfo_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/system/file_edit.h"

namespace hikyaku::setup {
namespace {

using config::AuthinfoEntry;

constexpr std::string_view kRunAsRoot = "; run this as root";

// What is wrong with a file says how to correct it; that a user may not open it is another matter.
Result<void, StartError> check_permission(const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0 || errno != EACCES) return {};
  return fail(Exit::no_permission, cat(path, ": ", os_error_text(EACCES), kRunAsRoot));
}

Result<void, StartError> replace(const system::FileEdit& edit, const Secret& text,
                                 const std::optional<system::Account>& daemon) {
  auto replaced = edit.replace(text.reveal(), system::access_for_secrets(daemon));
  if (replaced) return {};
  const bool is_denied = replaced.error().kind == std::errc::permission_denied;
  if (is_denied) return fail(Exit::no_permission, cat(replaced.error().text, kRunAsRoot));
  return fail(Exit::cannot_create, replaced.error().text);
}

Result<system::FileEdit, StartError> begin_edit(const std::string& path) {
  auto edit = system::FileEdit::begin(path);
  if (!edit) return fail(Exit::cannot_create, edit.error().text);
  return std::move(*edit);
}

bool is_for_another(const AuthinfoEntry& a, const AuthinfoEntry& b) {
  return a.port != b.port || a.credentials.user != b.credentials.user;
}

std::unexpected<StartError> none_fits(const AuthinfoSelection& selection, const std::string& path) {
  return fail(Exit::no_input,
              cat(path, " has no entry for ", selection.host.empty() ? "default" : selection.host,
                  selection.user || selection.port ? " with this user and port" : "",
                  "; 'hikyaku authinfo list' shows all"));
}

std::unexpected<StartError> several_fit(const config::Authinfo& fitting) {
  std::string text = "several entries fit; say which one with --user and --port:";
  for (const AuthinfoEntry& entry : fitting) text += cat("\n  ", to_text(entry));
  return fail(Exit::usage, std::move(text));
}

}  // namespace

std::optional<system::Account> daemon_account(const std::string& user) {
  auto account = system::choose_account(::geteuid(), user);
  return account ? *account : std::nullopt;
}

bool AuthinfoSelection::fits(const AuthinfoEntry& entry) const {
  return entry.host == host && (!port || entry.port == port) && (!user || entry.credentials.user == *user);
}

std::string to_text(const AuthinfoEntry& entry) {
  return cat(entry.host.empty() ? "default" : entry.host,
             entry.port ? cat(" port ", std::to_string(*entry.port)) : "", ", user ",
             printable(entry.credentials.user));
}

Result<AuthinfoStore, StartError> AuthinfoStore::of(const std::string& config_file) {
  auto settings = config::load_file(config_file);
  if (!settings && config_file != config::kDefaultConfig && ::access(config_file.c_str(), R_OK) != 0)
    return fail(Exit::configuration, config::to_text(settings.error(), "\n"));
  if (!settings) settings = config::understandable_settings(config_file);
  return AuthinfoStore(settings->authinfo.path, daemon_account(settings->user));
}

Result<config::AuthinfoFile, StartError> AuthinfoStore::read(const std::string& file) const {
  if (auto may = check_permission(file); !may) return std::unexpected(may.error());
  auto reader = config::AuthinfoReader::this_process();
  if (daemon_) reader.uid = daemon_->uid, reader.gid = daemon_->gid;
  auto loaded = config::load_authinfo_file({file, false}, reader);
  if (!loaded) return fail(Exit::configuration, config::to_text(loaded.error(), "\n"));
  return std::move(*loaded);
}

Result<config::Authinfo, StartError> AuthinfoStore::list() const {
  auto file = read(path_);
  if (!file) return std::unexpected(file.error());
  return std::move(file->entries);
}

Result<config::AuthinfoChange, StartError> AuthinfoStore::put(const AuthinfoEntry& entry) const {
  auto edit = begin_edit(path_);
  if (!edit) return std::unexpected(edit.error());
  auto file = read(edit->path());
  if (!file) return std::unexpected(file.error());
  auto change = config::put_entry(file->text.reveal(), file->entries, entry);
  if (!change) return fail(Exit::usage, cat("this entry ", change.error()));
  if (auto done = replace(*edit, change->text, daemon_); !done) return std::unexpected(done.error());
  return std::move(*change);
}

Result<AuthinfoEntry, StartError> AuthinfoStore::remove(const AuthinfoSelection& selection) const {
  auto edit = begin_edit(path_);
  if (!edit) return std::unexpected(edit.error());
  auto file = read(edit->path());
  if (!file) return std::unexpected(file.error());
  config::Authinfo fitting;
  std::ranges::copy_if(file->entries, std::back_inserter(fitting),
                       [&](const AuthinfoEntry& entry) { return selection.fits(entry); });
  if (fitting.empty()) return none_fits(selection, path_);
  if (std::ranges::any_of(fitting, [&](const auto& each) { return is_for_another(each, fitting.front()); }))
    return several_fit(fitting);
  std::vector<unsigned> lines;
  for (const AuthinfoEntry& entry : fitting) lines.push_back(entry.line);
  auto done = replace(*edit, config::without_lines(file->text.reveal(), lines), daemon_);
  if (!done) return std::unexpected(done.error());
  return std::move(fitting.front());
}

}  // namespace hikyaku::setup
