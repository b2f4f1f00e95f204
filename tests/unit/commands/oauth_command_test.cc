// SPDX-License-Identifier: MIT
// `hikyaku oauth` without a daemon, and beside one that is none.
#include <sys/stat.h>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/commands/oauth_tokens.h"
#include "daemon/commands/trials.h"
#include "tests/support/accounts.h"
#include "tests/unit/control/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;

namespace {

constexpr std::string_view kProgram =
    "{flow: command, command: [/bin/echo, '{\"access_token\": \"first-secret\", \"scope\": \"send\"}']}";
constexpr std::string_view kConsent =
    "{client_id: app, token_url: 'http://127.0.0.1:1/token', scope: send, authorize_url: "
    "'http://127.0.0.1:1/auth'}";

// With the socket of the daemon that is none, or with nobody there.
struct OAuthCommandRig : control::ControlRig {
  explicit OAuthCommandRig(bool with_daemon = false) {
    runtime = with_daemon ? place.path() : place.file("nobody");
    configure({{"main", kConsent}});
  }

  void configure(const std::vector<std::pair<std::string, std::string_view>>& smarthosts) {
    std::vector<std::string> entries;
    for (const auto& [name, oauth] : smarthosts)
      entries.push_back(cat("{name: ", name,
                            ", host: 127.0.0.1, port: 1, tls: none, allow_plaintext_auth: true, user: ",
                            "me@shop.example, oauth: ", oauth, "}"));
    std::remove(config.c_str());
    system::write_new_file(config,
                           cat("smarthosts: [", join(entries, ", "), "]\nhostname: app.shop.example\n",
                               "domain: shop.example\nruntime_directory: ", runtime,
                               "\nspool: {directory: ", place.path(), "}\noauth_directory: ", tokens, "\n"));
  }
  config::Settings settings() const {
    auto loaded = config::load_file(config);
    REQUIRE(loaded);
    return *loaded;
  }
  oauth::StoredToken kept(const std::string& name = "main") const {
    const config::Settings here = settings();
    auto token = CommandTokens(here).stored(name);
    REQUIRE((token && *token));
    return **token;
  }
  void keep(const oauth::StoredToken& token, const std::string& name = "main") const {
    const config::Settings here = settings();
    REQUIRE(CommandTokens(here).keep(name, token));
  }

  using Command = Exit (*)(const OAuthOptions&, const system::LoadCalls&);
  Ran run(Command command, OAuthOptions options = {}) {
    options.config = config;
    return captured([&] { return command(options, {.find = nobody_there}); });
  }
  Ran log_in(OAuthLoginOptions options) {
    options.config = config;
    return captured([&] { return run_oauth_login(options, {.find = nobody_there}); });
  }
  Ran captured(const std::function<Exit()>& command) {
    Captured output(place.path());
    const int exit = static_cast<int>(command());
    return {exit, output.out(), output.err()};
  }

