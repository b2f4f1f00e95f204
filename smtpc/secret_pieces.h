// SPDX-License-Identifier: MIT
// The pieces that give a password away: each run of eight characters of it in clear, in Base64 at each of its
// three offsets, and of the PLAIN response. A form shorter than eight is one piece. Holds secrets: its memory
// is wiped. Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "daemon/base/secret.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::smtpc {

// Up to eight characters, the first one in the highest byte, zeros behind the last.
class Piece {
 public:
  static constexpr unsigned kLongest = 8;
  Piece() = default;
  explicit Piece(std::string_view text) {
    for (char c : text) *this = then(c);
  }
  // This piece followed by `c`; must be shorter than kLongest.
  Piece then(char c) const {
    Piece longer = *this;
    longer.packed_ |= std::uint64_t{static_cast<unsigned char>(c)} << (56 - 8 * length_);
    ++longer.length_;
    return longer;
  }
  std::uint64_t packed() const { return packed_; }
  unsigned length() const { return length_; }

 private:
  std::uint64_t packed_ = 0;
  unsigned length_ = 0;
};

class SecretPieces {
 public:
  SecretPieces() = default;  // none
  explicit SecretPieces(const mail::Credentials& credentials);

  struct Found {
    bool whole = false;   // `piece` is one of them
    bool begins = false;  // some piece, perhaps a longer one, begins with `piece`
  };
  Found find(Piece piece) const;
  bool empty() const { return pieces_.empty(); }
  // A password of one to three characters occurs by accident in any text, so it counts as a word of its own
  // only, in clear and as the response to LOGIN.
  bool are_words() const { return are_words_; }

 private:
  void add_windows(std::string_view form);
  void add_base64(std::string_view form);
  void add_aligned(std::string_view password, std::size_t offset);

  std::vector<std::uint64_t, WipingAllocator<std::uint64_t>> pieces_;  // sorted
  bool are_words_ = false;
};

}  // namespace hikyaku::smtpc
