// SPDX-License-Identifier: MIT
#include "daemon/sendmail/daemon_queries.h"

#include <dirent.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/alias_file.h"
#include "daemon/mail/drop_format.h"
#include "daemon/sendmail/control.h"
#include "daemon/sendmail/exit.h"
#include "daemon/sendmail/input.h"
#include "daemon/sendmail/recipients.h"

namespace hikyaku::sendmail {
namespace {

constexpr unsigned kAnswerTimeout = 60;  // seconds without a byte of an answer
constexpr unsigned kOutcomeWait = 60;
constexpr std::size_t kMostOfAliases = 64ull << 20;

Result<std::string, Failure> answer(const DaemonInfo& info, const HttpRequest& request,
                                    unsigned timeout = kAnswerTimeout) {
  if (auto alive = check_alive(info.control_socket); !alive) return std::unexpected(alive.error());
  std::string text;
  auto asked =
      ask_daemon(info.control_socket, request, timeout, [&text](std::string_view bytes) { text += bytes; });
  if (!asked) return std::unexpected(asked.error());
  return text;
}

void print_count(const std::string& file, std::uint64_t count, std::string_view besides) {
  print(cat(file, ": ", std::to_string(count), count == 1 ? " alias" : " aliases", besides, "\n"));
}

// Only root and the daemon's user may list drop/; everybody else is told only that their mail is safe there.
std::string words_about(const std::string& drop) {
  std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(drop.c_str()), ::closedir);
  if (!entries && errno != EACCES) return "";
  if (!entries)
    return cat("; mail sent meanwhile waits in ", drop,
               " until it is started ('hikyaku queue', run by root, counts that mail)");
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(entries.get())) count += mail::is_drop_name(entry->d_name) ? 1 : 0;
  if (count == 0) return "; 'hikyaku queue', run by root, lists the queue all the same";
  return cat("; ", std::to_string(count), count == 1 ? " mail waits in " : " mails wait in ", drop,
             " until it is started; 'hikyaku queue' lists the rest of the queue");
}

// If the daemon is not running, says which mail waits nevertheless.
Result<void, Failure> ask_for_queue(const DaemonInfo& info, const HttpRequest& request,
                                    const std::function<void(std::string_view)>& take) {
  auto asked = check_alive(info.control_socket);
  if (asked) asked = ask_daemon(info.control_socket, request, kAnswerTimeout, take);
  if (asked || asked.error().kind != Exit::unavailable) return asked;
  return fail(asked.error().kind, asked.error().text + words_about(info.drop));
}

// Checks the file as the daemon will at its next start.
Result<void, Failure> check_aliases_ourselves(const std::string& file) {
  auto text = read_regular_file(file, kMostOfAliases);
  if (!text) return fail(Exit::no_input, cat(file, ": ", os_error_text(text.error())));
  mail::ParsedAliases parsed = mail::parse_aliases(*text);
  if (parsed.problems.empty()) {
    print_count(file, parsed.aliases.size(), "; hikyakud is not running and reads them when it starts");
    return {};
  }
  const mail::AliasProblem& first = parsed.problems.front();
  std::size_t others = parsed.problems.size() - 1;
  return fail(Exit::damaged,
              cat(file, ":", std::to_string(first.line), ": ", first.text,
                  others > 0 ? cat(" (and ", std::to_string(others), " more)") : std::string()));
}

bool has_user(const std::string& name) {
  char text[16 * 1024];
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, text, sizeof text, &found);
  return found != nullptr;
}

// From the file as it is now, which newaliases or the daemon's next start will put into force. Leaves out
// wrong entries; there are no aliases if the caller may not read the file.
mail::AliasRules rules_of(const DaemonInfo& info) {
  std::string text = read_regular_file(info.aliases, kMostOfAliases).value_or("");
  return {mail::parse_aliases(text).aliases, info.domain, info.hostname, info.local_mail};
}

std::string complete(const Address& address, std::string_view domain) {
  return mail::domain_of(address).empty() ? cat(address, "@", domain) : address;
}

std::string parts_of(const Address& address, std::string_view default_domain) {
  std::string_view domain = mail::domain_of(address);
  return cat("user ", printable(mail::local_part_of(address)), ", domain ",
             domain.empty() ? default_domain : domain);
}

// Calls `use` for each line of standard input, as soon as it has been read.
template <class Use>
void for_each_line(int in, const Use& use) {
  std::string text;
  char bytes[4096];
  while (true) {
    ssize_t got = ::read(in, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) text.append(bytes, static_cast<std::size_t>(got));
    if (got <= 0 && !text.empty()) text += '\n';
    std::size_t at = 0;
    for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', at)) {
      use(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    text.erase(0, at);
    if (got <= 0) return;
  }
}

}  // namespace

Result<void, Failure> list_queue(const DaemonInfo& info, bool json) {
  return ask_for_queue(info, {.target = cat("/v1/queue?format=", json ? "lines" : "postfix"), .body = {}},
                       print);
}

