// SPDX-License-Identifier: MIT
#include "daemon/app/reload.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::app;

TEST_CASE("app: a reload keeps what only a restart changes, and names it") {
  config::Settings running;
  running.listen = {{Endpoint::parse("127.0.0.1:25").value()}, true};
  running.spool.directory = "/var/spool/here";
  config::Settings fresh = running;
  fresh.listen = {{Endpoint::parse("127.0.0.1:26").value()}, true};
  fresh.user = "relay";
  fresh.runtime_directory = "/run/there";
  fresh.spool = {.directory = "/var/spool/there", .min_free = 1_MiB, .segment_size = 1_MiB};
  fresh.memory = 1_MiB;
  fresh.hostname = "new.example.com";
  auto kept = keep_until_restart(running, fresh);
  CHECK(kept == std::vector<std::string>{"listen", "user", "runtime_directory", "spool.directory",
                                         "spool.segment_size", "spool.min_free", "memory"});
  CHECK(fresh.hostname == "new.example.com");
  fresh.hostname.clear();
  CHECK(fresh == running);
}

TEST_CASE("app: a reload of what can be changed names nothing") {
  config::Settings running;
  config::Settings fresh;
  fresh.queue.lifetime = 1h;
  fresh.limits.connections = 7;
  CHECK(keep_until_restart(running, fresh).empty());
  CHECK(fresh.limits.connections == 7);
}

TEST_CASE("app: the server side gets the configuration's names and limits") {
  config::Settings settings;
  settings.hostname = "app1.example.com";
  settings.domain = "example.com";
  settings.message = {.max_size = 2_MiB, .max_recipients = 3, .max_hops = 4};
  settings.limits = {.connections = 5, .per_client = 6};
  settings.allow = {Network::parse("192.0.2.0/24").value()};
  auto options = acceptor_options(settings, "token");
  CHECK(options.session->hostname == "app1.example.com");
  CHECK(options.session->domain == "example.com");
  CHECK(options.session->token == "token");
  CHECK(options.session->limits.max_size == (2_MiB).bytes);
  CHECK(options.session->limits.max_recipients == 3);
  CHECK(options.session->limits.max_hops == 4);
  CHECK(options.policy.connections == 5);
  CHECK(options.policy.per_client == 6);
  CHECK(options.policy.allow == settings.allow);
  CHECK(options.session->starttls == nullptr);
  CHECK_FALSE(options.session->auth);
}

TEST_CASE("app: the spool gets its sizes") {
  config::Settings settings;
  settings.spool = {.directory = "", .min_free = 3_MiB, .segment_size = 1_MiB};
  settings.memory = 9_MiB;
  auto options = spool_options(settings);
  CHECK(options.min_free == 3_MiB);
  CHECK(options.segment_size == 1_MiB);
  CHECK(options.memory == 9_MiB);
}
