// SPDX-License-Identifier: MIT
// TLS over an in-memory connection: who is believed and who is not, resumption, and the end of a stream.
#include "daemon/io/tls.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "daemon/io/self_signed.h"
#include "daemon/io/tls_stream.h"
#include "tests/support/peers/test_certificates.h"

using namespace hikyaku;
using namespace hikyaku::io;
using test::test_certificates;

namespace {

struct Outcome {
  std::optional<IoError> error;
  TlsInfo info;
};

// Answers a handshake, one message, and closes.
Task<void> serve(std::shared_ptr<TlsServer> server, StreamPtr under) {
  auto stream = co_await server->accept(std::move(under), {});
  if (!stream) co_return;
  char byte;
  auto asked = co_await (*stream)->read_some({&byte, 1}, {});
  if (!asked) co_return;
  auto said = co_await (*stream)->write("hello", {});
  CHECK(said.has_value());
  auto shut = co_await (*stream)->shut_down({});
  CHECK(shut.has_value());
}

Task<Outcome> meet(Loop& loop, TlsClient& client, std::shared_ptr<TlsServer> server, std::string name = {}) {
  Nursery nursery(loop);
  MemoryPair pair = make_memory_pair(
      loop, {.capacity = SIZE_MAX, .largest_read = 11, .first_address = {}, .second_address = {}});
  nursery.spawn(serve(std::move(server), std::move(pair.second)));
  Outcome outcome;
  auto stream = co_await client.connect(std::move(pair.first), {}, std::move(name));
  if (stream) {
    outcome.info = *(*stream)->tls();
    auto asked = co_await (*stream)->write("?", {});
    CHECK(asked.has_value());
    std::string heard(10, '\0');
    auto got = co_await (*stream)->read_some(heard, {});
    CHECK((got && heard.substr(0, *got) == "hello"));
    auto end = co_await (*stream)->read_some(heard, {});
    CHECK((!end && end.error().kind == IoErrorKind::eof));
    stream->reset();
  } else {
    outcome.error = stream.error();
  }
  co_await nursery.drained({});
  co_return outcome;
}

struct TlsRig {
  ManualClock clock;
  Loop loop{clock};

