// SPDX-License-Identifier: MIT
#include "daemon/app/sendmail_services.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "daemon/config/load.h"

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

config::Settings services_with(const std::string& more) {
  auto settings = config::load_text(cat("smarthost: smtps://smtp.example.com\n", more), "hikyaku.yaml",
                                    {"app1.example.com"});
  REQUIRE(settings);
  return *settings;
}

}  // namespace

TEST_CASE("app: sendmail is told where everything is, and the limits") {
  auto settings = services_with(
      "domain: example.com\naliases: /srv/aliases\nlocal_mail: o@x.example\nruntime_directory: /srv/run\n"
      "spool: {directory: /srv/spool}\nmessage: {max_size: 1MiB, max_recipients: 7}\n");
  CHECK(sendmail_conf_path(settings) == "/srv/spool/sendmail.conf");
  CHECK(sendmail_conf(settings, Endpoint::parse("127.0.0.1:2525")) ==
        "hikyaku-sendmail 1\nsubmit_socket /srv/run/submit.sock\ncontrol_socket /srv/run/control.sock\n"
        "drop /srv/spool/drop\nlisten 127.0.0.1:2525\nhostname app1.example.com\ndomain example.com\n"
        "aliases /srv/aliases\nlocal_mail o@x.example\nmax_size 1048576\nmax_recipients 7\nmin_free "
        "67108864\n");
}

TEST_CASE("app: sendmail is told an address that can be called, or none") {
  auto settings = services_with("");
  auto told = [&](const char* listening) {
    return sendmail_conf(settings, Endpoint::parse(listening)).find(" 127.0.0.1:25\n") != std::string::npos;
  };
  CHECK(told("0.0.0.0:25"));
  CHECK(sendmail_conf(settings, Endpoint::parse("[::]:25")).find("listen [::1]:25\n") != std::string::npos);
  CHECK(sendmail_conf(settings, {}).find("listen") == std::string::npos);
}
