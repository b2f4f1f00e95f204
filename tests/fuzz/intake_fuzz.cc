// SPDX-License-Identifier: MIT
// The header's repair: any cut gives the same; nothing is lost but an mbox line, nothing added but what
// fixed() says; and what came out once needs no repair again. The first byte chooses the cut, the rest is the
// message.
#include <string>

#include "daemon/mail/dot_stuffing.h"
#include "daemon/mail/intake.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

struct Filtered {
  std::string out;
  std::string fixed;
  unsigned received = 0;
  bool operator==(const Filtered&) const = default;
};

Filtered filter(std::string_view in, std::size_t piece) {
  IntakeFilter intake(
      {.domain = "example.com", .sender = "a@example.com", .message_id = "<x@example.com>", .now = {}});
  Filtered filtered;
  for (std::size_t at = 0; at < in.size(); at += piece) intake.feed(in.substr(at, piece), filtered.out);
  intake.finish(filtered.out);
  filtered.fixed = intake.fixed();
  filtered.received = intake.received_count();
  check(intake.is_in_body(), "the header has no end");
  return filtered;
}

// All of `in` is in `out`, in its order.
bool is_kept(std::string_view in, std::string_view out) {
  for (char c : in) {
    std::size_t at = out.find(c);
    if (at == out.npos) return false;
    out.remove_prefix(at + 1);
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t piece = std::size_t{data[0]} % 16 + 1;
  std::string in = canonicalised(test::as_text(data + 1, size - 1));
  Filtered filtered = filter(in, in.size() + 1);
  check(filter(in, piece) == filtered, "the filter depends on the cut");
  bool dropped = filtered.fixed.starts_with("mbox");
  check(is_kept(dropped ? in.substr(in.find('\n') + 1) : in, filtered.out), "something is lost");
  check(!filtered.fixed.empty() || filtered.out == in, "something is changed and not told");
  check(canonicalised(filtered.out) == filtered.out, "the result is not canonical");
  check(filter(filtered.out, piece) == Filtered{filtered.out, "", filtered.received},
        "the repair needs repair");
  return 0;
}
