// SPDX-License-Identifier: MIT
// A message on its way in: any cut gives the same; what the header loses is its Bcc fields and nothing else;
// no recipient can leave its command. The first byte chooses the cut.
#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/sendmail/header.h"
#include "daemon/sendmail/input.h"
#include "daemon/sendmail/recipients.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

std::string up_to_the_dot(std::string_view in, std::size_t piece) {
  LoneDot dot;
  std::string out;
  for (std::size_t at = 0; at < in.size(); at += piece)
    if (dot.feed(in.substr(at, piece), out)) break;
  return out;
}

struct Taken {
  Fields fields;
  std::string body;
};

Taken take_apart(std::string_view in, std::size_t piece) {
  HeaderReader reader;
  for (std::size_t at = 0; at < in.size(); at += piece)
    check(reader.feed(in.substr(at, piece)).has_value(), "so short a header is too long");
  reader.finish();
  return {reader.fields(), reader.take_body()};
}

void check_recipients(const Fields& fields) {
  Recipients recipients;
  auto added = recipients.add_header(fields);
  for (const Address& address : recipients.addresses())
    check(mail::parse_path(cat("<", address, ">"), {"localhost", false, true}).has_value(), "no path");
  if (!added)
    check(added.error().text.find_first_of("\r\n\x1b") == std::string::npos, "an error is not one line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t piece = std::size_t{data[0]} % 16 + 1;
  std::string_view raw = test::as_text(data + 1, size - 1);
  std::string in = up_to_the_dot(raw, raw.size() + 1);
  check(up_to_the_dot(raw, piece) == in, "the end depends on the cut");
  in = mail::canonicalised(in);
  Taken taken = take_apart(in, in.size() + 1);
  check(to_text(taken.fields) + taken.body == in, "something is lost");
  Taken again = take_apart(in, piece);
  check(to_text(again.fields) == to_text(taken.fields) && again.body == taken.body,
        "the header depends on the cut");
  check_recipients(taken.fields);
  remove_bcc(taken.fields);
  Taken rest = take_apart(to_content(taken.fields, taken.body), in.size() + 3);
  check(!has_field(rest.fields, "Bcc") && !has_field(rest.fields, "Resent-Bcc"), "a Bcc is left");
  return 0;
}
