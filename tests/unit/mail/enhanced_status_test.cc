// SPDX-License-Identifier: MIT
#include "daemon/mail/smtp_reply.h"
#include "doctest/doctest.h"

using namespace hikyaku::mail;

TEST_CASE("enhanced_status: a complete code at the beginning of a text is read") {
  CHECK(parse_enhanced_status("5.1.1 user unknown") == EnhancedStatus{5, 1, 1});
  CHECK(parse_enhanced_status("2.0.0") == EnhancedStatus{2, 0, 0});
  CHECK(parse_enhanced_status("4.7.999\tslow down") == EnhancedStatus{4, 7, 999});
  CHECK(parse_enhanced_status("5.7.30: Basic authentication is not supported") == EnhancedStatus{5, 7, 30});
}

TEST_CASE("enhanced_status: partial, foreign and lookalike codes give nothing") {
  for (const char* text :
       {"", "5", "5.", "5.1", "5.1.", "5..1", "5.1.1.9 is blocked", "5.1.1a", "5.1.1000", "3.1.1 x",
        "1.2.3 x", "6.0.0", "55.1.1", " 5.1.1", "#5.1.1", "(#5.1.1)", "5 .1.1", "-5.1.1", "5.+1.1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_enhanced_status(text).has_value());
  }
}

TEST_CASE("enhanced_status: nothing is kept from one parse to the next") {
  CHECK(parse_enhanced_status("5.1.1 x").has_value());
  CHECK_FALSE(parse_enhanced_status("5").has_value());
}

TEST_CASE("enhanced_status: to_text writes what is read") {
  CHECK(to_text(EnhancedStatus{5, 7, 30}) == "5.7.30");
  CHECK(parse_enhanced_status(to_text(EnhancedStatus{4, 0, 0})) == EnhancedStatus{4, 0, 0});
}
