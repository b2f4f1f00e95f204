// SPDX-License-Identifier: MIT
#include "daemon/tryout/demo.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/io/nursery.h"
#include "daemon/io/self_signed.h"
#include "daemon/io/signals.h"
#include "daemon/io/socket_stream.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/system/accounts.h"
#include "daemon/system/files.h"
#include "daemon/tryout/app_dialogue.h"

namespace hikyaku::tryout {
namespace {

constexpr Duration kDemoTimeout = 30s;
constexpr Duration kStopTimeout = 10s;
constexpr Duration kEndTimeout = 2s;
constexpr mode_t kPassThrough = 0711;  // searchable by the user that hikyakud switches to

std::unexpected<StartError> stuck(std::string text) { return fail(Exit::unavailable, std::move(text)); }

// The address in "listening on 127.0.0.1:2525" or "… listen=127.0.0.1:2525,/run/… …".
std::optional<Endpoint> address_after(std::string_view line, std::string_view mark) {
  std::size_t at = line.find(mark);
  if (at == line.npos) return std::nullopt;
  line.remove_prefix(at + mark.size());
  return Endpoint::parse(line.substr(0, line.find_first_of(", ")));
}

// hikyakud switches to this user and then reads the file again at a reload.
void hand_to_user(const std::string& path) {
  auto user = system::find_account(kDemoUser);
  if (user && ::chown(path.c_str(), user->uid, user->gid) != 0)
    throw std::system_error(errno, std::generic_category(), path);
}

std::size_t count_lines(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// The header as piped in, and the blank line with the body.
std::pair<std::string, std::string> halves_of(const std::string& message) {
  std::string canonical;
  mail::Canonicaliser().feed(message, canonical);
  std::size_t header = canonical.find("\r\n\r\n") + 2;
  return {canonical.substr(0, header), canonical.substr(header)};
}

// An installed sendmail is set-gid and therefore ignores -C unless root calls it: the mail would go to the
// machine's own relay. PR_SET_NO_NEW_PRIVS makes the kernel ignore the bit for this process and its children.
// If `conf` could not be read, sendmail would also fall back to the machine's own configuration.
bool is_apart_from_the_machine(const std::string& conf) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && !system::read_whole_file(conf).empty();
}

}  // namespace

Demo::Demo(io::Loop& loop, DemoScreen& screen, DemoPrograms programs)
    : loop_(loop),
      screen_(screen),
      programs_(std::move(programs)),
      place_("hikyaku-demo"),
      until_(loop.within(kDemoTimeout, &interrupted_)),
      password_(random_token(20)),
      message_(demo_message(loop.clock().wall())) {
  facts_.directory = place_.path();
  facts_.as_root = ::geteuid() == 0;
}

Task<Exit> Demo::run() {
  io::Nursery nursery(loop_);
  io::Cancel journey_is_over;
  nursery.spawn(obey_signals(journey_is_over));
  auto done = co_await journey();
  if (!done) screen_.remark(cat("The demo failed: ", done.error().text));
  co_await end(std::move(daemon_));
  co_await end(std::move(smarthost_));
  journey_is_over.request();
  co_await nursery.drained({});
  co_return done ? Exit::ok : done.error().kind;
}

Task<void> Demo::obey_signals(io::Cancel& journey_is_over) {
  io::Signals signals(loop_, {SIGTERM, SIGINT});
  auto number = co_await signals.next({kNever, &journey_is_over});
  if (number) interrupted_.request();
}

Task<Demo::Step> Demo::journey() {
  screen_.title("A mail's journey: from an app through hikyakud and its spool to a smarthost.");
  auto made = make_place();
  if (!made) co_return made;
  auto smarthost = co_await start_smarthost();
  if (!smarthost) co_return smarthost;
  auto daemon = co_await start_daemon();
  if (!daemon) co_return daemon;
  auto handed_in = co_await hand_in();
  if (!handed_in) co_return handed_in;
  auto delivered = co_await follow();
  if (!delivered) co_return delivered;
  auto script = co_await hand_in_with_sendmail();
  if (!script) co_return script;
  auto daemon_left = co_await stop(daemon_, "hikyakud");
  if (!daemon_left) co_return daemon_left;
  auto smarthost_left = co_await stop(smarthost_, "the smarthost");
  if (!smarthost_left) co_return smarthost_left;
  auto same = compare();
  if (!same) co_return same;
  co_return compare_scripts();
}

Demo::Step Demo::make_place() {
  ::chmod(place_.path().c_str(), kPassThrough);
  auto certificate = io::make_self_signed(place_.path(), {kDemoCertificateName});
  if (!certificate) return fail(Exit::cannot_create, certificate.error().text);
  facts_.certificate = certificate->cert_file;
  std::filesystem::create_directory(place_.file("arrived"));
  system::write_new_file(place_.file("password"), password_);
  return {};
}

Task<Demo::Step> Demo::start_smarthost() {
  io::ProcessOptions options;
  options.command = {programs_.hikyaku,
                     "sink",
                     "--listen",
                     "127.0.0.1:0",
                     "--hostname",
                     kDemoCertificateName,
                     "--tls",
                     "starttls",
                     "--cert",
                     place_.file("cert.pem"),
                     "--key",
                     place_.file("key.pem"),
                     "--user",
                     kDemoAccount,
                     "--password-file",
                     place_.file("password"),
                     "--require-auth",
                     "--directory",
                     place_.file("arrived")};
  auto started = io::Process::start(loop_, options);
  if (!started) co_return stuck(started.error().text);
  smarthost_ = std::move(*started);
  auto line = co_await hear(*smarthost_, "listening on ", false);
  if (!line) co_return std::unexpected(line.error());
  facts_.smarthost_port = address_after(*line, "listening on ").value_or(Endpoint()).port;
  screen_.step("A smarthost (hikyaku sink) that takes mail only with STARTTLS and a password");
  screen_.line(*line);
  co_return Step();
}

Task<Demo::Step> Demo::start_daemon() {
  system::write_new_file(place_.file("hikyaku.yaml"), demo_configuration(facts_));
  system::write_new_file(place_.file("authinfo"), demo_authinfo(facts_, password_));
  system::write_new_file(place_.file("aliases"), cat("root: ", kDemoRecipient, "\n"));
  std::filesystem::create_directory(place_.file("dkim"));
  for (const char* name : {"hikyaku.yaml", "authinfo", "aliases", "dkim"})
    if (facts_.as_root) hand_to_user(place_.file(name));
  screen_.step("hikyakud with this configuration, and the account's password in authinfo");
  screen_.text(demo_configuration(facts_) + "\n" + demo_authinfo(facts_, "********") + "\n");
  auto started = io::Process::start(loop_, {{programs_.hikyakud, "-c", place_.file("hikyaku.yaml")}, {}, {}});
  if (!started) co_return stuck(started.error().text);
  daemon_ = std::move(*started);
  auto line = co_await hear(*daemon_, "info started ", false);
  if (!line) co_return std::unexpected(line.error());
  screen_.wrapped(printable(*line));
  daemon_address_ = address_after(*line, "listen=");
  if (!daemon_address_) co_return stuck(cat("hikyakud did not say where it listens: ", *line));
  co_return Step();
}

Task<Demo::Step> Demo::hand_in() {
  screen_.step("An app submits a message over SMTP, on port " + std::to_string(daemon_address_->port));
  auto stream = co_await io::connect_tcp(loop_, *daemon_address_, until_);
  if (!stream) co_return stuck(cat("connecting to hikyakud: ", stream.error().text));
  AppDialogue dialogue(**stream, until_, [this](std::string_view line) { screen_.line(line); });
  auto queued = co_await dialogue.submit({kDemoSender, kDemoRecipient, message_});
  if (!queued) co_return stuck(cat("submitting the message: ", queued.error().text));
  handed_in_ = loop_.now();
  screen_.remark("     250 means: the message is on stable storage and survives a crash or a power cut.");
  co_return Step();
}

Task<Demo::Step> Demo::follow() {
  screen_.step("hikyakud's log: one line when a mail is accepted, one for each recipient's outcome");
  auto line = co_await hear(*daemon_, " delivered ", true);
  if (!line) co_return std::unexpected(line.error());
  co_return Step();
}

Demo::Step Demo::compare() {
  std::string arrived = mail_with(place_.file("arrived"), message_);
  screen_.step("What the smarthost received");
  screen_.text(arrived);
  if (!arrived.ends_with(message_))
    return fail(Exit::internal, "the message that arrived differs from the one that was sent");
  std::string_view added(arrived.data(), arrived.size() - message_.size());
  screen_.remark(cat("It arrived byte for byte as it was sent, below ", std::to_string(count_lines(added)),
                     " lines of Received; ", std::to_string(message_.size()), " bytes."));
  return {};
}

Task<Demo::Step> Demo::stop(std::unique_ptr<io::Process>& process, std::string name) {
  process->signal(SIGTERM);
  auto code = co_await process->exit_code(loop_.within(kStopTimeout, &interrupted_));
  if (!code) co_return stuck(cat(name, " did not stop: ", code.error().text));
  if (*code != 0) co_return stuck(cat(name, " ended with code ", std::to_string(*code)));
  co_return Step();
}

// However the demo went: asks the process to end, so that it leaves nothing behind, and kills it if it does
// not.
Task<void> Demo::end(std::unique_ptr<io::Process> process) {
  if (!process) co_return;
  process->signal(SIGTERM);
  co_await process->exit_code(loop_.within(kEndTimeout));
}

Task<Result<std::string, StartError>> Demo::hear(io::Process& process, std::string wanted, bool shown) {
  std::string last;
  for (;;) {
    auto line = co_await process.line(until_);
    if (!line)
      co_return stuck(
          cat("waiting for \"", trim(wanted), "\": ", line.error().text, last.empty() ? "" : "; ", last));
    last = printable(*line);
    if (shown && last.find(" warning ") == last.npos) screen_.wrapped(last);
    if (line->find(wanted) != line->npos) co_return std::move(*line);
  }
}

Task<Demo::Step> Demo::hand_in_with_sendmail() {
  screen_.step("A script pipes a message into sendmail(1): sendmail -t -i -f " + std::string(kDemoSender));
  screen_.text(demo_script_message());
  system::write_new_file(place_.file("script"), demo_script_message());
  std::string conf = place_.file("spool/sendmail.conf");
  if (!is_apart_from_the_machine(conf))
    co_return fail(Exit::internal, "sendmail would reach this machine's own relay instead of the demo's");
  io::ProcessOptions options;
  options.command = {programs_.sendmail, "-C", conf, "-t", "-i", "-f", kDemoSender};
  options.input = place_.file("script");
  auto started = io::Process::start(loop_, options);
  if (!started) co_return fail(Exit::unavailable, started.error().text);
  auto complaint = co_await (*started)->line(until_);
  auto code = co_await (*started)->exit_code(until_);
  if (!code || *code != 0)
    co_return fail(Exit::unavailable, cat("sendmail: ", complaint ? *complaint : complaint.error().text));
  screen_.remark("     Exit code 0 means: the message is on stable storage.");
  auto delivered = co_await follow();
  co_return delivered;
}

Demo::Step Demo::compare_scripts() {
  auto [header, rest] = halves_of(demo_script_message());
  std::string arrived = mail_with(place_.file("arrived"), header);
  screen_.step("What the smarthost received from the script");
  screen_.text(arrived);
  if (!arrived.ends_with(rest))
    return fail(Exit::internal, "the script's message that arrived differs from the one that was sent");
  screen_.remark("Header and body arrived unchanged; hikyakud added the header fields that were missing.");
  return {};
}

}  // namespace hikyaku::tryout
