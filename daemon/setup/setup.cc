// SPDX-License-Identifier: MIT
#include "daemon/setup/setup.h"

#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/mail/address.h"
#include "daemon/setup/config_text.h"

namespace hikyaku::setup {
namespace {

using config::Preset;
using config::SenderDemand;
using Done = Result<void, StartError>;

constexpr std::string_view kWelcome =
    "This sets up hikyaku: programs on this machine hand their mail to it, and it passes the mail on to a\n"
    "smarthost, the mail server of your provider. Nothing is written before you have seen it.\n\n";

bool is_address(const std::string& text) {
  auto path = mail::parse_path(text, {});
  return path && path->address == text && !mail::domain_of(text).empty();
}

// Of a machine whose domain is not known yet nothing can be said.
bool is_within(std::string_view domain, std::string_view other) {
  return domain.empty() || equals_ignoring_case(domain, other) ||
         to_lower(domain).ends_with(cat(".", to_lower(other)));
}

// One run, with what has been answered so far.
class Setup {
 public:
  Setup(Talk& talk, const Given& given, const Existing& existing, const Probe& probe, const Deeds& deeds)
      : questions_(talk, given.yes), given_(given), existing_(existing), probe_(probe), deeds_(deeds) {}

  Done run() {
    if (auto refusal = explain_refusal(existing_); !refusal.empty())
      return fail(Exit::configuration, std::move(refusal));
    if (questions_.is_asking()) say(kWelcome);
    for (auto step :
         {&Setup::choose_target, &Setup::ask_host, &Setup::ask_login, &Setup::ask_from, &Setup::ask_root_mail,
          &Setup::write, &Setup::activate, &Setup::ask_test_address, &Setup::try_out})
      if (auto done = (this->*step)(); !done) return done;
    return {};
  }

 private:
  void say(std::string_view text) { questions_.say(text); }

  // Asks until the answer is understood, or, where nobody is there to be asked again, once.
  Done choose_target() {
    for (;;) {
      auto answer = questions_.ask("Your mail address, or the name of the smarthost", proposed_target(),
                                   given_.target, "--host");
      if (!answer) return std::unexpected(answer.error());
      auto target = find_target(*answer, [this](const std::string& host) {
        say(cat("Looking for a smarthost at ", host, " …\n"));
        return probe_(host);
      });
      if (target) return take(std::move(*target));
      if (given_.target || !questions_.is_asking()) return fail(Exit::unavailable, target.error());
      say(cat(target.error(), "\n"));
    }
  }

  Done take(Target target) {
    say(target.words);
    if (auto trusted = confirm_doubtful(target); !trusted) return trusted;
    answers_.target = std::move(target);
    const Preset* preset = answers_.target.preset;
    if (preset == nullptr) return {};
    if (auto obstacle = explain_obstacle(*preset); !obstacle.empty())
      return fail(Exit::unavailable, cat(obstacle, "\nNothing was written."));
    for (std::string_view advice : {preset->steps, preset->note})
      if (!advice.empty()) say(cat(advice, "\n"));
    return {};
  }

  // Whoever can forge an answer of the DNS would be handed the password.
  Done confirm_doubtful(const Target& target) {
    if (target.doubt.empty()) return {};
    say(cat(target.doubt, "\n"));
    if (!questions_.is_asking())
      return fail(Exit::unavailable, cat("if you know that ", target.host,
                                         " is your provider's, name it with --host ", target.host));
    auto trusts = questions_.confirm(cat("Is ", target.host, " your provider's"));
    if (!trusts) return std::unexpected(trusts.error());
    if (!*trusts)
      return fail(Exit::unavailable, "ask your provider for the name of its smarthost; nothing was written");
    return {};
  }

  std::string proposed_target() const {
    const mail::Smarthost* old = existing_.smarthost();
    return old == nullptr || old->direct ? "" : url_of(old->host, old->port, old->tls.mode);
  }

  // Of some providers each account, or each region, has its own.
  Done ask_host() {
    Target& target = answers_.target;
    if (!target.host.empty()) return {};
    for (;;) {
      auto answer = questions_.ask(cat("The name of your SMTP server at ", target.preset->title), "",
                                   std::nullopt, "--host NAME");
      if (!answer) return std::unexpected(answer.error());
      if (auto host = config::parse_host(*answer)) return target.host = std::move(*host), Done();
      say("That is no name of a host, such as smtp.example.com.\n");
    }
  }

