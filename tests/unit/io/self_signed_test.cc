// SPDX-License-Identifier: MIT
#include "daemon/io/self_signed.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "daemon/io/tls.h"

using namespace hikyaku;
using namespace hikyaku::io;

namespace {

struct KeyPlace {
  KeyPlace() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~KeyPlace() { std::filesystem::remove_all(path); }
  std::string path = (std::filesystem::temp_directory_path() / "hikyaku-cert-XXXXXX").string();
};

TlsClientOptions client_options(std::string name, std::string ca_file, std::string fingerprint = {}) {
  TlsClientOptions options;
  options.name = std::move(name);
  options.ca_file = std::move(ca_file);
  options.fingerprint = std::move(fingerprint);
  return options;
}

Task<void> serve_once(std::shared_ptr<TlsServer> server, StreamPtr under, Until until) {
  auto stream = co_await server->accept(std::move(under), until);
  if (stream) co_await (*stream)->shut_down(until);
}

Task<Result<StreamPtr, IoError>> shake_hands(Loop& loop, const SelfSigned& made, TlsClientOptions options) {
  auto server = TlsServer::create(made.cert_file, made.key_file);
  auto client = TlsClient::create(std::move(options));
  REQUIRE(server);
  REQUIRE(client);
  MemoryPair pair = make_memory_pair(loop);
  Nursery nursery(loop);
  nursery.spawn(serve_once(*server, std::move(pair.second), loop.within(10s)));
  auto stream = co_await (*client)->connect(std::move(pair.first), loop.within(10s));
  co_await nursery.drained({});
  co_return stream;
}

}  // namespace

TEST_CASE("io: a trial certificate verifies by name for who trusts its file") {
  KeyPlace place;
  ManualClock clock;
  Loop loop(clock);
  auto made = make_self_signed(place.path, {"smtp.example.com", "127.0.0.1"});
  REQUIRE(made);
  for (const char* name : {"smtp.example.com", "127.0.0.1"}) {
    auto stream = loop.run(shake_hands(loop, *made, client_options(name, made->cert_file)));
    REQUIRE(stream);
    CHECK((*stream)->tls()->verified);
  }
  auto wrong = loop.run(shake_hands(loop, *made, client_options("other.example.com", made->cert_file)));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().kind == IoErrorKind::tls_wrong_name);
}

TEST_CASE(
    "io: a trial certificate can be pinned by the fingerprint that is told, and is trusted by nobody else") {
  KeyPlace place;
  ManualClock clock;
  Loop loop(clock);
  auto made = make_self_signed(place.path, {"smtp.example.com"});
  REQUIRE(made);
  auto pinned = loop.run(shake_hands(loop, *made, client_options("x.example", "", made->fingerprint)));
  CHECK(pinned.has_value());
  auto stranger = loop.run(shake_hands(loop, *made, client_options("smtp.example.com", "")));
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().kind == IoErrorKind::tls_self_signed);
}

TEST_CASE("io: a trial certificate's key is for its owner alone, and nothing is overwritten") {
  KeyPlace place;
  auto made = make_self_signed(place.path, {"smtp.example.com"});
  REQUIRE(made);
  struct stat status{};
  REQUIRE(::stat(made->key_file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  auto again = make_self_signed(place.path, {"smtp.example.com"});
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == IoErrorKind::tls_setup);
}
