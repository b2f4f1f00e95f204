// SPDX-License-Identifier: MIT
#include "daemon/dkim/key_ring.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::dkim {
namespace {

// An active key of this kind, which is as new as any that comes later, is there already.
bool has_one(const std::vector<DomainKey>& keys, const std::string& domain, KeyKind kind) {
  return std::ranges::any_of(
      keys, [&](const DomainKey& each) { return each.domain == domain && each.key.kind() == kind; });
}

void check_kinds(const std::vector<DomainKey>& keys, config::Problems& problems) {
  for (const DomainKey& each : keys)
    if (each.key.kind() == KeyKind::ed25519 && !has_one(keys, each.domain, KeyKind::rsa))
      problems.push_back(
          {each.file, 0, 0, "",
           cat("needs an RSA key beside it, because many receivers do not verify Ed25519; make "
               "one: hikyaku dkim new ",
               each.domain)});
}

bool is_active(const KeyFile& file) { return file.state == KeyState::active; }

// The files of the keys, and the directory whose keys do not sign because of them.
struct Found {
  std::vector<KeyFile> files;
  std::string passed_over{};
};

Result<Found, config::Problems> find_keys(const config::DkimSettings& settings,
                                          const std::string& credentials_directory) {
  if (!settings.is_explicit) {
    auto credentials = find_key_credentials(credentials_directory);
    if (!credentials) return std::unexpected(std::move(credentials.error()));
    const auto beside = find_key_files(settings).value_or(std::vector<KeyFile>{});
    const bool are_beside = std::ranges::any_of(beside, is_active);
    if (!credentials->empty()) return Found{std::move(*credentials), are_beside ? settings.directory : ""};
  }
  auto files = find_key_files(settings);
  if (!files) return std::unexpected(std::move(files.error()));
  return Found{std::move(*files)};
}

}  // namespace

std::vector<const DomainKey*> KeyRing::keys_for(std::string_view domain) const {
  for (std::string_view at = domain; !at.empty();) {
    std::vector<const DomainKey*> found;
    for (const DomainKey& each : keys_)
      if (each.domain == at) found.push_back(&each);
    if (!found.empty()) return found;
    const std::size_t dot = at.find('.');
    at = dot == at.npos ? std::string_view() : at.substr(dot + 1);
  }
  return {};
}

std::vector<std::string> KeyRing::warnings() const {
  std::vector<std::string> warnings;
  for (const DomainKey& each : keys_)
    if (each.key.kind() == KeyKind::rsa && each.key.bits() < kGoodBits)
      warnings.push_back(cat("the DKIM key ", each.domain, "/", each.selector, " has ",
                             std::to_string(each.key.bits()), " bits, and some receivers distrust less than ",
                             std::to_string(kGoodBits), "; make another one: hikyaku dkim new ",
                             each.domain));
  if (!passed_over_.empty())
    warnings.push_back(cat("the DKIM keys in ", passed_over_,
                           " sign nothing: the service manager hands over keys (LoadCredential=dkim…), which "
                           "are used instead; write `dkim: {directory: ",
                           passed_over_, "}` to use those"));
  return warnings;
}

Result<KeyRingPtr, config::Problems> load_key_ring(const config::DkimSettings& settings,
                                                   const config::AuthinfoReader& reader) {
  auto found = find_keys(settings, reader.credentials_directory);
  if (!found) return std::unexpected(std::move(found.error()));
  std::vector<DomainKey> keys;
  config::Problems problems;
  for (const KeyFile& file : found->files) {
    if (!is_active(file)) continue;
    auto key = read_key_file(file.path, reader);
    if (!key)
      problems.push_back(std::move(key.error()));
    else if (!has_one(keys, file.domain, key->kind()))
      keys.push_back({file.domain, file.selector, std::move(*key), file.path});
  }
  if (problems.empty()) check_kinds(keys, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  std::ranges::sort(keys, {}, [](const DomainKey& each) { return std::pair(each.key.kind(), each.domain); });
  return std::make_shared<const KeyRing>(std::move(keys), settings.headers, std::move(found->passed_over));
}

}  // namespace hikyaku::dkim
