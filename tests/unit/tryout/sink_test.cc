// SPDX-License-Identifier: MIT
#include "daemon/tryout/sink.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "daemon/base/text.h"
#include "daemon/io/nursery.h"
#include "daemon/io/self_signed.h"
#include "daemon/io/socket_stream.h"
#include "daemon/system/files.h"
#include "daemon/tryout/app_dialogue.h"

using namespace hikyaku;
using namespace hikyaku::tryout;

namespace {

const std::string kMessage =
    "From: <a@example.com>\r\nDate: Sun, 22 Nov 2026 03:14:04 +0000\r\n"
    "Message-ID: <1@example.com>\r\n\r\nhi\r\n.\r\n..\r\n";

struct Rig {
  SystemClock clock;
  io::Loop loop{clock};
  system::TemporaryDirectory place{"hikyaku-test"};
  SinkOptions options;
  std::string printed;
  std::string dialogue;
  std::unique_ptr<Sink> sink;

  Rig() { options.listen = Endpoint::parse("127.0.0.1:0").value(); }

  bool open() {
    auto opened = Sink::open(loop, std::move(options), [this](std::string_view text) { printed += text; });
    if (opened) sink = std::move(*opened);
    return opened.has_value();
  }
  bool says(std::string_view text) const { return printed.find(text) != std::string::npos; }

  Task<Result<std::string, IoError>> submit(std::shared_ptr<io::TlsClient> tls = nullptr) {
    io::Until until = loop.within(10s);
    auto stream = co_await io::connect_tcp(loop, sink->local(), until);
    REQUIRE(stream);
    if (tls) stream = co_await tls->connect(std::move(*stream), until);
    if (!stream) co_return std::unexpected(stream.error());
    AppDialogue app(**stream, until, [this](std::string_view line) { dialogue += cat(line, "\n"); });
    auto queued = co_await app.submit({"a@example.com", "b@example.com", kMessage});
    co_return queued;
  }

  // Runs the sink while one message is handed in, and then until it ends.
  Task<Result<std::string, IoError>> run(std::shared_ptr<io::TlsClient> tls, int signal_number) {
    io::Nursery nursery(loop);
    nursery.spawn(sink->run());
    auto queued = co_await submit(std::move(tls));
    if (signal_number != 0) ::kill(::getpid(), signal_number);
    co_await nursery.drained({});
    co_return queued;
  }
};

std::string only_eml_in(const std::string& directory) {
  for (const auto& file : std::filesystem::directory_iterator(directory))
    if (file.path().extension() == ".eml") return system::read_whole_file(file.path().string());
  return "";
}

}  // namespace

TEST_CASE("app: the sink says where it listens, stores what it gets, and leaves after so many mails") {
  Rig rig;
  rig.options.directory = rig.place.path();
  rig.options.count = 1;
  REQUIRE(rig.open());
  CHECK(rig.printed == cat("listening on ", rig.sink->local().to_text(), "\n"));
  auto queued = rig.loop.run(rig.run(nullptr, 0));
  REQUIRE(queued);
  CHECK(queued->starts_with("250 2.0.0"));
  std::string stored = only_eml_in(rig.place.path());
  CHECK(stored.starts_with("Received: "));
  CHECK(stored.ends_with(kMessage));
  CHECK(rig.says("from <a@example.com> to <b@example.com>"));
  CHECK(rig.dialogue.find("C: ...\nC: .\nS: 250") != std::string::npos);  // as an app stuffs its dots
}

TEST_CASE("app: without a directory the sink prints what it gets, and a signal ends it") {
  Rig rig;
  REQUIRE(rig.open());
  REQUIRE(rig.loop.run(rig.run(nullptr, SIGTERM)));
  CHECK(rig.says(kMessage));
  CHECK(rig.says("stopping\n"));
}

TEST_CASE("app: the sink refuses what it is told to, and says so") {
  Rig rig;
  rig.options.refusals = {*parse_refusal("rcpt:B@example.com=450 4.2.1 busy")};
  REQUIRE(rig.open());
  auto queued = rig.loop.run(rig.run(nullptr, SIGINT));
  REQUIRE_FALSE(queued);
  CHECK(queued.error().text == "the server answered: 450 4.2.1 busy");
  CHECK(rig.says("RCPT: 450 4.2.1 busy"));
}

TEST_CASE("app: the sink speaks implicit TLS with a certificate of its own making") {
  Rig rig;
  rig.options.tls = mail::TlsMode::implicit;
  rig.options.hostname = "sink.example.com";
  REQUIRE(rig.open());
  std::size_t at = rig.printed.find("certificate ") + 12;
  io::TlsClientOptions options;
  options.name = "sink.example.com";
  options.ca_file = rig.printed.substr(at, rig.printed.find(',', at) - at);
  auto tls = io::TlsClient::create(options);
  REQUIRE(tls);
  CHECK(rig.loop.run(rig.run(*tls, SIGTERM)));
  CHECK(rig.says("ESMTPS"));
}

TEST_CASE("app: the sink does not start where it cannot listen or has no certificate") {
  Rig rig;
  auto taken = io::Listener::listen_tcp(rig.loop, rig.options.listen);
  REQUIRE(taken);
  rig.options.listen = (*taken)->local().value();
  CHECK_FALSE(rig.open());
  Rig other;
  other.options.tls = mail::TlsMode::starttls;
  other.options.cert_file = other.options.key_file = other.place.file("missing.pem");
  CHECK_FALSE(other.open());
}

TEST_CASE("app: refusals are understood as they are written") {
  using enum smtpd::Stage;
  auto any = parse_refusal("rcpt=550 5.1.1 no such user");
  REQUIRE(any);
  CHECK(any->stage == rcpt);
  CHECK(any->address.empty());
  CHECK(smtpd::to_text(any->reply) == "550 5.1.1 no such user");
  auto one = parse_refusal("MAIL:a=b@example.com=450 later");
  CHECK_FALSE(one);  // an address with an equals sign is not worth the trouble
  CHECK(parse_refusal("mail:a@example.com=450 later")->address == "a@example.com");
  CHECK(parse_refusal("data=451 4.3.0 x")->stage == data);
  CHECK(parse_refusal("message=552 5.2.2 full")->stage == message);
  for (const char* text :
       {"", "rcpt", "rcpt=", "rcpt=250 ok", "rcpt=550", "quit=550 no", "rcpt=5500 no", "rcpt=550 a\r\nb"})
    CHECK_FALSE(parse_refusal(text));
}

TEST_CASE("app: a refusal applies to its stage and its address only") {
  auto refuse = make_refuse({*parse_refusal("rcpt:b@example.com=550 no"), *parse_refusal("data=451 later")});
  CHECK(refuse(smtpd::Stage::rcpt, "B@example.com")->code == 550);
  CHECK_FALSE(refuse(smtpd::Stage::rcpt, "c@example.com"));
  CHECK_FALSE(refuse(smtpd::Stage::mail, "b@example.com"));
  CHECK(refuse(smtpd::Stage::data, "")->code == 451);
}
