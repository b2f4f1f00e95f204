// SPDX-License-Identifier: MIT
#include "smtpc/reply_words.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

// Phrases, from the beginning of a word on; a last word may go on.
constexpr std::string_view kAuthentication[] = {"auth first",
                                                "authenticate first",
                                                "authenticate before",
                                                "authentication requ",
                                                "authentication is requ",
                                                "authentication needed",
                                                "must authenticate",
                                                "need to authenticate",
                                                "have to authenticate",
                                                "please authenticate",
                                                "not authenticated",
                                                "without authentication",
                                                "auth command",
                                                "send auth",
                                                "smtp auth",
                                                "must log in",
                                                "must login",
                                                "must be logged in",
                                                "log in first",
                                                "login first",
                                                "please log in",
                                                "please login",
                                                "not logged in",
                                                "authorization required",
                                                "unauthenticated senders",
                                                "authentication mandatory",
                                                "authenticated first"};
constexpr std::string_view kRelaying[] = {"relay access",
                                          "relay denied",
                                          "relay not",
                                          "relay is not",
                                          "relay rejected",
                                          "relay prohibited",
                                          "relay operation",
                                          "relay for",
                                          "relay through",
                                          "relay mail",
                                          "relay from",
                                          "mail relay",
                                          "not relay",
                                          "to relay",
                                          "relaying to",
                                          "relaying denied",
                                          "relaying not",
                                          "relaying is",
                                          "relaying mail",
                                          "relaying prohibited",
                                          "relaying rejected",
                                          "relaying disallowed",
                                          "relaying temporarily",
                                          "no relaying",
                                          "allowed rcpthosts",
                                          "my rcpthosts",
                                          "#5.7.1"};
constexpr std::string_view kSender[] = {"sender address",
                                        "sender rejected",
                                        "sender refused",
                                        "sender denied",
                                        "sender not",
                                        "sender is not",
                                        "sender domain",
                                        "sender identity",
                                        "sender signature",
                                        "sender verif",
                                        "envelope sender",
                                        "invalid sender",
                                        "bad sender",
                                        "this sender",
                                        "not owned by",
                                        "not owned",
                                        "send as",
                                        "from address",
                                        "from header",
                                        "address is not verified",
                                        "domain not verified",
                                        "not a verified",
                                        "following identities",
                                        "sender _"};
constexpr std::string_view kEncryption[] = {"starttls first",
                                            "a starttls",
                                            "starttls is requ",
                                            "starttls requ",
                                            "starttls command",
                                            "tls required",
                                            "tls is required",
                                            "tls needed",
                                            "requires tls",
                                            "require tls",
                                            "need tls",
                                            "must use tls",
                                            "use tls",
                                            "without tls",
                                            "tls encryption",
                                            "encryption required",
                                            "encryption requ",
                                            "encryption is requ",
                                            "encryption needed",
                                            "requires encryption",
                                            "session encryption",
                                            "encrypted connection",
                                            "encrypted session",
                                            "secure connection"};
constexpr std::string_view kLimit[] = {"sending limit",
                                       "sending quota",
                                       "send limit",
                                       "message quota",
                                       "daily limit",
                                       "hourly limit",
                                       "daily user",
                                       "daily smtp relay",
                                       "emails per",
                                       "messages per hour",
                                       "messages per day",
                                       "credits exceeded",
                                       "exceeded your",
                                       "defers and failures",
                                       "submission quota",
                                       "sender throttled",
                                       "storedrv.submission.exception:submissionquota",
                                       "storedrv.submission.exception:quota"};
constexpr std::string_view kRate[] = {"sending rate",        "rate limit",          "throttling failure",
                                      "messages per minute", "messages per second", "received this hour",
                                      "submission rate"};
constexpr std::string_view kSize[] = {"message size", "maximum size", "size limit", "size exceeds",
                                      "too large",    "too big",      "mail size"};
constexpr std::string_view kAccount[] = {
    "bad outbound sender", "outgoing blocked",       "sender address blocked", "sending paused",
    "your account is",     "your account has",       "your smtp account",      "not authorized to perform",
    "unregistered domain", "is not allowed to send", "credentials for relay"};
constexpr std::string_view kMachine[] = {
    "helo command", "ehlo command", "helo name",          "ehlo name",        "invalid helo",
    "bad helo",     "your helo",    "helo/ehlo argument", "client host",      "sending ip",
    "from this ip", "your ip",      "reverse dns",        "reverse hostname", "ptr record"};