  Outcome meet(TlsClientOptions options, const test::CertificateFiles& files) {
    auto client = TlsClient::create(std::move(options));
    REQUIRE(client);
    return meet(**client, files);
  }
  Outcome meet(TlsClient& client, const test::CertificateFiles& files, std::string name = {}) {
    auto server = TlsServer::create(files.cert, files.key);
    REQUIRE(server);
    return loop.run(::meet(loop, client, *server, std::move(name)));
  }
};

// A peer of the older TLS, whose keys can be changed in the middle.
SslPtr tls_1_2(const SSL_METHOD* method, const test::CertificateFiles& files) {
  SslContextPtr context(SSL_CTX_new(method));
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  REQUIRE(SSL_CTX_use_certificate_chain_file(context.get(), files.cert.c_str()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1);
  return SslPtr(SSL_new(context.get()));
}

// What a peer is told that wants new keys once it has heard a byte.
Task<void> renegotiate(StreamPtr under, SslPtr ssl, std::string& answer) {
  TlsStream stream(std::move(under), std::move(ssl));
  auto shaken = co_await stream.shake_hands({});
  REQUIRE(shaken);
  char byte;
  auto heard = co_await stream.read_some({&byte, 1}, {});
  REQUIRE(heard);
  REQUIRE(SSL_renegotiate(stream.ssl()) == 1);
  SSL_do_handshake(stream.ssl());
  auto told = co_await stream.read_some({&byte, 1}, {});
  answer = told ? "new keys" : told.error().text;
}

// One byte, and then whatever the peer wants until it leaves.
Task<void> use(StreamPtr stream) {
  auto asked = co_await stream->write("?", {});
  CHECK(asked);
  char byte;
  auto end = co_await stream->read_some({&byte, 1}, {});
  CHECK_FALSE(end);
}

Task<void> use_server(std::shared_ptr<TlsServer> server, StreamPtr under) {
  auto stream = co_await server->accept(std::move(under), {});
  REQUIRE(stream);
  co_await use(std::move(*stream));
}

Task<void> use_client(TlsClient& client, StreamPtr under) {
  auto stream = co_await client.connect(std::move(under), {});
  REQUIRE(stream);
  co_await use(std::move(*stream));
}

TlsClientOptions trusting(std::string name) {
  TlsClientOptions options;
  options.name = std::move(name);
  options.ca_file = test_certificates().ca_file;
  return options;
}

// Whether a certificate for `names` is accepted for `wanted`.
bool fits(const std::vector<std::string>& names, const std::string& wanted) {
  TlsRig rig;
  std::string directory = (std::filesystem::temp_directory_path() / "hikyaku-names-XXXXXX").string();
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  auto made = make_self_signed(directory, names);
  REQUIRE(made);
  TlsClientOptions options;
  options.name = wanted;
  options.ca_file = made->cert_file;
  Outcome outcome = rig.meet(options, {made->cert_file, made->key_file, made->fingerprint});
  std::filesystem::remove_all(directory);
  if (outcome.error) CHECK(outcome.error->kind == IoErrorKind::tls_wrong_name);
  return !outcome.error;
}

// What a client makes of a server that greets in plain SMTP where TLS should begin.
IoError error_of_plain_smtp() {
  TlsRig rig;
  auto client = TlsClient::create(trusting("smtp.example"));
  REQUIRE(client);
  MemoryPair pair = make_memory_pair(rig.loop);
  auto greeted = rig.loop.run(pair.second->write("220 mail.example ESMTP\r\n", {}));
  REQUIRE(greeted);
  auto stream = rig.loop.run((*client)->connect(std::move(pair.first), {}));
  REQUIRE_FALSE(stream);
  return stream.error();
}

}  // namespace

TEST_CASE("tls: a good certificate is verified, and the log can say by what") {
  TlsRig rig;
  Outcome outcome = rig.meet(trusting("smtp.example"), test_certificates().good);
  REQUIRE_FALSE(outcome.error);
  CHECK(outcome.info.verified);
  CHECK(outcome.info.verdict == "verified");
  CHECK(outcome.info.version == "TLSv1.3");
  CHECK(outcome.info.fingerprint == test_certificates().good.fingerprint);
}

TEST_CASE("tls: each fault of a certificate has its own name") {
  const auto& made = test_certificates();
  const std::pair<test::CertificateFiles, IoErrorKind> rows[] = {
      {made.expired, IoErrorKind::tls_expired},
      {made.not_yet_valid, IoErrorKind::tls_not_yet_valid},
      {made.wrong_name, IoErrorKind::tls_wrong_name},
      {made.self_signed, IoErrorKind::tls_self_signed},
      {made.unknown_issuer, IoErrorKind::tls_unknown_issuer},
  };
  for (const auto& [files, kind] : rows) {
    TlsRig rig;
    Outcome outcome = rig.meet(trusting("smtp.example"), files);
    REQUIRE_MESSAGE(outcome.error, files.cert);
    CHECK_MESSAGE(outcome.error->kind == kind, outcome.error->text);
  }
}

TEST_CASE("tls: a refused certificate is described: its names, fingerprint, issuer and dates") {
  const auto& made = test_certificates();
  const std::pair<test::CertificateFiles, const char*> rows[] = {{made.expired, "CN=Test CA"},
                                                                 {made.not_yet_valid, "CN=Test CA"},
                                                                 {made.wrong_name, "CN=Test CA"},
                                                                 {made.self_signed, "CN=self-signed"},
                                                                 {made.unknown_issuer, "CN=Other CA"}};
  for (const auto& [files, issuer] : rows) {
    TlsRig rig;
    Outcome outcome = rig.meet(trusting("smtp.example"), files);
    REQUIRE_MESSAGE((outcome.error && outcome.error->certificate), files.cert);
    const CertificateFacts& facts = *outcome.error->certificate;
    CHECK(facts.fingerprint == files.fingerprint);
    CHECK(facts.issuer == issuer);
    CHECK(facts.faulty == "");
    REQUIRE_FALSE(facts.chain.empty());
    CHECK(facts.chain[0].issuer == issuer);
    CHECK(facts.chain[0].not_after == facts.not_after);
    const bool is_other = outcome.error->kind == IoErrorKind::tls_wrong_name;
    CHECK(facts.names == (is_other
                              ? std::vector<std::string>{"other.example"}
                              : std::vector<std::string>{"smtp.example", "localhost", "127.0.0.1", "::1"}));
    CHECK(facts.more_names == 0);
    const auto now = SystemClock().wall();
    CHECK((*facts.not_before > now) == (outcome.error->kind == IoErrorKind::tls_not_yet_valid));
    CHECK((*facts.not_after < now) == (outcome.error->kind == IoErrorKind::tls_expired));
  }
}

TEST_CASE("tls: where another certificate of the chain has expired, that one is named") {
  TlsRig rig;
  Outcome outcome = rig.meet(trusting("smtp.example"), test_certificates().old_chain);
  REQUIRE((outcome.error && outcome.error->certificate));
  CHECK(outcome.error->kind == IoErrorKind::tls_expired);
  CHECK(outcome.error->certificate->faulty == "CN=Old CA");
  CHECK(outcome.error->certificate->fingerprint == test_certificates().old_chain.fingerprint);
  CHECK(*outcome.error->certificate->not_after < SystemClock().wall());
}

TEST_CASE("tls: a hostile certificate is described within bounds, with its bytes as they are") {
  TlsRig rig;
  Outcome outcome = rig.meet(trusting("smtp.example"), test_certificates().hostile);
  REQUIRE((outcome.error && outcome.error->certificate));
  CHECK(outcome.error->kind == IoErrorKind::tls_wrong_name);
  const CertificateFacts& facts = *outcome.error->certificate;
  CHECK(facts.names.size() == 20);
  CHECK(facts.names.size() + facts.more_names == 3000);
  CHECK(facts.names.at(0) == std::string("ok.example\0.evil", 16));
  for (const std::string& name : facts.names) CHECK(name.size() <= 255);
}

TEST_CASE("tls: a good certificate, and a failure that is not about one, leave nothing to describe") {
  CHECK(error_of_plain_smtp().certificate == nullptr);
}

TEST_CASE("tls: a certificate for clients is none for a server") {
  TlsRig rig;
  CHECK(rig.meet(trusting("smtp.example"), test_certificates().client).error);
}

TEST_CASE("tls: without verification the verdict is still told") {
  TlsRig rig;
  auto options = trusting("smtp.example");
  options.verify = false;
  Outcome outcome = rig.meet(options, test_certificates().self_signed);
  REQUIRE_FALSE(outcome.error);
  CHECK_FALSE(outcome.info.verified);
  CHECK(outcome.info.verdict.starts_with("unverified: "));
}

TEST_CASE("tls: without verification the fault has the name that it would be refused with") {
  const auto& made = test_certificates();
  const std::pair<test::CertificateFiles, IoErrorKind> rows[] = {
      {made.expired, IoErrorKind::tls_expired},
      {made.not_yet_valid, IoErrorKind::tls_not_yet_valid},
      {made.wrong_name, IoErrorKind::tls_wrong_name},
      {made.self_signed, IoErrorKind::tls_self_signed},
      {made.unknown_issuer, IoErrorKind::tls_unknown_issuer}};
  for (const auto& [files, kind] : rows) {
    TlsRig rig;
    auto options = trusting("smtp.example");
    options.verify = false;
    Outcome outcome = rig.meet(options, files);
    REQUIRE_MESSAGE(!outcome.error, files.cert);
    CHECK(outcome.info.fault == kind);
  }
}

TEST_CASE(
    "tls: an accepted certificate is described where that is asked for, with its chain up to the root") {
  TlsRig rig;
  auto options = trusting("smtp.example");
  const auto undescribed = rig.meet(options, test_certificates().good).info;
  CHECK(undescribed.certificate == nullptr);
  CHECK(undescribed.certificate_ends);
  options.describe = true;
  Outcome outcome = rig.meet(options, test_certificates().good);
  REQUIRE((!outcome.error && outcome.info.certificate));
  CHECK_FALSE(outcome.info.fault);
  const CertificateFacts& facts = *outcome.info.certificate;
  CHECK(outcome.info.certificate_ends == facts.not_after);
  CHECK(facts.names == std::vector<std::string>{"smtp.example", "localhost", "127.0.0.1", "::1"});
  CHECK(facts.fingerprint == test_certificates().good.fingerprint);
  REQUIRE(facts.chain.size() == 2);
  CHECK(facts.chain[0].issuer == "CN=Test CA");
  CHECK(facts.chain[1].subject == "CN=Test CA");
  CHECK(facts.chain[1].issuer == "CN=Test CA");
  CHECK(*facts.chain[0].not_after > SystemClock().wall());
}

TEST_CASE("tls: without verification a certificate that holds is called verified all the same") {
  TlsRig rig;
  auto options = trusting("smtp.example");
  options.verify = false;
  CHECK(rig.meet(options, test_certificates().good).info.verdict == "verified");
  options.ca_file = "/nowhere/ca.pem";
  Outcome without_ca = rig.meet(options, test_certificates().good);
  REQUIRE_FALSE(without_ca.error);
  CHECK_FALSE(without_ca.info.verified);
}

TEST_CASE("tls: one client serves servers of several names, each judged by its own") {
  TlsRig rig;
  auto client = TlsClient::create(trusting("shop.example"));
  REQUIRE(client);
  for (int round = 0; round < 2; ++round) {
    CHECK(rig.meet(**client, test_certificates().good, "smtp.example.").info.verified);
    CHECK(rig.meet(**client, test_certificates().wrong_name, "other.example").info.verified);
    CHECK(rig.meet(**client, test_certificates().good, "127.0.0.1").info.verified);
    Outcome refused = rig.meet(**client, test_certificates().good, "other.example");
    REQUIRE(refused.error);
    CHECK(refused.error->kind == IoErrorKind::tls_wrong_name);
    CHECK(rig.meet(**client, test_certificates().good).error);
  }
}

TEST_CASE("tls: sessions are resumed with the server of the same name only") {
  TlsRig rig;
  auto client = TlsClient::create(trusting("smtp.example"));
  auto server = TlsServer::create(test_certificates().good.cert, test_certificates().good.key);
  REQUIRE(client);
  REQUIRE(server);
  auto is_resumed = [&](const char* name) {
    return rig.loop.run(::meet(rig.loop, **client, *server, name)).info.resumed;
  };
  CHECK_FALSE(is_resumed("smtp.example"));
  CHECK_FALSE(is_resumed("localhost"));
  CHECK(is_resumed("smtp.example"));
  CHECK(is_resumed("localhost"));
  CHECK(is_resumed(""));
}

TEST_CASE("tls: a pin stands for chain and name, and nothing else stands for the pin") {
  auto options = trusting("nobody.example");
  options.fingerprint = test_certificates().self_signed.fingerprint;
  TlsRig rig;
  Outcome pinned = rig.meet(options, test_certificates().self_signed);
  REQUIRE_FALSE(pinned.error);
  CHECK(pinned.info.verdict == "pinned");
  TlsRig other;
  Outcome wrong = other.meet(options, test_certificates().good);
  REQUIRE(wrong.error);
  CHECK(wrong.error->kind == IoErrorKind::tls_pin_mismatch);
  CHECK(wrong.error->text.find(test_certificates().good.fingerprint) != std::string::npos);
  REQUIRE(wrong.error->certificate);
  CHECK(wrong.error->certificate->fingerprint == test_certificates().good.fingerprint);
}

TEST_CASE("tls: names match exactly, by DNS and IP names only") {
  CHECK(fits({"mail.example"}, "mail.example"));
  CHECK(fits({"mail.example"}, "MAIL.example."));
  CHECK(fits({"*.b.example"}, "a.b.example"));
  CHECK(fits({"192.0.2.1"}, "192.0.2.1"));
  CHECK(fits({"2001:db8::1"}, "2001:db8::1"));
  CHECK_FALSE(fits({"*.b.example"}, "a.a.b.example"));
  CHECK_FALSE(fits({"*.b.example"}, "b.example"));
  CHECK_FALSE(fits({"m*.b.example"}, "mail.b.example"));
  CHECK_FALSE(fits({"mail.example"}, "mail.example.evil"));
  CHECK_FALSE(fits({"mail.example"}, "192.0.2.1"));
  CHECK_FALSE(fits({"192.0.2.1"}, "192.0.2.2"));
}

TEST_CASE("tls: a second connection resumes the session, and a failure forgets all of them") {
  TlsRig rig;
  auto client = TlsClient::create(trusting("smtp.example"));
  REQUIRE(client);
  auto server = TlsServer::create(test_certificates().good.cert, test_certificates().good.key);
  REQUIRE(server);
  CHECK_FALSE(rig.loop.run(meet(rig.loop, **client, *server)).info.resumed);
  Outcome second = rig.loop.run(meet(rig.loop, **client, *server));
  CHECK(second.info.resumed);
  CHECK(second.info.verified);
  CHECK(rig.meet(**client, test_certificates().expired).error);
  CHECK_FALSE(rig.loop.run(meet(rig.loop, **client, *server)).info.resumed);
}

TEST_CASE("tls: plain SMTP in answer to a TLS hello is quoted") {
  const IoError error = error_of_plain_smtp();
  CHECK(error.kind == IoErrorKind::not_tls);
  CHECK(error.text.find("220 mail.example ESMTP") != std::string::npos);
}

TEST_CASE("tls: files that cannot be used are named") {
  auto options = trusting("smtp.example");
  options.ca_file = "/nonexistent/ca.pem";
  auto client = TlsClient::create(options);
  REQUIRE_FALSE(client);
  CHECK(client.error().kind == IoErrorKind::tls_setup);
  CHECK(client.error().text.find("/nonexistent/ca.pem") != std::string::npos);
  CHECK_FALSE(TlsServer::create("/nonexistent/cert.pem", "/nonexistent/key.pem"));
}

TEST_CASE("tls: a hello is a hello, and what answers one is told from what does not") {
  std::string hello = make_client_hello("smtp.example");
  CHECK(looks_like_tls(hello));
  CHECK(hello.find("smtp.example") != std::string::npos);
  CHECK(make_client_hello("192.0.2.1").find("192.0.2.1") == std::string::npos);
  CHECK(looks_like_tls("\x15\x03\x01"));
  CHECK_FALSE(looks_like_tls("220 mail"));
  CHECK_FALSE(looks_like_tls(""));
  CHECK_FALSE(looks_like_tls("\x16\x01\x01"));
}

TEST_CASE("tls: a smarthost that wants new keys in the middle of a TLS 1.2 session does not get them") {
  TlsRig rig;
  auto client = TlsClient::create(trusting("smtp.example"));
  REQUIRE(client);
  SslPtr ssl = tls_1_2(TLS_server_method(), test_certificates().good);
  SSL_set_accept_state(ssl.get());
  std::string answer;
  MemoryPair pair = make_memory_pair(rig.loop);
  Nursery nursery(rig.loop);
  nursery.spawn(renegotiate(std::move(pair.second), std::move(ssl), answer));
  rig.loop.run(use_client(**client, std::move(pair.first)));
  rig.loop.run(nursery.drained({}));
  CHECK(answer.find("no renegotiation") != std::string::npos);
}

TEST_CASE("tls: a client that wants new keys in the middle of a TLS 1.2 session does not get them") {
  TlsRig rig;
  auto server = TlsServer::create(test_certificates().good.cert, test_certificates().good.key);
  REQUIRE(server);
  SslPtr ssl = tls_1_2(TLS_client_method(), test_certificates().good);
  SSL_set_connect_state(ssl.get());
  std::string answer;
  MemoryPair pair = make_memory_pair(rig.loop);
  Nursery nursery(rig.loop);
  nursery.spawn(renegotiate(std::move(pair.second), std::move(ssl), answer));
  rig.loop.run(use_server(*server, std::move(pair.first)));
  rig.loop.run(nursery.drained({}));
  CHECK(answer.find("no renegotiation") != std::string::npos);
}
