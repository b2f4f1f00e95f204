// SPDX-License-Identifier: MIT
#include "daemon/app/loading.h"

#include <utility>

#include "daemon/config/load.h"

namespace hikyaku::app {
namespace {

Result<std::optional<system::Account>, config::Problem> account_for(const config::Settings& settings,
                                                                    Purpose purpose,
                                                                    const system::FindAccount& find) {
  auto account = system::choose_account(::geteuid(), settings.user, find);
  if (!account && purpose == Purpose::check && settings.user.empty()) return std::nullopt;
  return account;
}

}  // namespace

config::AuthinfoReader reader_for(const std::optional<system::Account>& account) {
  auto reader = config::AuthinfoReader::this_process();
  if (account) reader.uid = account->uid, reader.gid = account->gid;
  return reader;
}

Result<Loaded, config::Problems> load_everything(const std::string& config_file, Purpose purpose,
                                                 const system::FindAccount& find) {
  auto settings = config::load_file(config_file);
  if (!settings) return std::unexpected(std::move(settings.error()));
  auto account = account_for(*settings, purpose, find);
  if (!account) {
    account.error().file = config_file;
    return std::unexpected(config::Problems{std::move(account.error())});
  }
  const config::AuthinfoReader reader = reader_for(*account);
  settings->authinfo = config::choose_authinfo(std::move(settings->authinfo), reader);
  auto entries = config::load_authinfo(settings->authinfo, reader);
  if (!entries) return std::unexpected(std::move(entries.error()));
  auto aliases = config::load_aliases(settings->aliases);
  if (settings->aliases.is_explicit && !aliases.problems.empty())
    return std::unexpected(std::move(aliases.problems));
  for (mail::Smarthost& smarthost : settings->smarthosts) config::attach_credentials(smarthost, *entries);
  return Loaded{std::move(*settings), std::move(*entries), std::move(aliases), std::move(*account)};
}

}  // namespace hikyaku::app
