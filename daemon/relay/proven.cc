// SPDX-License-Identifier: MIT
#include "daemon/relay/proven.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/io/hashes.h"
#include "daemon/io/work.h"
#include "daemon/system/files.h"

namespace hikyaku::relay {
namespace {

constexpr std::string_view kFirstLine = "proven 2";
constexpr std::size_t kSaltLength = 26;  // 130 bits

// All settings whose change makes a smarthost unproven.
Secret description(const mail::Smarthost& smarthost) {
  std::string all =
      cat(smarthost.host, "\n", std::to_string(smarthost.port), "\n", smarthost.auth ? "auth" : "none", "\n");
  for (const std::string& mechanism : smarthost.mechanisms) all += mechanism + " ";
  const mail::TlsSettings& tls = smarthost.tls;
  all += cat("\n", std::to_string(static_cast<int>(tls.mode)), tls.verify ? "v" : "-", tls.hostname, "\n",
             tls.ca_file, "\n", tls.fingerprint, "\n", tls.client_cert, "\n", tls.client_key, "\n",
             mail::fingerprint(smarthost.rewrite), smarthost.lookup_mx ? "\nmx" : "");
  if (smarthost.oauth)
    all += cat("\n", smarthost.user, "\n", smarthost.oauth->client_id, "\n", smarthost.oauth->token_url, "\n",
               smarthost.oauth->scope);
  if (!smarthost.credentials) return Secret(std::move(all));
  const mail::Credentials& credentials = *smarthost.credentials;
  return Secret(cat(all, credentials.authzid, "\n", credentials.user, "\n", credentials.realm, "\n",
                    credentials.password.reveal()));
}

// A fast hash suffices where there is no password to guess.
std::optional<std::string> hash_of(const Secret& description, bool has_password, const std::string& salt) {
  if (has_password) return io::slow_hash(description.reveal(), salt);
  return std::to_string(checksum(cat(salt, description.reveal()), 0));
}

bool has_password(const mail::Smarthost& smarthost) {
  return smarthost.credentials && !smarthost.credentials->password.empty();
}

bool is_plain_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_digit(c) || is_alpha(c); });
}

}  // namespace

// A first line, then a line "SALT HASH NAME" for each smarthost; a name may hold blanks.
std::string to_text(const ProvenMarks& marks) {
  std::string text = cat(kFirstLine, "\n");
  for (const auto& [name, mark] : marks) text += cat(mark.salt, " ", mark.hash, " ", name, "\n");
  return text;
}

std::optional<ProvenMarks> parse_proven_file(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  ProvenMarks marks;
  const auto lines = split(text.substr(0, text.size() - 1), '\n');
  if (lines.front() != kFirstLine) return std::nullopt;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto salt = std::min(lines[i].find(' '), lines[i].size());
    const auto hash = std::min(lines[i].find(' ', salt + 1), lines[i].size());
    if (hash == lines[i].size()) return std::nullopt;
    ProvenMark mark{std::string(lines[i].substr(0, salt)),
                    std::string(lines[i].substr(salt + 1, hash - salt - 1))};
    if (!is_plain_word(mark.salt) || !is_plain_word(mark.hash)) return std::nullopt;
    marks[std::string(lines[i].substr(hash + 1))] = std::move(mark);
  }
  return marks;
}

Proven::Proven(std::string file) : file_(std::move(file)) {
  std::ifstream in(file_);
  if (!in) return;
  auto marks = parse_proven_file(std::string(std::istreambuf_iterator<char>(in), {}));
  if (marks)
    marks_ = std::move(*marks);
  else
    save();
}

bool Proven::is_proven(const mail::Smarthost& smarthost) {
  Secret present = description(smarthost);
  const auto known = known_.find(smarthost.name);
  if (known != known_.end()) return known->second == present;
  if (!fits_mark(smarthost, present)) return false;
  known_[smarthost.name] = std::move(present);
  return true;
}

// A mark that does not fit is not checked again: the slow hash would cost its time at each reload.
bool Proven::fits_mark(const mail::Smarthost& smarthost, const Secret& description) {
  const auto mark = marks_.find(smarthost.name);
  if (mark == marks_.end()) return false;
  if (hash_of(description, has_password(smarthost), mark->second.salt) == mark->second.hash) return true;
  marks_.erase(mark);
  return false;
}

Task<void> Proven::note(io::Loop& loop, mail::Smarthost smarthost) {
  Secret present = description(smarthost);
  Secret& known = known_[smarthost.name];
  if (known == present) co_return;
  known = present;
  if (file_.empty()) co_return;
  const std::string salt = random_token(kSaltLength);
  auto hash = co_await io::run_on_pool(loop, [&] { return hash_of(present, has_password(smarthost), salt); });
  if (!hash || known_[smarthost.name] != present) co_return;
  marks_[smarthost.name] = {salt, *hash};
  save();
}

std::optional<ProvenMark> Proven::mark_of(const mail::Smarthost& smarthost) const {
  const auto known = known_.find(smarthost.name);
  const auto mark = marks_.find(smarthost.name);
  const bool is_present = known != known_.end() && known->second == description(smarthost);
  return is_present && mark != marks_.end() ? std::optional(mark->second) : std::nullopt;
}

Task<bool> Proven::fits(io::Loop& loop, mail::Smarthost smarthost, ProvenMark mark) {
  const Secret present = description(smarthost);
  auto hash =
      co_await io::run_on_pool(loop, [&] { return hash_of(present, has_password(smarthost), mark.salt); });
  co_return hash == mark.hash;
}

void Proven::adopt(const mail::Smarthost& smarthost, ProvenMark mark) {
  known_[smarthost.name] = description(smarthost);
  marks_[smarthost.name] = std::move(mark);
  if (!file_.empty()) save();
}

void Proven::save() const {
  [[maybe_unused]] auto saved =
      system::replace_file(file_, to_text(marks_));  // if that fails: more caution after a restart
}

}  // namespace hikyaku::relay
