// SPDX-License-Identifier: MIT
#include "daemon/control/control_server.h"

#include <doctest/doctest.h>
#include <endian.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vector>

#include "daemon/control/control_service.h"
#include "tests/unit/commands/control_client.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::control;
using test::connect_to;
using test::read_all;
using test::say;

namespace {

// A server that answers each head with what `serve` does, and knows each caller as `rights` says.
struct ServerRig {
  system::TemporaryDirectory place{"hikyaku-test"};
  std::string path = place.file("control.sock");
  ControlServing serving;
  std::unique_ptr<ControlServer> server;

  ServerRig() {
    serving.rights = [](int fd) { return std::optional(Rights{caller_of(fd).value().uid, true}); };
    serving.at_times = [] {};
    serving.serve = [](ControlConnection& connection, const Rights&) {
      if (connection.read_head()) connection.write("hello\n");
    };
  }
  ~ServerRig() {
    if (server != nullptr) server->stop(std::chrono::milliseconds(0));
  }
  void start() {
    auto socket = open_control_socket(path, {"no such group", "no such group"});
    REQUIRE(socket);
    server = std::make_unique<ControlServer>(std::move(socket->listening), serving);
    REQUIRE(server->runs());
  }
  void stop(std::chrono::milliseconds grace) {
    server->stop(grace);
    server.reset();
  }
  Fd connect() const { return connect_to(path); }
  std::string ask(std::string_view what) const {
    Fd client = connect();
    ::send(client.get(), what.data(), what.size(), MSG_NOSIGNAL);  // it may be refused before
    return read_all(client);
  }
};

constexpr std::string_view kHead = "GET / HTTP/1.1\r\n\r\n";
constexpr auto kForEver = std::chrono::hours(1);

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// With descriptors passed along.
void say_with(const Fd& client, std::string_view text, const std::vector<int>& passed) {
  std::vector<char> control(CMSG_SPACE(passed.size() * sizeof(int)));
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(passed.size() * sizeof(int));
  std::copy(passed.begin(), passed.end(), reinterpret_cast<int*>(CMSG_DATA(header)));
  REQUIRE(::sendmsg(client.get(), &message, 0) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("control socket: only its owner and two groups can connect, and what was left there is replaced") {
  system::TemporaryDirectory place("hikyaku-test");
  std::string path = place.file("control.sock");
  for (int round = 0; round < 2; ++round) {
    auto socket = open_control_socket(path, {"no such group", "no such group either"});
    REQUIRE(socket);
    REQUIRE(socket->notes.size() == 1);
    CHECK(socket->notes[0].find("the group no such group: this machine does not have it") !=
          std::string::npos);
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0660);
    CHECK(S_ISSOCK(status.st_mode));
  }
  auto grouped = open_control_socket(path, {"root", "root"});
  REQUIRE(grouped);
  CHECK(grouped->notes.empty());
  auto nowhere = open_control_socket(place.file("missing/control.sock"), {"root", "root"});
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().kind == Exit::cannot_create);
  CHECK(nowhere.error().text.find("cannot listen on ") == 0);
  CHECK_FALSE(open_control_socket(place.file(std::string(200, 'x')), {"root", "root"}));
}

TEST_CASE(
    "control socket: groups that its owner is no member of are let in by an access control list, until "
    "others are") {
  system::TemporaryDirectory place("hikyaku-test");
  std::string path = place.file("control.sock");
  auto has = [&path](const char* group) {
    std::array<char, 256> value;
    ssize_t length = ::getxattr(path.c_str(), "system.posix_acl_access", value.data(), value.size());
    REQUIRE(length > 0);
    const std::uint32_t gid = htole32(::getgrnam(group)->gr_gid);
    const std::uint16_t tag_and_rights[] = {htole16(0x08), htole16(06)};  // ACL_GROUP, read and write
    std::string entry(reinterpret_cast<const char*>(tag_and_rights), sizeof tag_and_rights);
    entry.append(reinterpret_cast<const char*>(&gid), sizeof gid);
    return std::string_view(value.data(), static_cast<std::size_t>(length)).find(entry) != std::string::npos;
  };
  REQUIRE(open_control_socket(path, {"root", "adm"}));
  CHECK(has("adm"));
  CHECK_FALSE(has("daemon"));
  CHECK(share_control_socket(path, {"root", "daemon"}).empty());
  CHECK(has("daemon"));
  CHECK_FALSE(has("adm"));
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0660);
}

TEST_CASE("control server: one who connects is known, served, and let go") {
  ServerRig rig;
  rig.serving.serve = [](ControlConnection& connection, const Rights& rights) {
    auto head = connection.read_head();
    CHECK(head == kHead);
    CHECK(rights.uid == ::geteuid());
    std::array<char, 10> body;
    std::size_t got = connection.read(body);
    connection.write(std::string_view(body.data(), got));
  };
  rig.start();
  for (int i = 0; i < 50; ++i) CHECK(rig.ask(std::string(kHead) + "body") == "body");
}

