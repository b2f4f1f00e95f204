// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/config/read_file.h"
#include "daemon/tryout/sink.h"

namespace hikyaku::commands {
namespace {

constexpr const char* kPasswordVariable = "HIKYAKU_SINK_PASSWORD";

// The options as given, before they are parsed.
struct SinkCommandOptions {
  std::string listen = "127.0.0.1:0";
  std::string hostname = "sink.example.com";
  std::string tls = "none";
  std::string cert;
  std::string key;
  std::string user;
  std::string password_file;
  std::string mechanisms = "PLAIN,LOGIN,CRAM-MD5";
  bool require_auth = false;
  std::vector<std::string> refuse;
  std::string directory;
  unsigned count = 0;
};

std::unexpected<StartError> misuse(std::string text) { return fail(Exit::usage, std::move(text)); }

// Never taken from the command line, which everyone on the machine can read.
Result<Secret, StartError> read_password(const std::string& file) {
  if (const char* variable = std::getenv(kPasswordVariable); file.empty() && variable != nullptr)
    return Secret(variable);
  if (file.empty())
    return misuse(cat("--user needs a password: give --password-file, or set $", kPasswordVariable));
  auto text = config::read_file(file);
  if (!text) return misuse(cat(file, ": ", text.error().text));
  return Secret(text->text.substr(0, text->text.find_first_of("\r\n")));
}

Result<std::optional<smtpd::AuthOptions>, StartError> understand_auth(const SinkCommandOptions& given) {
  if (given.user.empty() && given.require_auth) return misuse("--require-auth needs --user");
  if (given.user.empty()) return std::nullopt;
  auto password = read_password(given.password_file);
  if (!password) return std::unexpected(password.error());
  smtpd::AuthOptions auth;
  auth.mechanisms.clear();
  for (std::string_view name : split(given.mechanisms, ',')) auth.mechanisms.push_back(to_upper(trim(name)));
  auth.needs_tls = given.tls != "none";
  auth.required = given.require_auth;
  auth.user = given.user;
  auth.password = std::move(*password);
  return auth;
}

Result<std::vector<tryout::SinkRefusal>, StartError> understand_refusals(
    const std::vector<std::string>& texts) {
  std::vector<tryout::SinkRefusal> refusals;
  for (const std::string& text : texts) {
    auto refusal = tryout::parse_refusal(text);
    if (!refusal)
      return misuse(cat("--refuse ", printable(text),
                        " is not STAGE[:ADDRESS]=REPLY; write it like \"rcpt=550 5.1.1 no such user\""));
    refusals.push_back(std::move(*refusal));
  }
  return refusals;
}

mail::TlsMode mode_of(std::string_view word) {
  if (word == "starttls") return mail::TlsMode::starttls;
  return word == "implicit" ? mail::TlsMode::implicit : mail::TlsMode::none;
}

Result<tryout::SinkOptions, StartError> understand(const SinkCommandOptions& given) {
  auto listen = Endpoint::parse(given.listen);
  if (!listen)
    return misuse(cat("--listen ", printable(given.listen),
                      " is not an address and port; write it like 127.0.0.1:2525 or [::1]:2525"));
  auto auth = understand_auth(given);
  if (!auth) return std::unexpected(auth.error());
  auto refusals = understand_refusals(given.refuse);
  if (!refusals) return std::unexpected(refusals.error());
  tryout::SinkOptions options;
  options.listen = *listen;
  options.hostname = given.hostname;
  options.tls = mode_of(given.tls);
  options.cert_file = given.cert;
  options.key_file = given.key;
  options.auth = std::move(*auth);
  options.refusals = std::move(*refusals);
  options.directory = given.directory;
  if (given.count > 0) options.count = given.count;
  return options;
}

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);  // a script may wait for this line on a pipe
}

Exit report_sink(const StartError& error) {
  std::fprintf(stderr, "hikyaku sink: %s\n", error.text.c_str());
  return error.kind;
}

Exit run(const SinkCommandOptions& given) {
  auto options = understand(given);
  if (!options) return report_sink(options.error());
  SystemClock clock;
  io::Loop loop(clock);
  auto sink = tryout::Sink::open(loop, std::move(*options), print_line);
  if (!sink) return report_sink(sink.error());
  loop.run((*sink)->run());
  return Exit::ok;
}

}  // namespace

void add_sink_command(CLI::App& app, Action& chosen) {
  auto given = std::make_shared<SinkCommandOptions>();
  CLI::App* sink =
      app.add_subcommand("sink", "run a smarthost for tests, which stores or prints the mail it gets");
  sink->add_option("--listen", given->listen, "where to listen; port 0 picks a free port")
      ->type_name("ADDR:PORT")
      ->capture_default_str();
  sink->add_option("--hostname", given->hostname, "the name in the greeting and in the certificate")
      ->capture_default_str();
  sink->add_option("--tls", given->tls, "how clients use TLS")
      ->check(CLI::IsMember({"none", "starttls", "implicit"}))
      ->capture_default_str();
  auto* cert =
      sink->add_option("--cert", given->cert, "certificate file (PEM); default: a new self-signed one");
  auto* key = sink->add_option("--key", given->key, "private key file (PEM)")->needs(cert);
  cert->needs(key);
  sink->add_option("--user", given->user, "the user name that may log in");
  sink->add_option("--password-file", given->password_file,
                   "its first line is the password; or set $HIKYAKU_SINK_PASSWORD");
  sink->add_option("--auth", given->mechanisms, "the mechanisms to offer")
      ->type_name("LIST")
      ->capture_default_str();
  sink->add_flag("--require-auth", given->require_auth, "refuse mail from clients that have not logged in");
  sink->add_option(
          "--refuse", given->refuse,
          "answer like \"rcpt:you@example.com=550 5.1.1 no\"; the stage is mail, rcpt, data or message")
      ->type_name("STAGE[:ADDRESS]=REPLY");
  sink->add_option("--directory", given->directory,
                   "store mails there as ID.eml and ID.json; default: print them")
      ->check(CLI::ExistingDirectory);
  sink->add_option("--count", given->count, "exit after this many mails");
  sink->callback([given, &chosen] { chosen = [given] { return run(*given); }; });
}

}  // namespace hikyaku::commands
