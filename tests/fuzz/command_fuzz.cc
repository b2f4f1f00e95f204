// SPDX-License-Identifier: MIT
// The command parser: never crashes, lets no control into an address or a parameter, echoes nothing.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/smtp_command.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

void check_clean(std::string_view text, const char* what) {
  check(std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }), what);
}

// What was accepted once is accepted again, and means the same.
void check_address(std::string_view address, bool smtputf8) {
  check_clean(address, "an address holds a control");
  check(smtputf8 || is_ascii(address), "an address holds 8-bit bytes without SMTPUTF8");
  auto again = parse_path(cat("<", address, ">"), {"example.com", true, smtputf8});
  check(again && again->address == address && !again->lenient, "an address does not survive a round trip");
  check(address.empty() || cat(local_part_of(address), "@", domain_of(address)) == address,
        "an address falls apart");
}

struct Judge {
  bool smtputf8;
  bool is_peer;

  void operator()(const command::Ehlo& ehlo) const { check_clean(ehlo.name, "EHLO holds a control"); }
  void operator()(const command::Mail& mail) const {
    check_address(mail.envelope.sender, mail.envelope.smtputf8);
    check_clean(mail.envelope.envid, "ENVID holds a control");
    check(from_xtext(to_xtext(mail.envelope.envid)) == mail.envelope.envid,
          "ENVID does not survive a round trip");
    check(!mail.size || *mail.size <= INT64_MAX, "SIZE is too large");
    check(!mail.handover || is_peer, "a stranger's XHIKYAKU is believed");
    check(!mail.handover || parse_handover(to_text(*mail.handover)) == mail.handover,
          "XHIKYAKU does not survive a round trip");
  }
  void operator()(const command::Rcpt& rcpt) const {
    check(!rcpt.recipient.address.empty(), "a recipient is null");
    check_address(rcpt.recipient.address, smtputf8);
    check_clean(rcpt.recipient.orcpt, "ORCPT holds a control");
  }
  void operator()(const command::Bdat& bdat) const { check(bdat.size <= INT64_MAX, "a chunk is too large"); }
  void operator()(const CommandError& error) const {
    check(error.reply_code >= 500 && error.reply_code < 560, "not a permanent reply code");
    check(error.enhanced.status_class == 5 && !error.text.empty(), "an incomplete error");
    check_clean(error.text, "an error holds a control");
  }
  void operator()(const auto&) const {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view line = test::as_text(data, size);
  for (bool smtputf8 : {false, true})
    for (bool is_peer : {false, true})
      std::visit(
          Judge{smtputf8, is_peer},
          parse_command(line, {.default_domain = "example.com", .smtputf8 = smtputf8, .is_peer = is_peer}));
  return 0;
}