TEST_CASE("control server: a head may come in any pieces, and one that breaks off is none") {
  ServerRig rig;
  rig.start();
  Fd slow = rig.connect();
  for (char c : kHead) say(slow, {&c, 1});
  CHECK(read_all(slow) == "hello\n");
  for (std::string_view cut : {"", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n\r"}) {
    Fd client = rig.connect();
    if (!cut.empty()) say(client, cut);
    ::shutdown(client.get(), SHUT_WR);
    CHECK(read_all(client).empty());
  }
  CHECK(rig.ask(kHead) == "hello\n");
}

TEST_CASE("control server: a head without an end is read no further than its bound") {
  ServerRig rig;
  std::size_t seen = 0;
  rig.serving.serve = [&](ControlConnection& connection, const Rights&) {
    seen = connection.read_head().value_or("").size();
    connection.write("enough\n");
  };
  rig.start();
  CHECK(rig.ask(std::string(kMaxHead, 'a')) == "enough\n");
  rig.stop(kForEver);
  CHECK(seen == kMaxHead);
}

TEST_CASE("control server: whoever says nothing, or drips, is let go when the time for a request is over") {
  ServerRig rig;
  rig.serving.times.request = std::chrono::milliseconds(50);
  rig.start();
  Fd silent = rig.connect();
  Fd half = rig.connect();
  say(half, "GET / HT");
  CHECK(read_all(silent).empty());
  CHECK(read_all(half).empty());
}

TEST_CASE("control server: an answer that nobody takes ends, and has_peer() sees who has gone") {
  ServerRig rig;
  rig.serving.times.stalled = std::chrono::milliseconds(50);
  std::vector<bool> taken;
  bool was_there = false;
  bool is_there = true;
  rig.serving.serve = [&](ControlConnection& connection, const Rights&) {
    auto head = connection.read_head();
    was_there = connection.has_peer();
    while (connection.write(std::string(65536, 'x'))) continue;
    taken.push_back(connection.write("more"));
    while (connection.has_peer()) std::this_thread::yield();
    is_there = connection.has_peer();
  };
  rig.start();
  Fd client = rig.connect();
  say(client, kHead);
  std::string some(1, '\0');
  REQUIRE(::recv(client.get(), some.data(), 1, 0) == 1);
  std::jthread leaving([&] { ::shutdown(client.get(), SHUT_WR), client.reset(); });
  leaving.join();
  rig.stop(kForEver);
  CHECK(was_there);
  CHECK_FALSE(is_there);
  CHECK(taken == std::vector{false});
}

TEST_CASE(
    "control server: a thousand connections keep out nobody for longer than they last, and leave nothing "
    "behind") {
  ServerRig rig;
  rig.start();
  CHECK(rig.ask(kHead) == "hello\n");
  std::size_t before = open_descriptors();
  {
    std::vector<Fd> crowd;
    for (int i = 0; i < 1000; ++i) crowd.push_back(rig.connect());
    // Beyond its bound the server answers at once that it is too much.
    std::string last = read_all(crowd.back());
    CHECK(last.find("HTTP/1.1 503 ") == 0);
    CHECK(last.find("too many connections") != std::string::npos);
  }
  std::string answer;
  while (answer != "hello\n") answer = rig.ask(kHead);
  rig.stop(kForEver);
  CHECK(open_descriptors() < before);
}

TEST_CASE("control server: a crowd of one user leaves places for others and for the operator") {
  ControlLimits limits{.connections = 6, .others = 4, .per_user = 2};
  ControlAdmission admission(limits);
  Rights operators{0, true};
  Rights one{1000, false};
  Rights two{1001, false};
  Rights three{1002, false};
  CHECK(admission.enter(one));
  CHECK(admission.enter(one));
  CHECK_FALSE(admission.enter(one));
  CHECK(admission.enter(two));
  CHECK(admission.enter(two));
  CHECK_FALSE(admission.enter(three));
  CHECK(admission.enter(operators));
  CHECK(admission.enter(operators));
  CHECK_FALSE(admission.enter(operators));
  admission.leave(one);
  CHECK(admission.enter(three));
  CHECK_FALSE(admission.enter(one));
  for (const Rights& rights : {one, two, two, three, operators, operators}) admission.leave(rights);
  CHECK(admission.size() == 0);
  CHECK(admission.enter(one));
  CHECK(admission.enter(one));
}

TEST_CASE("control server: descriptors that are passed along are not kept") {
  ServerRig rig;
  rig.start();
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  Fd reading(ends[0]);
  Fd writing(ends[1]);
  Fd client = rig.connect();
  say_with(client, kHead, std::vector<int>(200, writing.get()));
  writing.reset();
  CHECK(read_all(client) == "hello\n");
  char byte = 0;
  CHECK(::read(reading.get(), &byte, 1) == 0);  // nobody has the other end
}

TEST_CASE("control server: stopping waits for those who are served, but not for ever") {
  for (bool in_time : {true, false}) {
    ServerRig rig;
    std::mutex lock;
    std::condition_variable changed;
    bool has_begun = false;
    bool was_cut_off = false;
    rig.serving.serve = [&](ControlConnection& connection, const Rights&) {
      auto head = connection.read_head();
      {
        std::lock_guard hold(lock);
        has_begun = true;
      }
      changed.notify_all();
      std::array<char, 1> byte;
      if (!in_time) was_cut_off = connection.read(byte) == 0;
      connection.write("done\n");
    };
    rig.start();
    Fd client = rig.connect();
    say(client, kHead);
    {
      std::unique_lock hold(lock);
      changed.wait(hold, [&] { return has_begun; });
    }
    rig.stop(in_time ? kForEver : std::chrono::milliseconds(0));
    CHECK(read_all(client) == (in_time ? "done\n" : ""));
    CHECK(was_cut_off == !in_time);
    CHECK_FALSE(connect_to(rig.path));
  }
}

TEST_CASE("control server: stopping does not wait for those who have said nothing yet") {
  ServerRig rig;
  rig.start();
  std::vector<Fd> silent;
  for (int i = 0; i < 30; ++i) silent.push_back(rig.connect());
  rig.stop(std::chrono::milliseconds(1));
  for (const Fd& client : silent) read_all(client);
}
