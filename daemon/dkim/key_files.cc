// SPDX-License-Identifier: MIT
#include "daemon/dkim/key_files.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/secret_file.h"
#include "daemon/dns/domain_name.h"

namespace hikyaku::dkim {
namespace {

namespace fs = std::filesystem;

constexpr config::SecretWords kWords{"the signing key", "the signing key in it", "a key of theirs"};
constexpr std::string_view kSuffix = ".key";
constexpr std::pair<KeyState, std::string_view> kStates[] = {
    {KeyState::active, ".key"}, {KeyState::prepared, ".key.prepared"}, {KeyState::retired, ".key.retired"}};

std::string_view suffix_of(KeyState state) {
  return std::ranges::find(kStates, state, &std::pair<KeyState, std::string_view>::first)->second;
}

config::Problem problem_with(const fs::path& path, std::string text) {
  return {path.string(), 0, 0, "", std::move(text)};
}

WallTime time_of(const fs::path& path) {
  std::error_code error;
  const auto changed = fs::last_write_time(path, error);
  if (error) return {};
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::file_clock::to_sys(changed));
}

// What `dkim new` and editors leave there for a moment, and what is hidden.
bool is_passed_over(const std::string& name) { return name.starts_with('.') || name.ends_with(".new"); }

// nullopt: the name is none of a key.
std::optional<KeyFile> key_file_of(const fs::path& path, const std::string& domain) {
  const std::string name = path.filename().string();
  for (const auto& [state, suffix] : kStates) {
    if (!name.ends_with(suffix)) continue;
    KeyFile file{.domain = domain,
                 .selector = name.substr(0, name.size() - suffix.size()),
                 .state = state,
                 .path = path.string(),
                 .since = time_of(path)};
    if (is_selector(file.selector)) return file;
  }
  return std::nullopt;
}

// What systemd calls the file DOMAIN/SELECTOR.key of the directory that is the credential "dkim".
constexpr std::string_view kCredentials = "dkim";
constexpr char kBetween = '_';

// nullopt: the name is none of a key. A domain has no underscore.
std::optional<KeyFile> credential_of(const fs::path& path) {
  const std::string name = path.filename().string().substr(kCredentials.size());
  const auto second = name.find(kBetween, 1);
  if (!name.starts_with(kBetween) || second == name.npos) return std::nullopt;
  const std::string domain = name.substr(1, second - 1);
  auto file = key_file_of(path.parent_path() / name.substr(second + 1), domain);
  if (!file || dns::to_a_labels(domain) != domain) return std::nullopt;
  file->path = path.string();
  file->since = {};
  return file;
}

class Search {
 public:
  void look_into(const fs::path& directory) {
    each_in(directory, [this](const fs::path& path) {
      std::error_code error;
      if (!fs::is_directory(path, error))
        return refuse(path, "is no directory; keys are DOMAIN/SELECTOR.key here");
      const std::string name = path.filename().string();
      if (dns::to_a_labels(name) != name)
        return refuse(path, "is no domain name in lower-case ASCII, so nothing is signed by what is in it");
      each_in(path, [this, &name](const fs::path& file) { take(file, name); });
    });
  }

  void look_into_credentials(const fs::path& directory) {
    each_in(directory, [this](const fs::path& path) {
      if (!path.filename().string().starts_with(kCredentials)) return;
      if (auto file = credential_of(path))
        files_.push_back(std::move(*file));
      else
        refuse(path, cat("is no key: the name of a credential with one is dkim_DOMAIN_SELECTOR", kSuffix,
                         ", as in LoadCredential=dkim_example.com_hk1.key:/etc/credstore/hk1.key"));
    });
  }

  Result<std::vector<KeyFile>, config::Problems> take_result() {
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    std::ranges::sort(files_, [](const KeyFile& a, const KeyFile& b) {
      return std::tie(a.domain, b.since, b.selector) < std::tie(b.domain, a.since, a.selector);
    });
    return std::move(files_);
  }

 private:
  void each_in(const fs::path& directory, const std::function<void(const fs::path&)>& take) {
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
      if (!is_passed_over(it->path().filename().string())) take(it->path());
    if (error) refuse(directory, cat("the directory of signing keys cannot be read: ", error.message()));
  }

  void take(const fs::path& path, const std::string& domain) {
    if (auto file = key_file_of(path, domain))
      files_.push_back(std::move(*file));
    else
      refuse(path, cat("is no key: its name must be SELECTOR", kSuffix,
                       ", and a selector has letters, digits, hyphens, and dots between them"));
  }

  void refuse(const fs::path& path, std::string text) {
    problems_.push_back(problem_with(path, std::move(text)));
  }

  std::vector<KeyFile> files_;
  config::Problems problems_;
};

}  // namespace

std::string_view to_text(KeyState state) {
  switch (state) {
    case KeyState::active: return "active";
    case KeyState::prepared: return "prepared";
    case KeyState::retired: break;
  }
  return "retired";
}

std::string key_path(const std::string& directory, const std::string& domain, const std::string& selector,
                     KeyState state) {
  return cat(directory, "/", domain, "/", selector, suffix_of(state));
}

bool is_selector(std::string_view text) {
  constexpr std::size_t kLongest = 63;
  auto is_label = [](std::string_view label) {
    return !label.empty() && !label.starts_with('-') && !label.ends_with('-') &&
           std::ranges::all_of(label,
                               [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
  };
  return text.size() <= kLongest && std::ranges::all_of(split(text, '.'), is_label);
}

Result<std::vector<KeyFile>, config::Problems> find_key_files(const config::DkimSettings& settings) {
  std::error_code error;
  const auto status = fs::status(settings.directory, error);
  if (status.type() == fs::file_type::not_found && !settings.is_explicit) return std::vector<KeyFile>{};
  Search search;
  search.look_into(settings.directory);
  return search.take_result();
}

Result<std::vector<KeyFile>, config::Problems> find_key_credentials(const std::string& directory) {
  if (directory.empty()) return std::vector<KeyFile>{};
  Search search;
  search.look_into_credentials(directory);
  return search.take_result();
}

Result<SigningKey, config::Problem> read_key_file(const std::string& path,
                                                  const config::AuthinfoReader& reader) {
  auto pem = config::read_secret_file(path, reader, kWords);
  if (!pem) return std::unexpected(problem_with(path, pem.error().text));
  auto key = SigningKey::parse(pem->reveal());
  if (!key) return std::unexpected(problem_with(path, key.error()));
  return std::move(*key);
}

}  // namespace hikyaku::dkim
