// SPDX-License-Identifier: MIT
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/config/load.h"

namespace hikyaku::config {
namespace {

using mail::Smarthost;
using mail::TlsMode;

struct Doubt {
  bool (*applies)(const Smarthost&);
  std::string_view text;
};

constexpr Doubt kDoubts[] = {
    {[](const Smarthost& s) { return s.tls.mode == TlsMode::none; },
     "`tls: none` sends mail unencrypted, and everyone on the way can read it"},
    {[](const Smarthost& s) {
       return s.tls.mode != TlsMode::none && !s.tls.verify && s.tls.fingerprint.empty();
     },
     "`tls_verify: false` lets anyone on the way pose as this smarthost, and read the password; pin its "
     "certificate "
     "with `tls_fingerprint` instead"},
    {[](const Smarthost& s) { return s.tls.min_version < mail::TlsVersion::tls1_2; },
     "`tls_min_version` below 1.2 allows broken encryption, and lowers OpenSSL's security level for this "
     "smarthost"},
    {[](const Smarthost& s) { return s.allow_plaintext_auth; },
     "`allow_plaintext_auth` lets the password cross an unencrypted connection"},
    {[](const Smarthost& s) { return s.port == 465 && s.tls.mode != TlsMode::implicit; },
     "port 465 usually speaks implicit TLS: without `tls: implicit` the connection hangs"},
    {[](const Smarthost& s) { return (s.port == 587 || s.port == 25) && s.tls.mode == TlsMode::implicit; },
     "this port usually does not speak implicit TLS: `tls: starttls` is what goes with it"},
};

bool is_whole_internet(const Network& network) { return network.to_text().ends_with("/0"); }

}  // namespace

std::vector<std::string> warnings(const Settings& settings) {
  std::vector<std::string> found;
  for (const Smarthost& smarthost : settings.smarthosts)
    for (const Doubt& doubt : kDoubts)
      if (doubt.applies(smarthost)) found.push_back(cat("smarthost ", smarthost.name, ": ", doubt.text));
  bool is_reachable = std::ranges::any_of(
      settings.listen.endpoints, [](const Endpoint& endpoint) { return !endpoint.address.is_loopback(); });
  if (is_reachable && std::ranges::any_of(settings.allow, is_whole_internet))
    found.push_back(
        "`allow` lets every address send: whoever can reach this machine sends with your account");
  return found;
}

}  // namespace hikyaku::config
