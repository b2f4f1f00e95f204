// SPDX-License-Identifier: MIT
#include "daemon/dns/domain_name.h"

#include <doctest/doctest.h>

#include <string>

using namespace hikyaku;
using namespace hikyaku::dns;

TEST_CASE("domain name: lower case, without the root's dot") {
  CHECK(to_a_labels("Shop.Example.COM.") == "shop.example.com");
  CHECK(to_a_labels("_dmarc.example") == "_dmarc.example");
}

TEST_CASE("domain name: letters beyond ASCII become A-labels") {
  CHECK(to_a_labels("b\u00fccher.example") == "xn--bcher-kva.example");
  CHECK(to_a_labels("B\u00dcCHER.example") == "xn--bcher-kva.example");
  CHECK(to_a_labels("\u98db\u811a.jp") == "xn--w40al00c.jp");
  CHECK(to_a_labels("stra\u00dfe.example") == "xn--strae-oqa.example");
}

TEST_CASE("domain name: what is none is refused") {
  const std::string long_label(64, 'a');
  const std::string long_name = std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                                std::string(60, 'c') + "." + std::string(60, 'd') + "." +
                                std::string(20, 'e');
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("a..b"), std::string("-a.example"),
        std::string("a-.example"), std::string("a b.example"), std::string("a\\.example"),
        std::string("\xff.example"), std::string("a\0b.example", 11), long_label + ".example", long_name,
        std::string("exa mple\u00fc.com")}) {
    CAPTURE(bad);
    CHECK(to_a_labels(bad) == std::nullopt);
  }
}

TEST_CASE("domain name: address literals") {
  CHECK(parse_address_literal("[192.0.2.1]") == IpAddress::parse("192.0.2.1"));
  CHECK(parse_address_literal("[IPv6:2001:db8::1]") == IpAddress::parse("2001:db8::1"));
  CHECK(parse_address_literal("[ipv6:2001:db8::1]") == IpAddress::parse("2001:db8::1"));
  for (const char* other : {"192.0.2.1", "[mx.example]", "[", "[]", "[192.0.2.1", "[1.2.3.256]"}) {
    CAPTURE(other);
    CHECK(parse_address_literal(other) == std::nullopt);
  }
}
