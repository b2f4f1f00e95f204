// SPDX-License-Identifier: MIT
// All of it put together: the stub resolver, the cache and the search for mail servers, with the settings that
// a reload changes. The loop's thread.
#pragma once

#include "daemon/dns/mx_resolver.h"
#include "daemon/dns/record_cache.h"
#include "daemon/dns/stub_resolver.h"

namespace hikyaku::dns {

class Client {
 public:
  // The loop outlives the client; no look-up is under way when the client goes.
  Client(io::Loop& loop, Ourselves ourselves)
      : stub_(loop), cache_(loop, stub_), mail_servers_(loop, cache_, std::move(ourselves)) {}

  // `server`: whom to ask instead of those in resolv.conf. `hostname`: ours, in EHLO.
  void configure(std::optional<Endpoint> server, std::string hostname) {
    mail_servers_.set_hostname(std::move(hostname));
    if (!stub_.use_server(server)) return;
    cache_.forget();
    mail_servers_.forget_evidence();
  }

  DestinationResolver& destinations() { return mail_servers_; }
  RecordSource& records() { return cache_; }

 private:
  StubResolver stub_;
  RecordCache cache_;
  MxResolver mail_servers_;
};

}  // namespace hikyaku::dns
