// SPDX-License-Identifier: MIT
// The demo's second message: a script's, by way of sendmail(1).
#include <sys/prctl.h>

#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/system/files.h"
#include "daemon/tryout/demo.h"

namespace hikyaku::tryout {
namespace {

// The header as it was piped in, and the blank line with the body behind it.
std::pair<std::string, std::string> halves_of(const std::string& message) {
  std::string canonical;
  mail::Canonicaliser().feed(message, canonical);
  std::size_t header = canonical.find("\r\n\r\n") + 2;
  return {canonical.substr(0, header), canonical.substr(header)};
}

// An installed sendmail is set-gid, and for anybody but root it rightly ignores -C then: the mail would go to
// the machine's own relay. From here on the kernel passes over that bit, for this process and whatever it
// starts. Nor may sendmail fall back to the machine's places because the demo's cannot be read.
bool is_apart_from_the_machine(const std::string& places) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && !system::read_whole_file(places).empty();
}

}  // namespace

Task<Demo::Step> Demo::hand_in_with_sendmail() {
  screen_.step("A script pipes a message into sendmail(1): sendmail -t -i -f " + std::string(kDemoSender));
  screen_.text(demo_script_message());
  system::write_new_file(place_.file("script"), demo_script_message());
  std::string places = place_.file("spool/sendmail.conf");
  if (!is_apart_from_the_machine(places))
    co_return fail(Exit::internal, "sendmail cannot be kept away from this machine's own relay");
  io::ProcessOptions options;
  options.command = {programs_.sendmail, "-C", places, "-t", "-i", "-f", kDemoSender};
  options.input = place_.file("script");
  auto started = io::Process::start(loop_, options);
  if (!started) co_return fail(Exit::unavailable, started.error().text);
  auto complaint = co_await (*started)->line(until_);
  auto code = co_await (*started)->exit_code(until_);
  if (!code || *code != 0)
    co_return fail(Exit::unavailable, cat("sendmail: ", complaint ? *complaint : complaint.error().text));
  screen_.remark("     Exit code 0 means: on stable storage.");
  auto delivered = co_await follow();
  co_return delivered;
}

Demo::Step Demo::compare_scripts() {
  auto [header, rest] = halves_of(demo_script_message());
  std::string arrived = mail_with(place_.file("arrived"), header);
  screen_.step("What the smarthost received of the script");
  screen_.text(arrived);
  if (!arrived.ends_with(rest)) return fail(Exit::internal, "what arrived of the script is not what it sent");
  screen_.remark("Its header and body arrived as they were; hikyakud put in what the header lacked.");
  return {};
}

}  // namespace hikyaku::tryout
