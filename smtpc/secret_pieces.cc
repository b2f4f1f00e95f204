// SPDX-License-Identifier: MIT
#include "smtpc/secret_pieces.h"

#include <algorithm>
#include <string>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

constexpr std::size_t kShortWord = 3;

// RFC 4616
Secret plain_response(const mail::Credentials& credentials) {
  const char nul[] = {'\0'};
  const std::string_view separator(nul, 1);
  return Secret(
      cat(credentials.authzid, separator, credentials.user, separator, credentials.password.reveal()));
}

}  // namespace

SecretPieces::SecretPieces(const mail::Credentials& credentials) {
  const std::string_view password = credentials.password.reveal();
  if (password.empty()) return;
  are_words_ = password.size() <= kShortWord;
  add_windows(password);
  add_base64(Secret(to_base64(plain_response(credentials).reveal())).reveal());
  if (are_words_) add_base64(Secret(to_base64(password)).reveal());
  for (std::size_t offset = 0; offset < 3 && !are_words_; ++offset) add_aligned(password, offset);
  std::ranges::sort(pieces_);
  auto repeated = std::ranges::unique(pieces_);
  pieces_.erase(repeated.begin(), repeated.end());
}

void SecretPieces::add_windows(std::string_view form) {
  for (std::size_t at = 0; at == 0 || at + Piece::kLongest <= form.size(); ++at)
    pieces_.push_back(Piece(form.substr(at, Piece::kLongest)).packed());
}

// In the alphabet of URLs (RFC 4648 5), too.
void SecretPieces::add_base64(std::string_view form) {
  add_windows(form);
  if (form.find_first_of("+/") == form.npos) return;
  std::string other(form);
  std::ranges::replace(other, '+', '-');
  std::ranges::replace(other, '/', '_');
  add_windows(Secret(std::move(other)).reveal());
}

// The Base64 characters that hold bits of a password with `offset` bytes before it, modulo 3. The first and
// the last may hold bits of its neighbours as well: these take all their values. Only pieces at the edges
// differ by them.
void SecretPieces::add_aligned(std::string_view password, std::size_t offset) {
  const std::size_t bits = 8 * (offset + password.size());
  const unsigned befores = 1U << 8 * offset % 6;
  const unsigned afters = 1U << (6 - bits % 6) % 6;
  const std::size_t count = (bits + 5) / 6 - offset;
  const bool is_long = count > Piece::kLongest;
  for (unsigned before = 0; before < befores; ++before) {
    for (unsigned after = 0; after < afters; ++after) {
      if (is_long && before > 0 && after > 0) break;
      const char behind = static_cast<char>(after * 256 / afters);
      Secret whole(cat(std::string(offset, static_cast<char>(before)), password, std::string(1, behind)));
      Secret encoded(to_base64(whole.reveal()));
      std::string_view form = encoded.reveal().substr(offset, count);
      if (is_long && before > 0) form = form.substr(0, Piece::kLongest);
      if (is_long && after > 0) form = form.substr(count - Piece::kLongest);
      add_base64(form);
    }
  }
}

SecretPieces::Found SecretPieces::find(Piece piece) const {
  const auto at = std::ranges::lower_bound(pieces_, piece.packed());
  if (at == pieces_.end()) return {};
  const unsigned unused = 64 - 8 * piece.length();
  return {.whole = *at == piece.packed(), .begins = *at >> unused == piece.packed() >> unused};
}

}  // namespace hikyaku::smtpc