constexpr std::string_view kProtocol[] = {"protocol error", "synchronization error", "synchronisation error"};
constexpr std::string_view kPasswords[] = {"basic authentication", "basic auth"};
constexpr std::string_view kConnections[] = {"concurrent connections", "concurrent smtp",
                                             "too many concurrent",    "too many connections",
                                             "thread limit",           "too many messages"};

// Behind these another server speaks.
constexpr std::string_view kSaid[] = {"said:", "was:", "replied:", "responded:", "answered:"};

// Of an address, or of what stands in apostrophes.
constexpr std::size_t kLongestQuotation = 512;

constexpr std::string_view kPunctuation = "\"'`([{*,;:.!?)]}";

// ---- whatever is quoted

// Behind the end of what begins at `at` with `<` or `"`; npos: it does not end. A quoted local part may have
// a >.
std::size_t end_of_quotation(std::string_view text, std::size_t at) {
  const bool is_address = text[at] == '<';
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (is_address && text[i] == '"') {
      const std::size_t end = end_of_quotation(text, i);
      if (end == text.npos) return end;
      i = end - 1;
    } else if (text[i] == (is_address ? '>' : '"')) {
      return i + 1;
    }
  }
  return text.npos;
}

bool is_edge(std::string_view text, std::size_t at) {
  return at >= text.size() || text[at] == ' ' || kPunctuation.find(text[at]) != kPunctuation.npos;
}

// The same of what begins with an apostrophe: only where a word could not have it.
std::size_t end_of_single_quotation(std::string_view text, std::size_t at) {
  if (at > 0 && !is_edge(text, at - 1)) return text.npos;
  if (at + 1 >= text.size() || text[at + 1] == ' ') return text.npos;
  for (std::size_t i = at + 2; i < text.size(); ++i)
    if (text[i] == '\'' && text[i - 1] != ' ' && is_edge(text, i + 1)) return i + 1;
  return text.npos;
}

// A double quotation that does not end goes on to the end of the text.
std::size_t end_of_foreign(std::string_view text, std::size_t at) {
  const std::string_view near = text.substr(0, at + kLongestQuotation);
  switch (text[at]) {
    case '<': return end_of_quotation(near, at);
    case '"': return std::min(end_of_quotation(text, at), text.size());
    case '\'': return end_of_single_quotation(near, at);
    default: return text.npos;
  }
}

std::string without_quotations(std::string_view text) {
  std::string left;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = end_of_foreign(text, i);
    if (end == text.npos) {
      left += text[i++];
    } else {
      left += " _ ";
      i = end;
    }
  }
  return left;
}

// ---- words that are none

// A dot between letters or digits. Numbers with dots are nobody's name; STOREDRV.… is Exchange's own.
bool is_name(std::string_view word) {
  const bool has_letter = std::ranges::any_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
  if (!has_letter || word.starts_with("storedrv.")) return false;
  for (std::size_t i = 1; i + 1 < word.size(); ++i)
    if (word[i] == '.' && !is_edge(word, i - 1) && !is_edge(word, i + 1)) return true;
  return false;
}

bool is_foreign(std::string_view word) {
  return word.find('@') != word.npos || word.find("://") != word.npos || is_name(word);
}

std::string_view without_opening(std::string_view word) {
  const auto first = word.find_first_not_of("\"'`([{*");
  return first == word.npos ? std::string_view() : word.substr(first);
}

}  // namespace

std::string own_words(const mail::Reply& reply) {
  const std::string text = to_lower(without_quotations(join(reply.lines, " ")));
  std::string own = " ";
  for (std::string_view word : words(text)) {
    if (std::ranges::find(kSaid, word) != std::ranges::end(kSaid)) return own + "_ ";
    own += cat(is_foreign(word) ? std::string_view("_") : without_opening(word), " ");
  }
  return own;
}

ReplyWords words_of(const mail::Reply& reply) {
  if (!reply.is_transient() && !reply.is_permanent()) return {};
  const std::string text = own_words(reply);
  auto has_any = [&](std::span<const std::string_view> phrases) {
    return std::ranges::any_of(
        phrases, [&](std::string_view phrase) { return text.find(cat(" ", phrase)) != text.npos; });
  };
  return {.authentication = has_any(kAuthentication),
          .relaying = has_any(kRelaying) || has_any(kAuthentication),
          .sender = has_any(kSender),
          .tls = has_any(kEncryption),
          .limit = has_any(kLimit) && !has_any(kSize),
          .rate = has_any(kRate),
          .account = has_any(kAccount),
          .machine = has_any(kMachine),
          .protocol = has_any(kProtocol),
          .passwords = has_any(kPasswords),
          .connections = has_any(kConnections)};
}

}  // namespace hikyaku::smtpc
