// SPDX-License-Identifier: MIT
#include "daemon/system/port_owner.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::system {
namespace {

namespace fs = std::filesystem;

struct MailServer {
  std::string_view program;
  std::string_view name;
  std::string_view unit;
};
constexpr MailServer kMailServers[] = {
    {"master", "Postfix", "postfix"},
    {"exim4", "Exim", "exim4"},
    {"exim", "Exim", "exim"},
    {"sendmail", "Sendmail", "sendmail"},
    {"sendmail-mta", "Sendmail", "sendmail"},
    {"smtpd", "OpenSMTPD", "opensmtpd"},
    {"hikyakud", "another hikyakud", "hikyaku"},
};
constexpr std::string_view kListening = "0A";  // of enum tcp_state

// "0100007F:0019": 32 bits each in the machine's order, as the kernel prints them.
std::optional<Endpoint> parse_kernel_address(std::string_view text) {
  std::size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t at = 0; at < colon; at += 8) {
    std::uint32_t word = 0;
    std::from_chars(text.data() + at, text.data() + at + 8, word, 16);
    std::memcpy(bytes.data() + at / 2, &word, sizeof word);
  }
  Endpoint endpoint{IpAddress::from_bytes(bytes.data(), colon == 32), 0};
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), endpoint.port, 16);
  return endpoint;
}

// A socket on all addresses occupies each of them; one on :: perhaps those of IPv4 too.
bool is_in_the_way(const Endpoint& other, const Endpoint& at) {
  return other.port == at.port &&
         (other.address == at.address || other.address.is_unspecified() || at.address.is_unspecified());
}

// The kernel's names for the sockets, as /proc/PID/fd shows them.
std::set<std::string> listening_sockets(const Endpoint& at, const std::string& proc) {
  std::set<std::string> sockets;
  for (const char* table : {"/self/net/tcp", "/self/net/tcp6"}) {
    std::ifstream file(proc + table);
    std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode, rest;
    std::getline(file, rest);
    while (file >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
           inode) {
      auto other = parse_kernel_address(local);
      if (state == kListening && other && is_in_the_way(*other, at))
        sockets.insert(cat("socket:[", inode, "]"));
      std::getline(file, rest);
    }
  }
  return sockets;
}

bool has_one_of(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code not_ours_to_see;
  for (fs::directory_iterator fd(process / "fd", not_ours_to_see), end; !not_ours_to_see && fd != end;
       fd.increment(not_ours_to_see))
    if (sockets.contains(fs::read_symlink(fd->path(), not_ours_to_see).string())) return true;
  return false;
}

std::vector<pid_t> processes(const std::string& proc) {
  std::vector<pid_t> pids;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(proc, gone))
    if (auto pid = parse_number(entry.path().filename().string())) pids.push_back(static_cast<pid_t>(*pid));
  std::ranges::sort(pids);
  return pids;
}

bool is_taken(const Endpoint& at) {
  sockaddr_storage address = at.to_sockaddr();
  Fd probe(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.address.is_v6()) ::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return probe && ::bind(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
         errno == EADDRINUSE;
}

}  // namespace

std::optional<PortOwner> find_port_owner(const Endpoint& at, const std::string& proc) {
  const std::set<std::string> sockets = listening_sockets(at, proc);
  if (sockets.empty()) return std::nullopt;
  for (pid_t pid : processes(proc)) {
    fs::path process = fs::path(proc) / std::to_string(pid);
    if (!has_one_of(process, sockets)) continue;
    std::string program;
    std::getline(std::ifstream(process / "comm"), program);
    return PortOwner{printable(program), pid};
  }
  return std::nullopt;
}

std::string explain_taken_port(const Endpoint& at, const std::optional<PortOwner>& owner) {
  std::string port = cat("port ", std::to_string(at.port), " is taken by ");
  if (!owner) return cat(port, "another mail server, or another hikyakud (root sees which with: ss -ltnp)");
  std::string process = cat("pid ", std::to_string(owner->pid), ")");
  const auto* known = std::ranges::find(kMailServers, owner->program, &MailServer::program);
  if (known == std::end(kMailServers))
    return cat(port, owner->program, " (", process, ": end it, or listen on another port");
  return cat(port, known->name, " (", owner->program, ", ", process, ": systemctl disable --now ",
             known->unit);
}

std::string explain_other_mail_server(const std::vector<Endpoint>& ports) {
  for (const Endpoint& at : ports) {
    auto owner = find_port_owner(at);
    bool is_other =
        owner && owner->program != "hikyakud" &&
        std::ranges::find(kMailServers, owner->program, &MailServer::program) != std::end(kMailServers);
    if (is_other) return explain_taken_port(at, owner);
  }
  return "";
}

Exit check_ports(const std::vector<std::string>& addresses) {
  Exit exit = Exit::ok;
  for (const std::string& word : addresses) {
    auto at = Endpoint::parse(word);
    if (!at || !is_taken(*at)) continue;
    exit = Exit::unavailable;
    std::fputs(cat(log::error_prefix(), explain_taken_port(*at, find_port_owner(*at)), "\n").c_str(), stderr);
  }
  return exit;
}

}  // namespace hikyaku::system
