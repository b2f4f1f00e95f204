// SPDX-License-Identifier: MIT
#include "daemon/setup/dkim_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/system/file_edit.h"
#include "daemon/system/loading.h"

namespace hikyaku::setup {
namespace {

namespace fs = std::filesystem;

using dkim::KeyKind;
using dkim::KeyState;

constexpr std::string_view kAsRoot = "; run this as root";

std::unexpected<StartError> os_failure(const std::string& path) {
  const int error = errno;
  const bool is_denied = error == EACCES || error == EPERM;
  return fail(is_denied ? Exit::no_permission : Exit::cannot_create,
              cat(path, ": ", os_error_text(error), is_denied ? kAsRoot : ""));
}

std::unexpected<StartError> edit_failure(const system::FileEditError& error) {
  const bool is_denied = error.kind == std::errc::permission_denied;
  return fail(is_denied ? Exit::no_permission : Exit::cannot_create,
              cat(error.text, is_denied ? kAsRoot : ""));
}

// Whoever may read the keys may look for them.
Result<void, StartError> make_directory(const std::string& path, const system::FileAccess& access) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST) return {};
    return os_failure(path);
  }
  const bool is_given = access.group && ::chown(path.c_str(), static_cast<uid_t>(-1), *access.group) == 0 &&
                        ::chmod(path.c_str(), 0750) == 0;
  if (access.group && !is_given) return os_failure(path);
  return {};
}

bool is_active(const StoredKey& key, const std::string& domain, KeyKind kind) {
  return key.file.domain == domain && key.file.state == KeyState::active && key.key.kind() == kind;
}

bool is_same(const StoredKey& a, const StoredKey& b) {
  return a.file.domain == b.file.domain && a.file.selector == b.file.selector;
}

}  // namespace

Result<std::vector<StoredKey>, StartError> DkimStore::list(const std::string& domain) const {
  if (::access(settings_.directory.c_str(), R_OK | X_OK) != 0 && errno == EACCES)
    return os_failure(settings_.directory);
  auto files = dkim::find_key_files({.directory = settings_.directory, .is_explicit = false});
  if (!files) return fail(Exit::configuration, config::to_text(files.error(), "\n"));
  std::vector<StoredKey> keys;
  config::Problems problems;
  for (dkim::KeyFile& file : *files) {
    if (!domain.empty() && file.domain != domain) continue;
    auto key = dkim::read_key_file(file.path, system::reader_for(daemon_));
    if (key)
      keys.push_back({std::move(file), std::move(*key)});
    else
      problems.push_back(std::move(key.error()));
  }
  if (!problems.empty()) return fail(Exit::configuration, config::to_text(problems, "\n"));
  return keys;
}

Result<StoredKey, StartError> DkimStore::find(const std::string& domain, const std::string& selector) const {
  auto keys = list(domain);
  if (!keys) return std::unexpected(keys.error());
  auto found =
      std::ranges::find_if(*keys, [&](const StoredKey& each) { return each.file.selector == selector; });
  if (found != keys->end()) return std::move(*found);
  return fail(Exit::no_input, cat("there is no key ", printable(domain), "/", printable(selector), " in ",
                                  directory(), "; 'hikyaku dkim list' shows all"));
}

Result<StoredKey, StartError> DkimStore::create(const std::string& domain, const std::string& selector,
                                                KeyKind kind) const {
  const auto access = system::access_for_secrets(daemon_);
  for (const std::string& path : {directory(), cat(directory(), "/", domain)})
    if (auto made = make_directory(path, access); !made) return std::unexpected(made.error());
  const std::string path = dkim::key_path(directory(), domain, selector, KeyState::prepared);
  const auto edit = system::FileEdit::begin(path);
  if (!edit) return edit_failure(edit.error());
  for (KeyState state : {KeyState::active, KeyState::prepared, KeyState::retired})
    if (const auto taken = dkim::key_path(directory(), domain, selector, state); fs::exists(taken))
      return fail(Exit::usage, cat(taken, " is there; name another selector with --selector"));
  auto key = dkim::SigningKey::generate(kind);
  if (!key) return fail(Exit::internal, key.error());
  if (auto written = edit->replace(key->to_pem().reveal(), access); !written)
    return edit_failure(written.error());
  return find(domain, selector);
}

// The time says since when the key is in its state.
Result<void, StartError> DkimStore::move(const StoredKey& key, KeyState to) const {
  const std::string target = dkim::key_path(directory(), key.file.domain, key.file.selector, to);
  const auto lock = system::FileEdit::begin(target);
  if (!lock) return edit_failure(lock.error());
  if (::utimensat(AT_FDCWD, key.file.path.c_str(), nullptr, 0) != 0) return os_failure(key.file.path);
  if (std::rename(key.file.path.c_str(), target.c_str()) != 0) return os_failure(target);
  const Fd folder(::open(fs::path(target).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return os_failure(target);
  return {};
}

// The new one first: between the two renames a crash leaves both, of which the newer one signs.
Result<std::vector<StoredKey>, StartError> DkimStore::activate(const StoredKey& key) const {
  auto keys = list(key.file.domain);
  if (!keys) return std::unexpected(keys.error());
  const bool has_rsa = std::ranges::any_of(
      *keys, [&](const StoredKey& each) { return is_active(each, key.file.domain, KeyKind::rsa); });
  if (key.key.kind() == KeyKind::ed25519 && !has_rsa)
    return fail(Exit::usage,
                cat("an Ed25519 key signs beside an RSA key only, because many receivers do not verify "
                    "it; make one: hikyaku dkim new ",
                    key.file.domain));
  if (auto moved = move(key, KeyState::active); !moved) return std::unexpected(moved.error());
  std::vector<StoredKey> retired;
  for (StoredKey& each : *keys) {
    if (is_same(each, key) || !is_active(each, key.file.domain, key.key.kind())) continue;
    if (auto moved = move(each, KeyState::retired); !moved) return std::unexpected(moved.error());
    retired.push_back(std::move(each));
  }
  return retired;
}

Result<void, StartError> DkimStore::retire(const StoredKey& key) const {
  auto keys = list(key.file.domain);
  if (!keys) return std::unexpected(keys.error());
  auto count = [&](KeyKind kind) {
    return std::ranges::count_if(*keys, [&](const StoredKey& each) {
      return !is_same(each, key) && is_active(each, key.file.domain, kind);
    });
  };
  if (key.key.kind() == KeyKind::rsa && count(KeyKind::rsa) == 0 && count(KeyKind::ed25519) > 0)
    return fail(Exit::usage, "the Ed25519 key beside it would sign alone; retire that one first");
  return move(key, KeyState::retired);
}

std::string free_selector(const std::vector<StoredKey>& keys, WallTime now) {
  const std::string day = to_rfc3339(now);
  const std::string month = cat("hk", day.substr(0, 4), day.substr(5, 2));
  std::string selector = month;
  auto is_taken = [&](const StoredKey& each) { return each.file.selector == selector; };
  for (int next = 2; std::ranges::any_of(keys, is_taken); ++next)
    selector = cat(month, "-", std::to_string(next));
  return selector;
}

}  // namespace hikyaku::setup
