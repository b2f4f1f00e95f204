// SPDX-License-Identifier: MIT
// Where Postfix sends mail, as smarthosts, routes and log-ins: relayhost, the maps by sender and by recipient,
// smtp_sasl_*; and how it uses TLS there, per next hop: smtp_tls_security_level and its predecessors,
// smtp_tls_policy_maps, certificates and protocols. Pure but for ReadText.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/import/imported.h"
#include "daemon/import/postfix_parameters.h"

namespace hikyaku::importing {

void import_postfix_smarthosts(const PostfixParameters& parameters, const ReadText& read, Imported& imported);

// The names of the parameters that this looks at.
bool is_about_postfix_smarthosts(std::string_view parameter);

class PostfixTls {
 public:
  PostfixTls(const PostfixParameters& parameters, const ReadText& read, Imported& imported);

  static bool knows(std::string_view parameter);
  // What is wished for this next hop, as it is written in the configuration.
  void apply(std::string_view next_hop, Hop& hop) const;
  // What its policy says beyond that: names, fingerprints.
  mail::Smarthost& refine(std::string_view next_hop, mail::Smarthost& smarthost) const;
  // What holds for all smarthosts that are there: certificates, protocols.
  void import_common();

 private:
  const MapRow* policy_for(std::string_view next_hop) const;
  std::string level_for(std::string_view next_hop) const;
  void import_protocols();
  void import_client_certificate();

  const PostfixParameters& parameters_;
  Imported& imported_;
  std::vector<MapRow> policies_;
};

}  // namespace hikyaku::importing
