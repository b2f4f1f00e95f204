// SPDX-License-Identifier: MIT
// The tokens of a smarthost on the disk: `oauth_directory`/NAME.json, 0600. A file is replaced as a whole:
// written under another name, flushed, renamed, and the directory flushed, so a crash at any moment leaves
// the old token or the new one. save() returns only when the new one is durable: a rotated refresh token is
// the only one that still works. One writer, which is the daemon while it runs. A file that others may read
// is refused, because it can send mail. Blocks: belongs on the pool. `Disk` is the spool's, so that tests can
// cut the power at each step.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/secret.h"
#include "daemon/mail/queue_state.h"
#include "daemon/oauth/token_answer.h"
#include "spool/disk.h"

namespace hikyaku::oauth {

// What is kept. Everything but the refresh token can be asked for again.
struct StoredToken {
  std::string client;  // client_mark() of the client id that it belongs to: another one's is not used
  std::string user;
  std::string scope;    // as granted
  std::string account;  // who consented, if the provider said so
  Secret refresh_token;
  Secret access_token;
  WallTime expires{};    // of the access token
  WallTime obtained{};   // when the provider answered last
  WallTime consented{};  // when somebody consented; the epoch: nobody had to
  Duration lifetime{0};  // of the access token, as the answer said
  std::string refused;   // why the provider refuses us; empty: it does not
  WallTime refused_since{};
  bool operator==(const StoredToken&) const = default;
};

std::string client_mark(std::string_view client_id);

// What the provider has given at `now` becomes part of it, and no refusal is left. Of what it has not given, the scope is
// the one that was asked for; refresh token and account stay.
void put_into(StoredToken& token, Grant grant, const std::string& asked_scope, WallTime now);

// How it stands, as far as the token alone tells. With the flow `login` somebody has to consent.
mail::OAuthReport report_on(const StoredToken& token, bool is_login);

// JSON, a secret as a whole. Pure. nullopt for what is none of ours, or of a later format.
Secret to_text(const StoredToken& token);
std::optional<StoredToken> parse_stored_token(std::string_view text);

class TokenStore {
 public:
  // Says what is wrong with who may read the file of this name; empty if nothing is, or if it is not there.
  using Objection = std::function<std::string(const std::string& file)>;

  explicit TokenStore(std::unique_ptr<spool::Disk> disk, Objection objection = {});

  // nullopt if there is none. The error says what is wrong with the file, and names it.
  Result<std::optional<StoredToken>, std::string> load(const std::string& smarthost);
  Result<void, std::string> save(const std::string& smarthost, const StoredToken& token);
  Result<void, std::string> remove(const std::string& smarthost);

 private:
  std::unique_ptr<spool::Disk> disk_;
  Objection objection_;
};

// In a real directory, which is created, 0700, where it is missing and its parent is there. The error names
// it.
Result<std::unique_ptr<TokenStore>, std::string> open_token_store(const std::string& directory);

// Held while a program other than the daemon writes; EAGAIN becomes words. The daemon holds it as long as it
// runs.
Result<std::unique_ptr<spool::DiskLock>, std::string> lock_token_store(const std::string& directory);

}  // namespace hikyaku::oauth