  // The same smarthost as before.
  const mail::Smarthost* known() const {
    const mail::Smarthost* old = existing_.smarthost();
    return old != nullptr && old->host == answers_.target.host ? old : nullptr;
  }

  std::string proposed_user() const {
    const Preset* preset = answers_.target.preset;
    if (known() != nullptr && !known()->user.empty()) return known()->user;
    if (preset != nullptr && !preset->user.empty()) return std::string(preset->user);
    if (preset != nullptr && !preset->user_hint.empty()) return "";
    return answers_.target.address;
  }

  Done ask_login() {
    if (!answers_.target.offers_login && !given_.user) {
      say("It asks for no log-in.\n");
      return {};
    }
    const Preset* preset = answers_.target.preset;
    const std::string hint = preset != nullptr ? std::string(preset->user_hint) : "";
    auto user = questions_.ask_or_none(cat("User name (", hint, hint.empty() ? "" : "; ", "-: no log-in)"),
                                       proposed_user(), given_.user, "--user");
    if (!user) return std::unexpected(user.error());
    answers_.user = std::move(*user);
    if (answers_.user.empty()) return {};
    if (auto asked = ask_client_id(); !asked || !answers_.client_id.empty()) return asked;
    auto password = questions_.ask_secret("Password (not shown)", deeds_.find_password(answers_),
                                          given_.password, "--password-file");
    if (!password) return std::unexpected(password.error());
    answers_.password = std::move(*password);
    return {};
  }

  // Where the provider takes no password, or soon none.
  Done ask_client_id() {
    const Preset* preset = answers_.target.preset;
    if (preset == nullptr || preset->oauth.empty()) return {};
    const bool must = preset->password == config::PasswordKind::oauth2_only;
    const bool is_usual = preset->oauth == "microsoft";
    if (!must && !is_usual && !given_.client_id) return {};
    const std::string known_id = known() != nullptr ? client_id_of(*known()) : "";
    constexpr std::string_view kQuestion = "Client id of your application there, for OAuth2";
    auto id =
        must ? questions_.ask(kQuestion, known_id, given_.client_id, "--client-id")
             : questions_.ask_optional(cat(kQuestion, " (empty: a password)"), known_id, given_.client_id);
    if (!id) return std::unexpected(id.error());
    answers_.client_id = std::move(*id);
    return {};
  }

  std::string own_address() const {
    return is_address(answers_.user) ? answers_.user : answers_.target.address;
  }

  // What no table says of a smarthost: addresses of another domain than the account's are mostly refused, or
  // taken for spam. What was decided before stays.
  std::string proposed_from() const {
    if (known() != nullptr) return from_of(*known());
    const Preset* preset = answers_.target.preset;
    const bool insists = preset != nullptr
                             ? preset->demand == SenderDemand::account
                             : !is_within(existing_.settings.domain, mail::domain_of(own_address()));
    return insists ? own_address() : "";
  }

  Done ask_address(std::string_view question, const std::string& proposal,
                   const std::optional<std::string>& given, std::string& into) {
    for (;;) {
      auto address = questions_.ask_optional(question, proposal, given);
      if (!address) return std::unexpected(address.error());
      if (address->empty() || is_address(*address)) return into = std::move(*address), Done();
      const std::string wrong = cat("'", printable(*address), "' is no mail address such as me@example.com");
      if (given || !questions_.is_asking()) return fail(Exit::usage, wrong);
      say(cat(wrong, "\n"));
    }
  }

  Done ask_from() {
    const Preset* preset = answers_.target.preset;
    if (preset != nullptr && preset->demand != SenderDemand::any)
      say(cat(preset->title, " takes ", config::to_text(preset->demand), " as the sender.\n"));
    return ask_address("Address that all mail leaves with (-: each program's own)", proposed_from(),
                       given_.from, answers_.from);
  }

