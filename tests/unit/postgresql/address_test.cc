// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>

#include "spool/postgresql/link.h"
#include "tests/unit/config/scratch_directory.h"

namespace hikyaku::postgresql {
namespace {

class Names final : public io::Resolver {
 public:
  Task<Result<std::vector<IpAddress>, IoError>> resolve(std::string host, io::Until) override {
    auto found = addresses.find(host);
    if (found == addresses.end()) co_return hikyaku::fail(IoErrorKind::no_such_name, "no such name");
    co_return found->second;
  }
  std::map<std::string, std::vector<IpAddress>> addresses{
      {"db1", {*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")}},
      {"db2", {*IpAddress::parse("192.0.2.2")}}};
};

std::map<std::string, std::string> keywords_of(const std::string& url, std::size_t first = 0) {
  ManualClock clock;
  io::Loop loop(clock);
  Names names;
  auto address = Address::parse(url);
  REQUIRE(address);
  auto resolved = loop.run(address->resolved(names, {}, first));
  REQUIRE(resolved);
  return {resolved->begin(), resolved->end()};
}

}  // namespace

TEST_CASE("shared spool: a URL with a password, or of another database, is refused and not repeated") {
  for (const char* url : {"postgresql://me:hunter2@db/mail", "postgres://db/mail?password=hunter2&user=me",
                          "mysql://db/hunter2", "postgresql://db/mail?hunter2=1", "db/hunter2", ""}) {
    CAPTURE(url);
    auto address = Address::parse(url);
    REQUIRE_FALSE(address);
    CHECK(address.error().find("hunter2") == std::string::npos);
    CHECK_FALSE(address.error().empty());
  }
}

TEST_CASE("shared spool: a URL is shown with user, host and database") {
  CHECK(Address::parse("postgresql://me@db1,db2:5433/mail?sslmode=verify-full").value().shown() ==
        "postgresql://me@db1,db2/mail");
  CHECK(Address::parse("postgres://db1/mail").value().shown() == "postgresql://db1/mail");
}

TEST_CASE("shared spool: each host stands there with every address that it has, and its port") {
  auto keywords = keywords_of("postgresql://me@db1:5433,db2/mail?target_session_attrs=read-write");
  CHECK(keywords["host"] == "db1,db1,db2");
  CHECK(keywords["hostaddr"] == "192.0.2.1,2001:db8::1,192.0.2.2");
  CHECK(keywords["port"] == "5433,5433,");
  CHECK(keywords["target_session_attrs"] == "read-write");
  CHECK(keywords["gssencmode"] == "disable");
  CHECK(keywords_of("postgresql://me@db1/mail?gssencmode=prefer")["gssencmode"] == "prefer");
}

TEST_CASE("shared spool: after a try that failed the next one begins with another host") {
  const std::string url = "postgresql://me@db1:5433,db2:5434/mail";
  auto keywords = keywords_of(url, 2);
  CHECK(keywords["host"] == "db2,db1,db1");
  CHECK(keywords["hostaddr"] == "192.0.2.2,192.0.2.1,2001:db8::1");
  CHECK(keywords["port"] == "5434,5433,5433");
  CHECK(keywords_of(url, 3) == keywords_of(url, 0));
}

TEST_CASE("shared spool: a socket's directory needs no look-up, and a host without an address is left out") {
  CHECK(keywords_of("postgresql:///mail?host=/run/postgresql")["hostaddr"].empty());
  CHECK(keywords_of("postgresql:///mail?host=/run/postgresql")["host"] == "/run/postgresql");
  CHECK(keywords_of("postgresql://nowhere,db2/mail")["host"] == "db2");
  ManualClock clock;
  io::Loop loop(clock);
  Names names;
  auto resolved = loop.run(Address::parse("postgresql://nowhere/mail").value().resolved(names, {}));
  REQUIRE_FALSE(resolved);
  CHECK(resolved.error() == "nowhere: no such name");
}

TEST_CASE("shared spool: the service's credential is the file of passwords, unless PGPASSFILE names one") {
  config::ScratchDirectory directory;
  ::setenv("CREDENTIALS_DIRECTORY", directory.path().c_str(), 1);
  CHECK(keywords_of("postgresql://db1/mail")["passfile"].empty());
  const std::string file = directory.write("pgpass", "*:*:*:*:secret\n");
  CHECK(keywords_of("postgresql://db1/mail")["passfile"] == file);
  ::setenv("PGPASSFILE", "/srv/pgpass", 1);
  CHECK(keywords_of("postgresql://db1/mail")["passfile"].empty());
  ::unsetenv("PGPASSFILE");
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace hikyaku::postgresql
