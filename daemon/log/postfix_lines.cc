// SPDX-License-Identifier: MIT
#include "daemon/log/postfix_lines.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"

namespace hikyaku::log {
namespace {

// A line of one service, without prefix and PID.
struct Said {
  std::string_view service;
  std::string text;
};
using Lines = std::vector<Said>;

// Of a clean text. Whatever stands in an address, it ends at our bracket.
std::string in_brackets(std::string shown) {
  for (char& c : shown)
    if (c == '<' || c == '>') c = '?';
  return cat("<", shown, ">");
}

struct FieldText {
  std::string operator()(const std::string& text) const { return clean(text); }
  std::string operator()(const Sentence& text) const { return clean(text); }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(const Address& address) const { return in_brackets(clean(address.text)); }
  std::string operator()(const std::vector<Address>& list) const { return std::to_string(list.size()); }
};

const Field* find(const Line& line, std::string_view name) {
  auto found = std::ranges::find(line.fields, name, &Field::name);
  return found == line.fields.end() ? nullptr : &*found;
}

// Of a list: its length. Empty: there is no such field.
std::string value_of(const Line& line, std::string_view name) {
  const Field* field = find(line, name);
  return field != nullptr ? std::visit(FieldText{}, field->value) : std::string();
}

std::string id_of(const Line& line, std::string_view name = "id") {
  return cat(to_upper(value_of(line, name)), ": ");
}

// "localhost[127.0.0.1]"; of a client of the Unix socket, which has no address: "uid=1000[unknown]".
std::string host_text(std::string_view client) {
  if (auto endpoint = Endpoint::parse(client))
    return cat(endpoint->address.is_loopback() ? "localhost[" : "unknown[", endpoint->address.to_text(), "]");
  const std::size_t uid = client.find("uid=");
  return cat(uid == client.npos ? std::string_view("unknown") : client.substr(uid), "[unknown]");
}

Lines accepted(const Line& line) {
  const std::string id = id_of(line);
  const std::string from = value_of(line, "from");
  const std::string client = value_of(line, "client");
  const std::size_t uid = client.find("uid=");
  const Said received = uid == client.npos ? Said{"smtpd", cat(id, "client=", host_text(client))}
                                           : Said{"pickup", cat(id, client.substr(uid), " from=", from)};
  return {received,
          {"qmgr", cat(id, "from=", from, ", size=", value_of(line, "size"), ", nrcpt=", value_of(line, "to"),
                       " (queue active)")}};
}

std::string_view status_text(std::string_view event) {
  if (event == "delivered") return "sent";
  return event == "failed" ? "bounced" : "deferred";
}

// A server's reply to a mail that it did not take has its name before it; our own words stand alone.
std::string reason_text(const Line& line, std::string_view relay) {
  const std::string reply = value_of(line, "reply");
  if (reply.empty())
    return find(line, "diagnosis") != nullptr ? value_of(line, "diagnosis") : std::string(line.event);
  const bool is_from_server = relay.contains('[') && is_digit(reply.front());
  if (line.event == "delivered" || !is_from_server) return reply;
  return cat("host ", relay.substr(0, relay.rfind(':')), " said: ", reply);
}

Lines outcome(const Line& line) {
  const std::string relay = value_of(line, "relay");
  std::string delay = value_of(line, "delay");
  if (delay.ends_with('s')) delay.pop_back();
  std::string text = cat(id_of(line), "to=", value_of(line, "to"), ", relay=", relay, ", delay=", delay);
  if (find(line, "dsn") != nullptr) text += cat(", dsn=", value_of(line, "dsn"));
  text += cat(", status=", status_text(line.event), " (", reason_text(line, relay), ")");
  Lines lines{{"smtp", std::move(text)}};
  if (line.ends_mail) lines.push_back({"qmgr", cat(id_of(line), "removed")});
  return lines;
}

Lines notice(const Line& line) {
  static constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
      {"failed", "sender non-delivery notification: "},
      {"delayed", "sender delay notification: "},
      {"relayed", "sender delivery status notification: "},
      {"postmaster", "postmaster non-delivery notification: "}};
  const std::string kind = value_of(line, "kind");
  for (const auto& [name, words] : kKinds)
    if (kind == name) return {{"bounce", cat(id_of(line, "about"), words, to_upper(value_of(line, "id")))}};
  return {{"bounce", cat(id_of(line, "about"), kind, " notification: ", to_upper(value_of(line, "id")))}};
}

// Postfix's name for the stage at which a client was refused; empty: it has no reject line for that.
// A client that may not send here at all is refused at RCPT by a Postfix with its defaults, and fail2ban looks for that.
std::string_view stage_text(std::string_view command, std::string_view reply) {
  if (command == "connect") return reply.starts_with('5') ? "RCPT" : "CONNECT";
  if (command == "message") return "END-OF-MESSAGE";
  if (command == "BDAT") return "DATA";
  return command == "MAIL" || command == "RCPT" || command == "DATA" ? command : "";
}

// "554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: Your address …": the words in which Postfix says whom a reply is
// about. Only the statuses of addresses (X.1.Z) and of policy (X.7.Z) are about somebody (RFC 3463).
std::string with_subject(std::string_view reply, std::string_view who, std::string_view words) {
  const std::size_t status = reply.find(' ') + 1;
  const std::size_t end = reply.find(' ', status);
  const bool is_about_somebody =
      end != reply.npos && end > status + 4 && (reply[status + 2] == '1' || reply[status + 2] == '7');
  if (!is_about_somebody) return std::string(reply);
  return cat(reply.substr(0, end), " ", who, ": ", words, " rejected:", reply.substr(end));
}

std::string reply_text(const Line& line, std::string_view command, std::string_view host) {
  const std::string reply = value_of(line, "reply");
  if (command == "connect") return with_subject(reply, cat("<", host, ">"), "Client host");
  if (command == "MAIL" && find(line, "from") != nullptr)
    return with_subject(reply, value_of(line, "from"), "Sender address");
  return reply;
}

std::string who_sent(const Line& line) {
  std::string text;
  if (find(line, "from") != nullptr) text += cat(" from=", value_of(line, "from"));
  if (find(line, "helo") != nullptr) text += cat(" helo=", in_brackets(value_of(line, "helo")));
  return text.empty() ? text : cat(";", text);
}

Lines rejected(const Line& line) {
  const std::string host = host_text(value_of(line, "client"));
  const std::string command = value_of(line, "command");
  const std::string reply = value_of(line, "reply");
  const std::string_view stage = stage_text(command, reply);
  if (stage.empty()) {
    const bool is_login = command == "AUTH" && reply.starts_with("535");
    return {{"smtpd", cat("warning: ", host,
                          is_login ? ": SASL login authentication failed: " : ": refused: ", reply)}};
  }
  return {{"smtpd", cat("NOQUEUE: reject: ", stage, " from ", host, ": ", reply_text(line, command, host),
                        who_sent(line))}};
}

// Without its level.
std::string words_of(const Line& line) {
  const std::string text = to_text(line);
  return text.substr(text.find(' ') + 1);
}

// Postfix does not say who has decided; the second line does.
Lines steered(const Line& line, std::string_view what) {
  return {{"postsuper", cat(id_of(line), what)}, {"hikyakud", words_of(line)}};
}
Lines held(const Line& line) { return steered(line, "placed on hold"); }
Lines released(const Line& line) { return steered(line, "released from hold"); }
Lines removed(const Line& line) { return steered(line, "removed"); }

Lines started(const Line& line) {
  return {{"master", cat("daemon started -- version ", value_of(line, "version"))}};
}
Lines reloaded(const Line&) { return {{"master", "reload configuration"}}; }
Lines stopping(const Line& line) {
  return {
      {"master", cat("terminating on ", line.text == "SIGTERM" ? "signal 15" : clean(Sentence{line.text}))}};
}

Lines other(const Line& line) {
  const std::string words = words_of(line);
  if (line.level == LogLevel::error) return {{"master", cat("error: ", words)}};
  if (line.level == LogLevel::warning) return {{"master", cat("warning: ", words)}};
  return {{"hikyakud", words}};
}

using Writer = Lines (*)(const Line&);
constexpr std::array<std::pair<std::string_view, Writer>, 12> kWriters{{{"accepted", accepted},
                                                                        {"delivered", outcome},
                                                                        {"deferred", outcome},
                                                                        {"failed", outcome},
                                                                        {"notice", notice},
                                                                        {"rejected", rejected},
                                                                        {"held", held},
                                                                        {"released", released},
                                                                        {"removed", removed},
                                                                        {"started", started},
                                                                        {"reloaded", reloaded},
                                                                        {"stopping", stopping}}};

Writer writer_of(std::string_view event) {
  for (const auto& [name, writer] : kWriters)
    if (name == event) return writer;
  return other;
}

std::string short_host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  const std::string_view whole = name;
  return printable(whole.substr(0, whole.find('.')));
}

}  // namespace

std::vector<std::string> to_postfix(const Line& line, std::uint32_t pid) {
  std::vector<std::string> lines;
  for (const auto& [service, text] : writer_of(line.event)(line))
    lines.push_back(cat("postfix/", service, "[", std::to_string(pid), "]: ", text));
  return lines;
}

std::string syslog_prefix(WallTime time) {
  static const std::string host = short_host_name();
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, " %e %H:%M:%S ", &local);
  return cat(kMonths[local.tm_mon], std::string_view(text, length), host, " ");
}

}  // namespace hikyaku::log
