// SPDX-License-Identifier: MIT
#include "daemon/app/proven.h"

#include <fstream>
#include <utility>

#include "daemon/app/replace_file.h"
#include "daemon/base/checksum.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

// Everything whose change makes a smarthost another one.
std::string description(const mail::Smarthost& smarthost) {
  std::string all =
      cat(smarthost.host, "\n", std::to_string(smarthost.port), "\n", smarthost.auth ? "auth" : "none", "\n");
  for (const std::string& mechanism : smarthost.mechanisms) all += mechanism + " ";
  const mail::TlsSettings& tls = smarthost.tls;
  all += cat("\n", std::to_string(static_cast<int>(tls.mode)), tls.verify ? "v" : "-", tls.hostname, "\n",
             tls.ca_file, "\n", tls.fingerprint, "\n", tls.client_cert, "\n", tls.client_key, "\n");
  if (smarthost.credentials)
    all += cat(smarthost.credentials->authzid, "\n", smarthost.credentials->user, "\n",
               smarthost.credentials->realm, "\n", smarthost.credentials->password.reveal());
  return all;
}

}  // namespace

// One line "salt N", then "MARK NAME" each.
Proven::Proven(std::string file) : file_(std::move(file)), salt_(random_number()) {
  std::ifstream in(file_);
  std::string word;
  std::uint64_t salt = 0;
  if (!(in >> word >> salt) || word != "salt") return;
  salt_ = salt;
  std::uint32_t mark = 0;
  while (in >> mark && std::getline(in >> std::ws, word)) marks_[word] = mark;
}

std::uint32_t Proven::mark_of(const mail::Smarthost& smarthost) const {
  return static_cast<std::uint32_t>(checksum(Secret(description(smarthost)).reveal(), salt_));
}

bool Proven::is_proven(const mail::Smarthost& smarthost) const {
  auto found = marks_.find(smarthost.name);
  return found != marks_.end() && found->second == mark_of(smarthost);
}

void Proven::note(const mail::Smarthost& smarthost) {
  if (is_proven(smarthost)) return;
  marks_[smarthost.name] = mark_of(smarthost);
  if (!file_.empty()) save();
}

void Proven::save() const {
  std::string text = cat("salt ", std::to_string(salt_), "\n");
  for (const auto& [name, mark] : marks_) text += cat(std::to_string(mark), " ", name, "\n");
  [[maybe_unused]] auto saved = replace_file(file_, text);  // if not: more caution after a restart
}

}  // namespace hikyaku::app
