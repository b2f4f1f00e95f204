// SPDX-License-Identifier: MIT
#include "daemon/oauth/token_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/checksum.h"
#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/config/secret_file.h"

namespace hikyaku::oauth {
namespace {

constexpr config::SecretWords kFileWords{"the file of tokens", "the tokens in it", "tokens of theirs"};
constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kLargestToken = 64 * 1024;

std::string file_of(const std::string& smarthost) { return cat(smarthost, ".json"); }

std::unexpected<std::string> failed(const spool::DiskError& error) { return std::unexpected(error.text); }

std::optional<WallTime> unless_epoch(WallTime time) {
  return time == WallTime{} ? std::nullopt : std::optional(time);
}

WallTime time_of(const JsonValue& json, std::string_view name) {
  return parse_rfc3339(json.text_of(name)).value_or(WallTime{});
}

// The old draft is a crash's.
Result<void, std::string> write_draft(spool::Disk& disk, const std::string& name, const Secret& text) {
  [[maybe_unused]] auto gone = disk.unlink(name);
  auto file = disk.create(name);
  if (!file) return failed(file.error());
  if (auto written = spool::write_all(**file, text.reveal(), 0); !written) return failed(written.error());
  if (auto flushed = (*file)->flush(); !flushed) return failed(flushed.error());
  if (auto closed = (*file)->close(); !closed) return failed(closed.error());
  return {};
}

// The directory's owner is the daemon's user, whoever reads.
std::string objection_to_file(const std::string& directory, const std::string& file) {
  struct stat place{};
  struct stat status{};
  if (::stat(directory.c_str(), &place) != 0 || ::lstat(cat(directory, "/", file).c_str(), &status) != 0)
    return "";
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  return config::explain_access(status, cat(directory, "/", file), {place.st_uid, place.st_gid, ""},
                                kFileWords);
}

// Its parent is the operator's, or the service manager's.
Result<void, std::string> prepare_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return std::unexpected(cat("cannot create ", directory, ": ", os_error_text(errno)));
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0)
    return std::unexpected(cat(directory, ": ", os_error_text(errno)));
  if ((status.st_mode & 0022) != 0)
    return std::unexpected(cat(directory, " may be written by others than its owner: chmod 0700 it"));
  return {};
}

}  // namespace

std::string client_mark(std::string_view client_id) { return std::to_string(checksum(client_id, 0)); }

void put_into(StoredToken& token, Grant grant, const std::string& asked_scope, WallTime now) {
  token.access_token = std::move(grant.access_token);
  if (!grant.refresh_token.empty()) token.refresh_token = std::move(grant.refresh_token);
  token.scope = grant.scope.empty() ? asked_scope : grant.scope;
  if (!grant.account.empty()) token.account = grant.account;
  token.lifetime = grant.lifetime;
  token.obtained = now;
  token.expires = now + grant.lifetime;
  token.refused.clear();
  token.refused_since = WallTime{};
}

mail::OAuthReport report_on(const StoredToken& token, bool is_login) {
  mail::OAuthReport report{.is_login = is_login, .has_consent = !is_login || !token.refresh_token.empty()};
  report.expires = unless_epoch(token.expires);
  report.refreshed = unless_epoch(token.obtained);
  report.consented = unless_epoch(token.consented);
  report.account = token.account;
  report.scope = token.scope;
  report.refused = token.refused;
  report.since = unless_epoch(token.refused_since);
  report.needs_operator = !report.has_consent || !token.refused.empty();
  return report;
}

Secret to_text(const StoredToken& token) {
  JsonObject json;
  json.add("format", kFormat).add("client", token.client).add("user", token.user).add("scope", token.scope);
  json.add("account", token.account).add("refresh_token", token.refresh_token.reveal());
  json.add("access_token", token.access_token.reveal()).add("expires", unless_epoch(token.expires));
  json.add("lifetime", std::chrono::duration_cast<std::chrono::seconds>(token.lifetime).count());
  json.add("obtained", unless_epoch(token.obtained)).add("consented", unless_epoch(token.consented));
  json.add("refused", token.refused).add("refused_since", unless_epoch(token.refused_since));
  return Secret(cat(json.text(), "\n"));
}

