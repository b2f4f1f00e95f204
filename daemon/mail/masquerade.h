// SPDX-License-Identifier: MIT
// Host names that must not show: `masquerade` makes them `domain` in the addresses of senders, in the envelope and
// in the header fields that name one. Recipients stay as they are, and so does everything else in a field, display
// names byte by byte. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::mail {

struct Masquerade {
  std::vector<std::string> hosts;  // compared without regard to ASCII case; names below them are others
  std::string domain;

  bool hides(std::string_view host) const;
  // The address as the world sees it; `address` is one as parse_path (address.h) returns it, or empty.
  std::string apply(std::string address) const;
  // The same for each mailbox of a field. `value` is the text after its colon, with folds and line end. Returns
  // whether it changed. Comments inside an address that changes are lost.
  bool apply_to_field(std::string& value) const;
};

// From, Sender, Reply-To, and the same with Resent-.
bool is_sender_field(std::string_view name);

}  // namespace hikyaku::mail
