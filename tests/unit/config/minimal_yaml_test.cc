// SPDX-License-Identifier: MIT
#include "daemon/config/effective.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

std::string shortest(std::string_view text) {
  auto settings = load_text(text, "h.yaml", {});
  REQUIRE(settings);
  return minimal_yaml(*settings);
}

TEST_CASE("config: the shortest file for defaults is one line") {
  for (const char* line :
       {"smarthost: smtps://smtp.example.com\n", "smarthost: submission://smtp.example.com\n",
        "smarthost: smtp://smtp.example.com\n", "smarthost: submission://smtp.example.com:2587\n",
        "smarthost: smtps://[2001:db8::1]:4465\n"})
    CHECK(shortest(line) == line);
  CHECK(settings_of(shortest("smarthost: 'mx:'\n")) == settings_of("smarthost: 'mx:'\n"));
}

TEST_CASE("config: the shortest file gives the same settings when it is read") {
  for (const char* text :
       {"smarthosts: [{host: a.example, port: 25, tls: starttls}]\n",
        "smarthosts: [{host: a.example, tls: none, tls_verify: false}]\n",
        "smarthosts: [{name: main, host: a.example, lookup: mx, port: 2525, tls: implicit}]\n",
        "smarthosts: [{host: a.example, port: 587, user: 'it''s # me', from: me@a.example}]\n",
        "smarthosts: [{host: a.example, rewrite: {envelope_from: me@a.example, unless: ['*@b.example']}}]\n",
        "smarthosts: [{host: a.example, from: me@a.example, rewrite: {keep_original: none}}]\n",
        "smarthosts: [{preset: microsoft365, user: me@a.example}]\n",
        "smarthosts: [{name: a, host: a.example}, {url: 'mx:'}]\n"
        "routes: [{from: '*@b.example', via: [a]}, {to: [c@d.example], via: [direct, a]}, {via: [[a, "
        "direct]]}]\n",
        "smarthost: smtp://a.example\nhostname: app1.b.example\ndomain: b.example\nallow: [10.0.0.0/8, "
        "'::1']\n"
        "listen: ['0.0.0.0:25', '[::]:25']\nlocal_mail: me@b.example\naliases: /etc/mail/aliases\n"
        "message: {max_size: 10MiB}\nqueue: {lifetime: 2d, retry: {first: 1m}, bounce: {return: full}}\n"
        "masquerade: [app1.b.example]\ncopy_to: archive@b.example\n"}) {
    const std::string again = shortest(text);
    CAPTURE(again);
    CHECK(settings_of(again) == settings_of(text));
    CHECK(shortest(again) == again);
  }
}

TEST_CASE("config: the shortest file says nothing that is as by default") {
  const std::string text = shortest("smarthosts: [{host: a.example, port: 587, connections: 2}]\n");
  CHECK(text == "smarthosts:\n  - host: a.example\n    port: 587\n    connections: 2\n");
  const std::string routed = "smarthosts:\n  - name: a\n    host: a.example\n  - host: b.example\n";
  const std::string routes = "routes:\n  - {from: c@d.example, via: [a]}\n  - {via: [a, b.example]}\n";
  CHECK(shortest(cat(routed, routes)) == cat(routed, routes));
  CHECK(shortest("smarthost: smtp://a.example\nmessage: {max_size: 50MiB, max_hops: 9}\n") ==
        "smarthost: smtp://a.example\nmessage: {max_hops: 9}\n");
}

}  // namespace
}  // namespace hikyaku::config
