// SPDX-License-Identifier: MIT
// Canonical forms, key files and key records. Whatever comes: a canonical form does not depend on the cut, and is
// its own canonical form; a key file gives a key that signs, or words; a record is judged. The first byte chooses
// which, the second the cut.
#include <string>

#include "daemon/base/text.h"
#include "daemon/dkim/canonical.h"
#include "daemon/dkim/key_record.h"
#include "daemon/dkim/signed_header.h"
#include "daemon/dkim/tags.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/dkim/rfc_examples.h"

using namespace hikyaku;
using namespace hikyaku::dkim;

namespace {

std::string relaxed_by(std::string_view body, std::size_t cut) {
  std::string out;
  RelaxedBody form([&out](std::string_view bytes) { out += bytes; });
  for (std::size_t at = 0; at < body.size(); at += cut) form.feed(body.substr(at, cut));
  form.finish();
  return out;
}

void check_body(std::string_view body, std::size_t cut) {
  const std::string form = relaxed_by(body, body.size() + 1);
  check(relaxed_by(body, cut) == form, "the form depends on the cut");
  check(relaxed_by(form, cut) == form, "the form of the form is another");
  check(form.find("  ") == form.npos && form.find('\t') == form.npos, "blanks are left");
  check(form.find(" \r\n") == form.npos, "a blank is left before a line end");
  check(form.empty() || (form.ends_with("\r\n") && !form.ends_with("\r\n\r\n")),
        "not one line end at the end");
}

void check_header(std::string_view message, std::size_t cut) {
  const SignedFields fields({"default", "X-Tag"}, {"Date"});
  SignedHeader whole(fields), parts(fields);
  std::string_view in = message;
  whole.feed(in);
  std::string rest;
  for (std::size_t at = 0; at < message.size(); at += cut) {
    std::string_view piece = message.substr(at, cut);
    parts.feed(piece);
    rest += piece;
  }
  whole.finish();
  parts.finish();
  check(rest == in, "the body depends on the cut");
  check(whole.canonical() == parts.canonical() && whole.names() == parts.names(), "so does the header");
  check(whole.author().domain == parts.author().domain, "so does the author");
  check(whole.author().trouble.has_value() == whole.author().domain.empty(), "neither author nor trouble");
  check(!join(whole.names(), ":").contains("Date:"), "what is left out is named");
}

void check_key(std::string_view pem) {
  auto key = SigningKey::parse(pem);
  check(key.has_value() || !key.error().empty(), "a refusal says nothing");
  if (key) check(!key->public_key().empty() && key->sign("x").has_value(), "a key that cannot sign");
}

void check_record(std::string_view record) {
  static const SigningKey kKey = SigningKey::parse(kEd25519KeyOf8463).value();
  const RecordFinding finding = judge_record({std::string(record)}, kKey);
  check(finding.fault != RecordFault::missing && finding.fault != RecordFault::several, "it is there, once");
  check(!to_text(finding, "x").empty() && !name_of(finding.fault).empty(), "no words");
  if (finding.fault == RecordFault::none)
    check(Tags::parse(record)->find("p").has_value(), "a key out of nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t cut = data[1] % 16 + 1;
  const std::string_view text = test::as_text(data + 2, size - 2);
  switch (data[0] % 4) {
    case 0: check_body(text, cut); break;
    case 1: check_header(text, cut); break;
    case 2: check_key(text); break;
    default: check_record(text);
  }
  return 0;
}
