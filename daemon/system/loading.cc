// SPDX-License-Identifier: MIT
#include "daemon/system/loading.h"

#include <utility>

#include "daemon/config/load.h"

namespace hikyaku::system {
namespace {

Result<std::optional<Account>, config::Problem> account_for(const config::Settings& settings, Purpose purpose,
                                                            const FindAccount& find) {
  auto account = choose_account(::geteuid(), settings.user, find);
  if (!account && purpose == Purpose::check && settings.user.empty()) return std::nullopt;
  return account;
}

}  // namespace

config::AuthinfoReader reader_for(const std::optional<Account>& account) {
  auto reader = config::AuthinfoReader::this_process();
  if (account) reader.uid = account->uid, reader.gid = account->gid;
  return reader;
}

Result<Loaded, config::Problems> load_everything(const std::string& config_file, Purpose purpose,
                                                 const FindAccount& find) {
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
  auto keys = dkim::load_key_ring(settings->dkim, reader);
  if (!keys) return std::unexpected(std::move(keys.error()));
  auto aliases = config::load_aliases(settings->aliases);
  if (settings->aliases.is_explicit && !aliases.problems.empty())
    return std::unexpected(std::move(aliases.problems));
  for (mail::Smarthost& smarthost : settings->smarthosts) config::attach_credentials(smarthost, *entries);
  return Loaded{std::move(*settings), std::move(*entries), std::move(*keys), std::move(aliases),
                std::move(*account)};
}

// Loads a second time: what root sees only says who the user is.
Result<Loaded, config::Problems> load_as_daemon(const std::string& config_file, const LoadCalls& calls) {
  auto loaded = load_everything(config_file, Purpose::check, calls.find);
  if (!loaded || !loaded->account) return loaded;
  if (auto dropped = calls.become(*loaded->account); !dropped)
    return std::unexpected(config::Problems{{config_file, 0, 0, "user", dropped.error().text}});
  return load_everything(config_file, Purpose::check, calls.find);
}

}  // namespace hikyaku::system
