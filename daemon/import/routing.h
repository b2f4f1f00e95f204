// SPDX-License-Identifier: MIT
// Builds `routes` from the tables of another relay, where the most specific entry counts and not the first one:
// recipients before senders, addresses before domains, and longer domains before shorter ones. Pure.
//
//   routing.add_sender("@b.example", "shop"); routing.add_recipient("a.example", "hub"); routing.add_rest("main");
//   routes: [{to: "*@a.example", via: [hub]}, {from: "*@b.example", via: [shop]}, {via: [main]}]
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/import/imported.h"

namespace hikyaku::importing {

class Routing {
 public:
  // `key` is an address, a domain, "@domain" or ".domain" (those below it). False: it is none of these.
  bool add_recipient(std::string_view key, const std::string& smarthost);
  bool add_sender(std::string_view key, const std::string& smarthost);
  // Smarthosts for all other mail, each the next one's fallback.
  void add_rest(const std::string& smarthost) { rest_.push_back(smarthost); }
  bool has_rest() const { return !rest_.empty(); }

  // Into the settings. None are needed where all mail goes the way that `smarthosts` has anyway.
  void put_into(Imported& imported);

 private:
  struct Row {
    mail::AddressPattern pattern;
    std::string smarthost;
  };
  static bool add(std::vector<Row>& rows, std::string_view key, const std::string& smarthost);

  std::vector<Row> recipients_;  // the most specific first
  std::vector<Row> senders_;
  std::vector<std::string> rest_;
};

}  // namespace hikyaku::importing
