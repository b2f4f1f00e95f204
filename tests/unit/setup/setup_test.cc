// SPDX-License-Identifier: MIT
// The dialogue of `hikyaku setup`, with a user that is a script and a network that is none.
#include "daemon/setup/setup.h"

#include <deque>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "doctest/doctest.h"

namespace hikyaku::setup {
namespace {

struct ScriptedTalk final : Talk {
  std::deque<std::string> answers;
  std::string shown;

  void say(std::string_view text) override { shown += text; }
  std::optional<std::string> ask(std::string_view question) override {
    shown += question;
    if (answers.empty()) return std::nullopt;
    std::string answer = std::move(answers.front());
    answers.pop_front();
    shown += answer + "\n";
    return answer;
  }
  std::optional<Secret> ask_secret(std::string_view question) override {
    shown += cat(question, "\n");
    if (answers.empty()) return std::nullopt;
    Secret answer(answers.front());
    answers.pop_front();
    return answer;
  }
};

struct SetupRig {
  ScriptedTalk talk;
  Given given;
  Existing existing{.file = "/etc/hikyaku/hikyaku.yaml", .settings = {}};
  Deeds deeds;
  std::string written;           // the configuration
  std::optional<Answers> login;  // for authinfo
  std::string tested;            // the address of a mail through the daemon
  std::string checked;           // and through the check
  bool works = true;
  bool daemon_runs = true;

  SetupRig() {
    deeds.find_password = [](const Answers&) { return std::nullopt; };
    deeds.install = [this](const std::string& text, const Answers& answers) {
      written = text, login = answers;
      return Result<std::vector<std::string>, StartError>({"wrote it"});
    };
    deeds.reload = [this] { return Result<bool, StartError>(daemon_runs); };
    deeds.check = [this](const std::string& send_to) { return checked = send_to, works; };
    deeds.send_test = [this](const std::string& address) { return tested = address, works; };
  }

