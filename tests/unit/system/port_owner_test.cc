// SPDX-License-Identifier: MIT
#include "daemon/system/port_owner.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/system/files.h"
#include "daemon/system/temporary_directory.h"

using namespace hikyaku;
using namespace hikyaku::system;

namespace {

Endpoint at(const char* text) { return Endpoint::parse(text).value(); }

constexpr const char* kHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

// A /proc with these sockets, as x86 and other little-endian machines print them.
struct Proc {
  explicit Proc(const std::string& tcp, const std::string& tcp6 = "") {
    std::filesystem::create_directories(place.file("self/net"));
    system::write_new_file(place.file("self/net/tcp"), cat(kHead, tcp));
    system::write_new_file(place.file("self/net/tcp6"), cat(kHead, tcp6));
  }
  void process(const std::string& pid, const std::string& program, const std::string& inode) {
    std::filesystem::create_directories(place.file(pid + "/fd"));
    system::write_new_file(place.file(pid + "/comm"), program + "\n");
    std::filesystem::create_symlink("/dev/null", place.file(pid + "/fd/0"));
    std::filesystem::create_symlink(cat("socket:[", inode, "]"), place.file(pid + "/fd/13"));
  }
  std::optional<PortOwner> owner(const char* of) const { return find_port_owner(at(of), place.path()); }
  TemporaryDirectory place{"hikyaku-test"};
};

std::string line(const std::string& address, const std::string& state, const std::string& inode) {
  return cat("   0: ", address, " 00000000:0000 ", state,
             " 00000000:00000000 00:00000000 00000000     0        0 ", inode,
             " 1 0000000000000000 100 0 0 10 0\n");
}

}  // namespace

TEST_CASE("ports: the owner of a port is the oldest of the processes that have its listening socket") {
  Proc proc(line("0100007F:0019", "0A", "501"));
  proc.process("9", "cron", "77");
  proc.process("812", "master", "501");
  proc.process("1044", "smtpd", "501");
  auto owner = proc.owner("127.0.0.1:25");
  REQUIRE(owner);
  CHECK(owner->program == "master");
  CHECK(owner->pid == 812);
}

TEST_CASE("ports: one who listens on all addresses is in the way, one on another address or port is not") {
  Proc proc(line("00000000:0019", "0A", "501") + line("0200007F:0050", "0A", "502"),
            line("00000000000000000000000001000000:024B", "0A", "503"));
  proc.process("1", "exim4", "501");
  proc.process("2", "nginx", "502");
  proc.process("3", "exim4", "503");
  CHECK(proc.owner("127.0.0.1:25")->pid == 1);
  CHECK_FALSE(proc.owner("127.0.0.1:80"));
  CHECK(proc.owner("127.0.0.2:80")->pid == 2);
  CHECK(proc.owner("[::1]:587")->pid == 3);
  CHECK_FALSE(proc.owner("127.0.0.1:587"));
}

TEST_CASE("ports: who is only connected from a port does not have it") {
  Proc proc(line("0100007F:0019", "01", "501"));
  proc.process("812", "master", "501");
  CHECK_FALSE(proc.owner("127.0.0.1:25"));
}

TEST_CASE("ports: the kernel says of our own socket that it is ours") {
  Endpoint any = at("127.0.0.1:0");
  sockaddr_storage address = any.to_sockaddr();
  socklen_t length = sizeof address;
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  auto bound = Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&address)).value();
  auto owner = find_port_owner(bound);
  REQUIRE(owner);
  CHECK(owner->pid == ::getpid());
  CHECK(check_ports({"no address", bound.to_text()}) == Exit::unavailable);
  fd.reset();
  CHECK(check_ports({bound.to_text()}) == Exit::ok);
}

TEST_CASE("ports: mail servers are called by their names, with the command that ends them") {
  auto said = [](const char* program) {
    return explain_taken_port(at("127.0.0.1:25"), PortOwner{program, 812});
  };
  CHECK(said("master") == "port 25 is taken by Postfix (master, pid 812): systemctl disable --now postfix");
  CHECK(said("exim4") == "port 25 is taken by Exim (exim4, pid 812): systemctl disable --now exim4");
  CHECK(said("sendmail-mta") ==
        "port 25 is taken by Sendmail (sendmail-mta, pid 812): systemctl disable --now sendmail");
  CHECK(said("nc") == "port 25 is taken by nc (pid 812): end it, or listen on another port");
  CHECK(explain_taken_port(at("[::1]:2525"), std::nullopt) ==
        "port 2525 is taken by another mail server, or another hikyakud (root sees which with: ss -ltnp)");
}
