// SPDX-License-Identifier: MIT
// The small files that the daemon keeps of the past, `proven` and `rates`, and the one that sendmail(1)
// reads, as somebody may have damaged them: what is understood is what would be written, and its numbers can
// be worked with.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/relay/proven.h"
#include "daemon/relay/rate_file.h"
#include "daemon/sendmail/daemon_info.h"
#include "smtpc/rate.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

namespace {

void try_proven(std::string_view text) {
  const auto marks = relay::parse_proven_file(text);
  if (!marks) return;
  check(relay::parse_proven_file(relay::to_text(*marks)) == marks,
        "`proven` is written otherwise than it is read");
}

// As relay::Rates takes it over, at some time of a machine that was started a day ago.
void try_quota(const relay::RateRecord& record) {
  const Instant now{24h};
  smtpc::Quota quota(record.rate);
  for (const relay::UsedPortion& portion : record.used) {
    check(portion.age >= Duration{0}, "something has gone in the future");
    quota.restore({now - portion.age, now - portion.age, portion.count});
  }
  check(quota.available(now) <= record.rate.count, "more may go than the rate says");
  check(quota.next(now) >= now, "something might have gone in the past");
}

void try_rates(std::string_view text) {
  const auto file = relay::parse_rate_file(text);
  if (!file) return;
  const std::string written = relay::to_text(*file);
  const auto again = relay::parse_rate_file(written);
  check(again && relay::to_text(*again) == written, "`rates` is written otherwise than it is read");
  std::ranges::for_each(file->records, try_quota);
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

void try_daemon_info(std::string_view text) {
  const auto info = sendmail::parse_daemon_info(text);
  if (!info) return;
  check(is_plain(info->hostname) && is_plain(info->domain) && is_plain(info->listen),
        "a name that cannot stand in a line");
  for (const std::string& path : {info->submit_socket, info->control_socket, info->drop, info->aliases})
    check(path.starts_with('/') && path.find('\n') == path.npos, "a path that is none");
  check(info->max_recipients > 0, "nobody may get mail");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = test::as_text(data, size);
  try_proven(text);
  try_rates(text);
  try_daemon_info(text);
  return 0;
}