  void exists(std::string_view text) {
    auto settings = config::load_text(text, existing.file, {"app.example.com", ""});
    REQUIRE(settings);
    existing = {existing.file, true, std::string(text), std::move(*settings)};
  }
  static Result<FoundServer, std::string> probe(const std::string& host) {
    if (host == "nowhere.example") return std::unexpected("nobody answers at nowhere.example");
    FoundServer found{.host = host, .port = 587, .tls = mail::TlsMode::starttls};
    if (host == "forged.example") found.host = "smtp.other.example", found.doubt = "Only the DNS says so.";
    if (host == "open.example")
      found.port = 25, found.tls = mail::TlsMode::opportunistic, found.offers_login = false;
    found.words = cat("found ", found.host, "\n");
    return found;
  }
  Exit run(std::deque<std::string> answers = {}) {
    talk.answers = std::move(answers);
    auto done = set_up(talk, given, existing, probe, deeds);
    if (!done) talk.shown += cat("error: ", done.error().text, "\n");
    return done ? Exit::ok : done.error().kind;
  }
  bool was_shown(std::string_view part) const { return talk.shown.find(part) != std::string::npos; }
};

std::string keys_of(const std::string& text) {
  std::string keys;
  for (std::string_view line : split(text, '\n'))
    if (!line.empty() && !line.starts_with('#')) keys += cat(line, "\n");
  return keys;
}

TEST_CASE("setup: from nothing, a known provider by an address: what it wants is proposed") {
  SetupRig rig;
  CHECK(rig.run({"me@gmail.com", "", "app pass word", "", "", "", ""}) == Exit::ok);
  CHECK(keys_of(rig.written) ==
        "smarthost:\n  preset: gmail\n  user: me@gmail.com\nfrom: me@gmail.com\nlocal_mail: me@gmail.com\n");
  REQUIRE(rig.login);
  CHECK(rig.login->target.host == "smtp.gmail.com");
  CHECK(rig.login->password.reveal() == "app pass word");
  CHECK(rig.tested == "me@gmail.com");
  CHECK(rig.was_shown("This is Gmail: smtp.gmail.com port "));
  CHECK(!rig.was_shown("app pass word"));
}

TEST_CASE("setup: an unknown domain is looked at, and addresses stay as they are") {
  SetupRig rig;
  CHECK(rig.run({"me@corp.example", "", "pw", "", "ops@corp.example", "", "-"}) == Exit::ok);
  CHECK(keys_of(rig.written) ==
        "smarthost:\n  url: \"submission://corp.example\"\n  user: me@corp.example\nlocal_mail: "
        "ops@corp.example\n");
  CHECK(rig.tested == "");
  CHECK(rig.was_shown("Looking for a smarthost at corp.example …\nfound corp.example\n"));
  CHECK(rig.was_shown("/etc/hikyaku/hikyaku.yaml, new:\n"));
  CHECK(rig.was_shown("  + smarthost:\n"));
  CHECK(rig.was_shown("Mail to root and other users of this machine goes to ops@corp.example.\n"));
}

TEST_CASE("setup: where the user is not the address, the question says what it is") {
  SetupRig rig;
  CHECK(rig.run({"me@docomo.ne.jp", "", "d-account", "pw", "", "", "", "-"}) == Exit::ok);
  CHECK(rig.was_shown("User name (the d ACCOUNT's ID; -: no log-in): \nThis needs an answer.\n"));
  CHECK(keys_of(rig.written) ==
        "smarthost:\n  preset: docomo\n  user: d-account\nfrom: me@docomo.ne.jp\nlocal_mail: "
        "me@docomo.ne.jp\n");
}

TEST_CASE("setup: the account's address is proposed where this machine's would look foreign") {
  struct Row {
    const char* domain;
    const char* proposal;
  };
  static constexpr Row kRows[] = {{"vm.localdomain", " [me@corp.example]"},
                                  {"xcorp.example", " [me@corp.example]"},
                                  {"corp.example", ""},
                                  {"app1.Corp.example", ""}};
  for (const Row& row : kRows) {
    SetupRig rig;
    rig.existing.settings.domain = row.domain;
    CAPTURE(row.domain);
    CHECK(rig.run({"me@corp.example", "", "pw", "-", "", "", "-"}) == Exit::ok);
    CHECK(rig.was_shown(cat("(-: each program's own)", row.proposal, ": -\n")));
    CHECK(rig.written.find("from:") == std::string::npos);
  }
}

TEST_CASE("setup: a smarthost that asks for no log-in is not logged in to") {
  SetupRig rig;
  CHECK(rig.run({"open.example", "", "-", "", "-"}) == Exit::ok);
  CHECK(keys_of(rig.written) == "smarthost:\n  url: \"smtp://open.example\"\n  auth: none\n");
  CHECK(rig.login->user.empty());
  CHECK(rig.was_shown("Mail to root goes nowhere"));
}

TEST_CASE("setup: what cannot work is said before anything is written, and before a password is asked for") {
  SetupRig rig;
  CHECK(rig.run({"me@goo.jp", "", "pw"}) == Exit::unavailable);
  CHECK(!rig.was_shown("Password"));
  CHECK(rig.written.empty());
}

TEST_CASE(
    "setup: where only OAuth2 is taken, a client id is asked for instead of a password, and then somebody "
    "consents") {
  SetupRig rig;
  unsigned consents = 0;
  rig.deeds.consent = [&] { return ++consents == 1; };
  CHECK(rig.run({"me@outlook.com", "", "1b2c-id", "", "-", "", "-"}) == Exit::ok);
  CHECK(!rig.was_shown("Password"));
  CHECK(keys_of(rig.written).find("oauth: {provider: microsoft, client_id: 1b2c-id}\n") != std::string::npos);
  CHECK(consents == 1);
  rig.deeds.consent = [] { return false; };
  CHECK(rig.run({"me@outlook.com", "", "1b2c-id", "", "-", "", "-"}) == Exit::attention);
}

TEST_CASE("setup: a host that only the DNS names is confirmed before it gets a password") {
  SetupRig rig;
  CHECK(rig.run({"me@forged.example", "n"}) == Exit::unavailable);
  CHECK(rig.was_shown("Is smtp.other.example your provider's [Y/n]: "));
  CHECK(!rig.was_shown("Password"));
  SetupRig silent;
  silent.given = {.target = "me@forged.example", .password = Secret("pw"), .yes = true};
  CHECK(silent.run() == Exit::unavailable);
  CHECK(silent.was_shown("name it with --host smtp.other.example"));
  CHECK(silent.written.empty());
}

TEST_CASE("setup: an answer that is not understood is asked for again") {
  SetupRig rig;
  CHECK(rig.run({"nowhere.example", "a b", "h.example:26", "submission://h.example:26", "me", "pw", "me", "-",
                 "-", "what", "y", "-"}) == Exit::ok);
  CHECK(rig.was_shown("nobody answers at nowhere.example\n"));
  CHECK(rig.was_shown("this port says nothing about TLS"));
  CHECK(rig.was_shown("'me' is no mail address such as me@example.com\n"));
  CHECK(rig.was_shown("Please answer y or n.\n"));
  CHECK(keys_of(rig.written) == "smarthost:\n  url: \"submission://h.example:26\"\n  user: me\n");
}

TEST_CASE("setup: options answer everything, and nothing is asked") {
  SetupRig rig;
  rig.given = {.target = "h.example",
               .user = "me",
               .password = Secret("pw"),
               .from = "me@h.example",
               .root_mail = "ops@h.example",
               .test_to = "you@h.example",
               .yes = true};
  CHECK(rig.run() == Exit::ok);
  CHECK(keys_of(rig.written) ==
        "smarthost:\n  url: \"submission://h.example\"\n  user: me\nfrom: me@h.example\nlocal_mail: "
        "ops@h.example\n");
  CHECK(rig.tested == "you@h.example");
  SetupRig without;
  without.given = {.target = "me@h.example", .yes = true};
  CHECK(without.run() == Exit::usage);
  CHECK(without.was_shown("give it with --password-file"));
  CHECK(without.written.empty());
}

TEST_CASE("setup: if the answers end, nothing is written") {
  for (std::size_t count = 0; count < 6; ++count) {
    SetupRig rig;
    const std::deque<std::string> answers{"me@corp.example", "", "pw", "", "", ""};
    CAPTURE(count);
    CHECK(rig.run({answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(count)}) == Exit::usage);
    CHECK(rig.written.empty());
  }
  SetupRig declined;
  CHECK(declined.run({"me@corp.example", "", "pw", "", "", "n"}) == Exit::attention);
  CHECK(declined.written.empty());
}

TEST_CASE("setup: a second run proposes what is there, and changes nothing else") {
  SetupRig rig;
  rig.exists(
      "# ours\nlog: {level: debug}\n# the way out\nsmarthosts:\n  - url: submission://h.example\n    user: "
      "me\n    "
      "connections: 2\nlocal_mail: ops@h.example  # on call\n");
  rig.deeds.find_password = [](const Answers&) { return Secret("old"); };
  CHECK(rig.run({"", "", "", "", "", "", "-"}) == Exit::ok);
  CHECK(rig.written == rig.existing.text);
  CHECK(rig.login->password.reveal() == "old");
  CHECK(rig.was_shown("/etc/hikyaku/hikyaku.yaml stays as it is.\n"));
  CHECK(rig.run({"other.example", "you", "pw", "", "", "", "-"}) == Exit::ok);
  CHECK(rig.written ==
        "# ours\nlog: {level: debug}\n# the way out\nsmarthost:\n  url: \"submission://other.example\"\n"
        "  user: you\nlocal_mail: ops@h.example  # on call\n");
  CHECK(rig.was_shown("  -     connections: 2\n"));
}

TEST_CASE("setup: the example that the package brings is no smarthost of anybody") {
  SetupRig rig;
  rig.exists("smarthost: smtps://smtp.example.com\n");
  CHECK(rig.run({"", "me@corp.example", "", "", "pw", "", "", "", "-"}) == Exit::ok);
  CHECK(rig.was_shown("Password (not shown): \nThis needs an answer.\n"));
  CHECK(rig.was_shown("Your mail address, or the name of the smarthost: \nThis needs an answer.\n"));
}

TEST_CASE("setup: several smarthosts are left alone") {
  SetupRig rig;
  rig.exists("smarthosts: [smtps://a.example, smtps://b.example]\n");
  CHECK(rig.run() == Exit::configuration);
  CHECK(rig.was_shown("has several smarthosts, and setup knows only one"));
}

TEST_CASE("setup: a configuration that is wrong is left alone, before anything is asked") {
  for (std::string_view text :
       {"smarthost: [\n", "smarthost: smtps://a.example\nlisten: 25\n", "{smarthost: 'mx:', user: a}"}) {
    SetupRig rig;
    rig.existing.exists = true;
    rig.existing.text = text;
    CAPTURE(text);
    CHECK(rig.run({"me@corp.example"}) == Exit::configuration);
    CHECK(rig.was_shown(
        "correct what is wrong with the configuration, or move it away to begin anew: /etc/hik"));
    CHECK(!rig.was_shown("Your mail address"));
  }
}

TEST_CASE("setup: where the check fails, no mail is sent and the end says so") {
  SetupRig rig;
  rig.works = false;
  CHECK(rig.run({"me@corp.example", "", "pw", "", "", "", "you@corp.example"}) == Exit::attention);
  CHECK(rig.was_shown("mail cannot be sent yet"));
  CHECK(rig.tested == "");
}

TEST_CASE("setup: where no daemon runs, the end says how to start it") {
  SetupRig rig;
  CHECK(rig.run({"me@corp.example", "", "pw", "", "", "", "-"}) == Exit::ok);
  CHECK(rig.was_shown("The daemon has read it.\n"));
  CHECK(!rig.was_shown("systemctl"));
  SetupRig stopped;
  stopped.daemon_runs = false;
  CHECK(stopped.run({"me@corp.example", "", "pw", "", "", "", "you@corp.example"}) == Exit::ok);
  CHECK(stopped.checked == "you@corp.example");
  CHECK(stopped.tested == "");
  CHECK(stopped.was_shown("The daemon does not run: start it with 'systemctl enable --now hikyaku'.\nDone."));
}

TEST_CASE("setup: root's mail stays with the aliases file where that has it") {
  SetupRig rig;
  rig.deeds.root_alias = "ops@corp.example";
  CHECK(rig.run({"me@corp.example", "", "pw", "", "", "-"}) == Exit::ok);
  CHECK(rig.was_shown("Mail to root goes to ops@corp.example, as /etc/aliases has it.\n"));
  CHECK(rig.written.find("local_mail") == std::string::npos);
}

}  // namespace
}  // namespace hikyaku::setup