  Done ask_root_mail() {
    answers_.root_mail = existing_.settings.local_mail;
    if (!deeds_.root_alias.empty() && !given_.root_mail) {
      say(cat("Mail to root goes to ", deeds_.root_alias, ", as ", existing_.settings.aliases.path,
              " has it.\n"));
      return {};
    }
    const std::string proposal = answers_.root_mail.empty() ? own_address() : answers_.root_mail;
    return ask_address("Address that mail to root, from cron and the like, goes to (-: none)", proposal,
                       given_.root_mail, answers_.root_mail);
  }

  Done write() {
    auto text = configuration_for(existing_, answers_);
    if (!text) return fail(Exit::configuration, text.error());
    show_changes(*text);
    auto may = questions_.confirm("Write this");
    if (!may) return std::unexpected(may.error());
    if (!*may) return fail(Exit::attention, "nothing was written");
    auto lines = deeds_.install(*text, answers_);
    if (!lines) return std::unexpected(lines.error());
    for (const std::string& line : *lines) say(cat("  ", line, "\n"));
    return {};
  }

  void show_changes(const std::string& text) {
    const std::string changes = changed_lines(existing_.text, text);
    say(cat("\n", existing_.file,
            changes.empty()    ? " stays as it is"
            : existing_.exists ? " changes"
                               : ", new",
            changes.empty() ? ".\n" : ":\n"));
    std::string indented;
    for (std::string_view line : split(changes, '\n'))
      if (!line.empty()) indented += cat("  ", line, "\n");
    say(indented);
    if (!answers_.user.empty() && answers_.client_id.empty())
      say(cat(existing_.settings.authinfo.path, ": the password of ", printable(answers_.user), " at ",
              answers_.target.host, ".\n"));
  }

  Done activate() {
    auto runs = deeds_.reload();
    if (!runs) return std::unexpected(runs.error());
    daemon_runs_ = *runs;
    if (daemon_runs_) say("The daemon has read it.\n");
    say("\n");
    return {};
  }

  // With --yes nobody gets a mail that nobody has asked for.
  Done ask_test_address() {
    const std::string proposal = answers_.root_mail.empty() ? own_address() : answers_.root_mail;
    return ask_address("Address for a test mail (-: none)", questions_.is_asking() ? proposal : "",
                       given_.test_to, test_address_);
  }

  // A daemon that runs shows more: that the mail finds its whole way.
  Done try_out() {
    const bool by_daemon = daemon_runs_ && !test_address_.empty();
    if (!answers_.client_id.empty() && !deeds_.consent())
      return fail(Exit::attention,
                  "mail cannot be sent yet, as said above; the files are written: correct what is wrong, and "
                  "run 'hikyaku "
                  "oauth login'");
    if (!deeds_.check(by_daemon ? "" : test_address_))
      return fail(
          Exit::attention,
          "mail cannot be sent yet, as said above; the files are written: correct what is wrong, or run "
          "'hikyaku setup' again");
    if (by_daemon && !deeds_.send_test(test_address_))
      return fail(Exit::attention, "the test mail has not been accepted, as said above");
    say_how_to_use();
    return {};
  }

  void say_how_to_use() {
    const config::ListenSettings& listen = existing_.settings.listen;
    const std::string where = listen.endpoints.empty() ? "127.0.0.1:25" : listen.endpoints.front().to_text();
    if (!daemon_runs_) say("\nThe daemon does not run: start it with 'systemctl enable --now hikyaku'.");
    say(cat("\nDone. Programs that send mail use sendmail(1), or SMTP to ", where,
            " without TLS and log-in.\n"));
    if (!answers_.root_mail.empty())
      say(cat("Mail to root and other users of this machine goes to ", answers_.root_mail, ".\n"));
    if (answers_.root_mail.empty() && deeds_.root_alias.empty())
      say("Mail to root goes nowhere: put `root: YOUR@ADDRESS` into the aliases file, or run this again.\n");
  }

  Questions questions_;
  const Given& given_;
  const Existing& existing_;
  const Probe& probe_;
  const Deeds& deeds_;
  Answers answers_{};
  bool daemon_runs_ = false;
  std::string test_address_{};  // empty: no test mail
};

}  // namespace

Result<void, StartError> set_up(Talk& talk, const Given& given, const Existing& existing, const Probe& probe,
                                const Deeds& deeds) {
  return Setup(talk, given, existing, probe, deeds).run();
}

}  // namespace hikyaku::setup