Result<void, Failure> count_queue(const DaemonInfo& info) {
  std::uint64_t lines = 0;
  auto count = [&lines](std::string_view bytes) {
    lines += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
  };
  auto asked = ask_for_queue(info, {.target = "/v1/queue?format=lines", .body = {}}, count);
  if (asked) print(cat(std::to_string(lines), "\n"));
  return asked;
}

Result<void, Failure> run_queue(const DaemonInfo& info, const QueueRun& what) {
  auto answered = answer(info, {.method = "POST", .target = "/v1/queue/retry", .body = retry_body(what)});
  if (answered) return {};
  return std::unexpected(answered.error());
}

Result<void, Failure> check_aliases(const DaemonInfo& info) {
  auto answered = answer(info, {.method = "POST", .target = "/v1/aliases/reload", .body = "{}"});
  if (!answered && answered.error().kind == Exit::unavailable) return check_aliases_ourselves(info.aliases);
  if (!answered) return std::unexpected(answered.error());
  auto json = parse_json(*answered);
  print_count(info.aliases, json ? json->whole_number_of("aliases") : 0, "");
  return {};
}

Result<void, Failure> verify(const DaemonInfo& info, const std::vector<std::string>& addresses) {
  if (addresses.empty()) return fail(Exit::usage, "-bv needs addresses: sendmail -bv ADDRESS ...");
  mail::AliasRules rules = rules_of(info);
  std::optional<Failure> wrong;
  for (const std::string& address : addresses) {
    auto explained = explain_addresses(address, rules, has_user);
    if (explained) print(*explained);
    if (!explained) wrong = explained.error();
  }
  if (wrong) return std::unexpected(*wrong);
  return {};
}

Result<void, Failure> test_addresses(const DaemonInfo& info, int in) {
  for_each_line(in, [rules = rules_of(info)](std::string_view line) {
    auto explained = explain_addresses(line, rules, has_user);
    print(explained ? *explained : explained.error().text + "\n");
  });
  return {};
}

void show_outcome(const DaemonInfo& info, const std::string& id) {
  std::string target =
      cat("/v1/mails/", id, "/outcome?wait=", std::to_string(kOutcomeWait), "&until=paused&format=lines");
  std::string text;
  bool is_told = false;
  auto print_lines = [&](std::string_view bytes) {
    text += bytes;
    for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
      print(outcome_line(std::string_view(text).substr(0, end)));
      is_told = true;
      text.erase(0, end + 1);
    }
  };
  auto alive = check_alive(info.control_socket);
  if (alive)
    alive = ask_daemon(info.control_socket, {.target = target, .body = {}}, kOutcomeWait + 10, print_lines);
  if (!alive) return print(cat(id, ": ", alive.error().text, "\n"));
  if (!is_told) print(cat(id, ": still queued; mailq shows why\n"));
}

std::string outcome_line(std::string_view json) {
  auto parsed = parse_json(json);
  if (!parsed) return cat(printable(json), "\n");
  // The daemon has made replies and reasons printable; they are not escaped a second time.
  auto words_of = [&parsed](std::string_view name) { return still_printable(parsed->text_of(name), 4096); };
  if (std::string what = words_of("waits_for"); !what.empty()) {
    std::string since = words_of("waits_since");
    std::string next = words_of("next_attempt");
    return cat("waits for the ", what == "rate" ? "smarthost's rate limit" : what,
               since.empty() ? "" : " since ", since, next.empty() ? "" : ", next attempt ", next, ": ",
               words_of("reason"), "\n");
  }
  std::string reply = words_of("last_reply");
  return cat(printable(parsed->text_of("address"), 4096), ": ", words_of("status"), reply.empty() ? "" : ", ",
             reply, "\n");
}

std::string retry_body(const QueueRun& what) {
  if (!what.domain.empty()) return JsonObject().add("recipient_domain", what.domain).text();
  if (what.ids.empty()) return JsonObject().add("all", true).text();
  return JsonObject().add("ids", JsonList(what.ids)).text();
}

Result<std::string, Failure> explain_addresses(std::string_view text, const mail::AliasRules& rules,
                                               const mail::IsUser& is_user) {
  Recipients recipients;
  if (trim(text).empty()) return std::string();
  if (auto added = recipients.add_operand(text); !added) return fail(Exit::damaged, added.error().text);
  std::string explained;
  for (const Address& address : recipients.addresses()) {
    const bool is_bare = mail::domain_of(address).empty();
    auto expansion = mail::expand(
        rules, {{.address = complete(address, rules.domain), .notify = {}, .orcpt = {}, .is_bare = is_bare}},
        is_user);
    bool is_alias = !expansion.replaced.empty();
    if (!is_alias) explained += cat(printable(address), ": ", parts_of(address, rules.domain), "\n");
    for (const mail::Recipient& recipient : expansion.recipients)
      if (is_alias)
        explained += cat(printable(address), " -> ", printable(recipient.address), ": ",
                         parts_of(recipient.address, rules.domain), "\n");
  }
  return explained;
}

}  // namespace hikyaku::sendmail