std::optional<StoredToken> parse_stored_token(std::string_view text) {
  auto json = parse_json(trim(text));
  if (!json || json->whole_number_of("format") != kFormat) return std::nullopt;
  StoredToken token;
  token.client = json->text_of("client");
  token.user = json->text_of("user");
  token.scope = json->text_of("scope");
  token.account = json->text_of("account");
  token.refresh_token = Secret(json->text_of("refresh_token"));
  token.access_token = Secret(json->text_of("access_token"));
  token.expires = time_of(*json, "expires");
  token.obtained = time_of(*json, "obtained");
  token.consented = time_of(*json, "consented");
  token.lifetime = std::chrono::seconds(static_cast<std::int64_t>(json->whole_number_of("lifetime")));
  token.refused = json->text_of("refused");
  token.refused_since = time_of(*json, "refused_since");
  return token;
}

TokenStore::TokenStore(std::unique_ptr<spool::Disk> disk, Objection objection)
    : disk_(std::move(disk)), objection_(std::move(objection)) {}

Result<std::optional<StoredToken>, std::string> TokenStore::load(const std::string& smarthost) {
  const std::string name = file_of(smarthost);
  const std::string objection = objection_ ? objection_(name) : "";
  if (!objection.empty()) return std::unexpected(cat(name, ": ", objection));
  auto file = disk_->open_for_reading(name);
  if (!file && file.error().kind == std::errc::no_such_file_or_directory) return std::nullopt;
  if (!file) return failed(file.error());
  auto size = (*file)->size();
  if (!size) return failed(size.error());
  if (*size > kLargestToken) return std::unexpected(cat(name, " is too large for a token"));
  auto text = spool::read_exactly(**file, 0, static_cast<std::size_t>(*size));
  if (!text) return failed(text.error());
  const Secret wiped(std::move(*text));
  auto token = parse_stored_token(wiped.reveal());
  if (!token) return std::unexpected(cat(name, " holds no token that this version can read"));
  return token;
}

Result<void, std::string> TokenStore::save(const std::string& smarthost, const StoredToken& token) {
  const std::string name = file_of(smarthost);
  const std::string draft = cat(name, ".new");
  if (auto written = write_draft(*disk_, draft, to_text(token)); !written) return written;
  if (auto renamed = disk_->rename(draft, name); !renamed) return failed(renamed.error());
  if (auto synced = disk_->sync_directory(""); !synced) return failed(synced.error());
  return {};
}

Result<void, std::string> TokenStore::remove(const std::string& smarthost) {
  auto gone = disk_->unlink(file_of(smarthost));
  if (!gone && gone.error().kind != std::errc::no_such_file_or_directory) return failed(gone.error());
  if (auto synced = disk_->sync_directory(""); !synced) return failed(synced.error());
  return {};
}

Result<std::unique_ptr<TokenStore>, std::string> open_token_store(const std::string& directory) {
  if (auto prepared = prepare_directory(directory); !prepared) return std::unexpected(prepared.error());
  auto disk = spool::open_disk(directory);
  if (!disk) return std::unexpected(cat(directory, ": ", disk.error().text));
  return std::make_unique<TokenStore>(
      std::move(*disk), [directory](const std::string& file) { return objection_to_file(directory, file); });
}

Result<std::unique_ptr<spool::DiskLock>, std::string> lock_token_store(const std::string& directory) {
  if (auto prepared = prepare_directory(directory); !prepared) return std::unexpected(prepared.error());
  auto disk = spool::open_disk(directory);
  if (!disk) return std::unexpected(cat(directory, ": ", disk.error().text));
  auto lock = (*disk)->lock("lock");
  if (lock) return std::move(*lock);
  if (lock.error().kind == std::errc::resource_unavailable_try_again)
    return std::unexpected(cat("another program writes into ", directory, " at this moment"));
  return std::unexpected(cat(directory, ": ", lock.error().text));
}

}  // namespace hikyaku::oauth
