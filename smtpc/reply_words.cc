// SPDX-License-Identifier: MIT
#include "smtpc/reply_words.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

constexpr std::string_view kAuthentication[] = {"auth", "log in", "login"};
constexpr std::string_view kRelaying[] = {"relay", "auth", "rcpthosts", "#5.7.1"};
constexpr std::string_view kSender[] = {"sender", "owned",       "send as",      "sendas",     "from address",
                                        "'from'", "from header", "not verified", "unverified", "identit"};
constexpr std::string_view kTls[] = {"tls", "encrypt"};
constexpr std::string_view kLimit[] = {
    "sending limit", "sending quota",     "sending rate",     "send limit",
    "message quota", "submission quota",  "submissionquota",  "submission.exception:quota",
    "daily limit",   "hourly limit",      "daily user",       "daily smtp relay",
    "emails per",    "messages per hour", "credits exceeded", "defers and failures",
    "throttling",    "throttled",         "exceeded your",    "rate limit"};
constexpr std::string_view kSize[] = {"size", "too large", "too big"};
constexpr std::string_view kAccount[] = {
    "bad outbound sender", "outgoing blocked",       "sender address blocked", "sending paused",
    "your account is",     "your account has",       "your smtp account",      "not authorized to perform",
    "unregistered domain", "is not allowed to send", "credentials for relay"};
constexpr std::string_view kMachine[] = {"helo command", "ehlo command",     "helo name",    "ehlo name",
                                         "invalid helo", "bad helo",         "helo/ehlo",    "your helo",
                                         "client host",  "sending ip",       "from this ip", "your ip",
                                         "reverse dns",  "reverse hostname", "ptr record"};
constexpr std::string_view kProtocol[] = {"protocol error", "synchroni"};
constexpr std::string_view kConnections[] = {"concurrent", "too many connections", "thread limit",
                                             "too many messages"};

// Lower case, and without addresses: <thelonious.helo@example.com> does not speak of HELO.
std::string text_of(const mail::Reply& reply) {
  std::string text;
  for (const std::string& line : reply.lines)
    for (std::string_view word : words(line))
      if (word.find('@') == word.npos) text += cat(to_lower(word), " ");
  return text;
}

}  // namespace

ReplyWords words_of(const mail::Reply& reply) {
  if (!reply.is_transient() && !reply.is_permanent()) return {};
  const std::string text = text_of(reply);
  auto has_any = [&](std::span<const std::string_view> what) {
    return std::ranges::any_of(what, [&](std::string_view each) { return text.find(each) != text.npos; });
  };
  return {.authentication = has_any(kAuthentication),
          .relaying = has_any(kRelaying),
          .sender = has_any(kSender),
          .tls = has_any(kTls),
          .limit = has_any(kLimit) && !has_any(kSize),
          .account = has_any(kAccount),
          .machine = has_any(kMachine),
          .protocol = has_any(kProtocol),
          .connections = has_any(kConnections)};
}

}  // namespace hikyaku::smtpc