  std::string runtime;
  std::string tokens = place.file("tokens");
  std::string config = place.file("hikyaku.yaml");
};

oauth::StoredToken with_consent() {
  oauth::StoredToken token;
  token.refresh_token = Secret("refresh-secret");
  token.access_token = Secret("access-secret");
  token.consented = token.obtained = *parse_rfc3339("2026-09-01T08:00:00Z");
  token.expires = *parse_rfc3339("2026-09-01T09:00:00Z");
  token.account = "me@shop.example";
  token.scope = "send";
  return token;
}

bool has(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

}  // namespace

TEST_CASE("hikyaku oauth status: without a daemon the files tell, in the daemon's own words") {
  OAuthCommandRig rig;
  Ran none = rig.run(run_oauth_status);
  CHECK(none.exit == 1);
  CHECK(none.out == "main: no consent yet: run `hikyaku oauth login main`\n");
  rig.keep(with_consent());
  Ran good = rig.run(run_oauth_status);
  CHECK(good.exit == 0);
  CHECK(good.out ==
        "main: good until 2026-09-01T09:00:00Z\n"
        "  consented by me@shop.example\n"
        "  scope send\n"
        "  last token 2026-09-01T08:00:00Z\n");
  Ran json = rig.run(run_oauth_status, {.json = true});
  CHECK(json.out == R"({"smarthost":"main","flow":"login","consented":true,"needs_operator":false,)"
                    R"("consented_at":"2026-09-01T08:00:00Z","account":"me@shop.example","scope":"send",)"
                    R"("expires":"2026-09-01T09:00:00Z","refreshed":"2026-09-01T08:00:00Z","refused":null,)"
                    R"("refused_since":null,"next_try":null})"
                    "\n");
}

TEST_CASE("hikyaku oauth status: a file that others may read is told with what to do") {
  OAuthCommandRig rig;
  rig.keep(with_consent());
  REQUIRE(::chmod(cat(rig.tokens, "/main.json").c_str(), 0644) == 0);
  Ran ran = rig.run(run_oauth_status);
  CHECK(ran.exit == 1);
  CHECK(has(ran.out, "main: refused: "));
  CHECK(has(ran.out, cat("others may read or write the tokens in it (mode 0644); run: chmod 600 ", rig.tokens,
                         "/main.json")));
  CHECK(parse_json(rig.run(run_oauth_status, {.json = true}).out)->find("needs_operator")->boolean() == true);
}

TEST_CASE("hikyaku oauth status: beside a daemon it is the daemon that knows") {
  OAuthCommandRig rig(true);
  mail::OAuthReport report{.is_login = true, .has_consent = true, .needs_operator = true};
  report.refused = "invalid_grant: \x1b[2Jgone";
  report.since = parse_rfc3339("2026-09-01T08:00:00Z");
  rig.configure({{"main", kConsent}, {"other", kProgram}});
  rig.daemon.oauth = {{"main", report}, {"other", {.has_consent = true}}};
  Ran ran = rig.run(run_oauth_status);
  CHECK(ran.exit == 1);
  CHECK(ran.out ==
        "main: refused since 2026-09-01T08:00:00Z: invalid_grant: \\x1b[2Jgone\nother: no token yet\n");
  Ran one = rig.run(run_oauth_status, {.name = "OTHER", .json = true});
  CHECK(has(one.out, R"({"smarthost":"other","flow":"application","consented":true,)"));
  CHECK_FALSE(has(one.out, "main"));
  rig.daemon.answers = false;
  CHECK(rig.run(run_oauth_status).exit == static_cast<int>(Exit::try_again));
}

TEST_CASE("hikyaku oauth: which smarthost is meant must be clear") {
  OAuthCommandRig rig;
  rig.configure({{"main", kConsent}, {"other", kProgram}});
  Ran several = rig.run(run_oauth_refresh);
  CHECK(several.exit == static_cast<int>(Exit::usage));
  CHECK(several.err == "hikyaku oauth: several smarthosts have `oauth`: name one\n");
  CHECK(rig.run(run_oauth_status, {.name = "third"}).err ==
        "hikyaku oauth: no smarthost with `oauth` is called 'third', but main, other\n");
  std::remove(rig.config.c_str());
  system::write_new_file(rig.config, "smarthost: smtp://127.0.0.1\nhostname: app.shop.example\n");
  CHECK(has(rig.run(run_oauth_status).err, "no smarthost of the configuration has `oauth`"));
  CHECK(rig.log_in({}).exit == static_cast<int>(Exit::usage));
  CHECK(rig.run(run_oauth_revoke, {.config = "x"}).exit == static_cast<int>(Exit::usage));
}

TEST_CASE(
    "hikyaku oauth refresh: without a daemon the command asks the provider, keeps what comes, and prints no "
    "token") {
  OAuthCommandRig rig;
  Ran without = rig.run(run_oauth_refresh);
  CHECK(without.exit == 1);
  CHECK(without.err == "hikyaku oauth: nobody has consented yet: run `hikyaku oauth login main`\n");
  rig.configure({{"main", kProgram}});
  Ran ran = rig.run(run_oauth_refresh);
  CHECK(ran.exit == 0);
  CHECK(ran.out.starts_with("main: a new token, good until 2"));
  CHECK_FALSE(has(ran.out + ran.err, "first-secret"));
  CHECK(rig.kept().access_token == Secret("first-secret"));
  CHECK(rig.kept().user == "me@shop.example");
  CHECK(rig.kept().scope == "send");
}

TEST_CASE("hikyaku oauth refresh: what the provider says is told, and the refresh token stays") {
  OAuthCommandRig rig;
  rig.keep(with_consent());
  Ran ran = rig.run(run_oauth_refresh);
  CHECK(ran.exit == 1);
  CHECK(has(ran.err, "127.0.0.1:1"));
  CHECK_FALSE(has(ran.err, "secret"));
  CHECK(rig.kept().refresh_token == Secret("refresh-secret"));
}

TEST_CASE("hikyaku oauth: another program that writes is waited for by nobody, but told") {
  OAuthCommandRig rig;
  rig.configure({{"main", kProgram}});
  auto lock = oauth::lock_token_store(rig.tokens);
  REQUIRE(lock);
  Ran ran = rig.run(run_oauth_refresh);
  CHECK(ran.exit == static_cast<int>(Exit::no_permission));
  CHECK(has(ran.err, cat("another program writes into ", rig.tokens)));
}

TEST_CASE("hikyaku oauth refresh, revoke: beside a daemon it is asked, and its answer told") {
  OAuthCommandRig rig(true);
  rig.keep(with_consent());
  CHECK(rig.run(run_oauth_refresh).exit == 0);
  CHECK(rig.run(run_oauth_revoke)
            .out.starts_with("main: the tokens are gone here; the provider has no way to be told"));
  CHECK(rig.daemon.oauth_asked == std::vector<std::string>{"adopt main", "refresh main", "revoke main"});
  CHECK(rig.daemon.adopted.at(0).refresh_token == Secret("refresh-secret"));
  rig.daemon.oauth_result = std::unexpected("invalid_grant: gone");
  Ran refused = rig.run(run_oauth_refresh);
  CHECK(refused.exit == static_cast<int>(Exit::damaged));
  CHECK(has(refused.err, "invalid_grant: gone"));
}

TEST_CASE("hikyaku oauth revoke: without a daemon the file goes") {
  OAuthCommandRig rig;
  rig.keep(with_consent());
  CHECK(rig.run(run_oauth_revoke).exit == 0);
  CHECK(rig.run(run_oauth_status).out == "main: no consent yet: run `hikyaku oauth login main`\n");
}

TEST_CASE("hikyaku oauth import: a file of tokens is taken over, or refused with the reason") {
  OAuthCommandRig rig;
  const std::string file = rig.place.file("tokens.json");
  CHECK(rig.run(run_oauth_import, {.file = file}).err ==
        cat("hikyaku oauth: ", file, ": the file of tokens cannot be opened: No such file or directory\n"));
  system::write_new_file(file, R"({"refresh_token": "taken-over-secret"})");
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  CHECK(has(rig.run(run_oauth_import, {.file = file}).err,
            "others may read or write the tokens in it (mode 0644)"));
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  Ran ran = rig.run(run_oauth_import, {.file = file});
  CHECK(ran.exit == 1);
  CHECK(has(ran.err, "kept, but the provider gives no token for it: "));
  CHECK_FALSE(has(ran.err, "taken-over-secret"));
  CHECK(rig.kept().refresh_token == Secret("taken-over-secret"));
  CHECK(rig.kept().consented != WallTime{});
  std::remove(file.c_str());
  system::write_new_file(file, "something else");
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  Ran foreign = rig.run(run_oauth_import, {.file = file});
  CHECK(foreign.exit == static_cast<int>(Exit::damaged));
  CHECK(has(foreign.err, cat(file, " is no file of sasl-xoauth2 or email-oauth2-proxy")));
}

TEST_CASE("hikyaku oauth: a file of another client's tokens counts as none") {
  OAuthCommandRig rig;
  rig.keep(with_consent());
  const std::string changed =
      "{client_id: another, token_url: 'http://127.0.0.1:1/token', scope: send, authorize_url: "
      "'http://127.0.0.1:1/auth'}";
  rig.configure({{"main", changed}});
  CHECK(rig.run(run_oauth_status).out == "main: no consent yet: run `hikyaku oauth login main`\n");
}

TEST_CASE("hikyaku oauth login: a way that the provider does not have is told") {
  OAuthCommandRig rig;
  Ran device = rig.log_in({.way = ConsentWay::device});
  CHECK(device.exit == static_cast<int>(Exit::usage));
  CHECK(has(device.err, "this provider has no log-in by device: use --browser or --paste"));
  rig.configure({{"main", kProgram}});
  Ran program = rig.log_in({});
  CHECK(program.exit == static_cast<int>(Exit::usage));
  CHECK(has(program.err, "nobody has to log in for this `flow`; try it with `hikyaku oauth refresh`"));
  rig.configure({{"main", kConsent}, {"other", kConsent}});
  CHECK(has(rig.log_in({}).err, "several smarthosts have `oauth`: name one"));
}

TEST_CASE("oauth: for a trial the command gives tokens as the daemon would, and says why there is none") {
  OAuthCommandRig rig;
  const config::Settings without = rig.settings();
  CommandTokens none(without);
  auto refused = rig.loop.run(none.token("main", {}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == mail::FailureKind::oauth_consent_needed);
  rig.configure({{"main", kProgram}});
  const config::Settings settings = rig.settings();
  CommandTokens tokens(settings);
  CHECK(rig.loop.run(tokens.token("main", {})).value() == Secret("first-secret"));
  // A minute has not passed: the same would come again.
  CHECK_FALSE(rig.loop.run(tokens.newer_than("main", Secret("first-secret"), {})).value().has_value());
  CHECK(rig.loop.run(tokens.newer_than("main", Secret("older"), {})).value().value() ==
        Secret("first-secret"));
  CHECK(tokens.facts("main").granted_scope == "send");
}
