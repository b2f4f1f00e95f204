// SPDX-License-Identifier: MIT
// A reply and a password, which is the first line: whatever the reply holds, what is left of it holds no
// piece of the password, and as many lines, the same code and the same status as before. The second line is
// put through each encoding into the reply once more, so that it need not be guessed.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "smtpc/secret_mask.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/secrets.h"

using namespace hikyaku;

namespace {

std::string quoted(std::string_view text, char sign, unsigned which) {
  static constexpr char kHex[] = "0123456789ABCDEFabcdef";
  std::string result;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((which = which * 5 + 1) & 4)
      result += {sign, kHex[byte >> 4], kHex[byte & 15]};
    else
      result += c;
  }
  return result;
}

// Small letters, digits and signs only: in capitals some are words of SMTP, which stay; digits with dots are
// statuses.
std::string password_of(std::string_view line) {
  std::string password;
  for (char c : line.substr(0, 60))
    password += is_digit(c) || c == '*' || static_cast<unsigned char>(c) < ' ' ? '~' : to_lower(c);
  return password;
}

void check_text(const smtpc::SecretMask& mask, const std::string& password, std::string_view text) {
  const std::string shown = mask.masked(text);
  check(std::ranges::count(shown, '\n') == std::ranges::count(text, '\n'), "lines have come or gone");
  check(!test::has_secret(shown, password), "a piece of the password is left");
}

void check_reply(const smtpc::SecretMask& mask, const std::string& password, std::string_view text) {
  const auto reply = mail::parse_reply(text);
  if (!reply) return;
  const auto shown = mask.masked(*reply);
  check(shown.code == reply->code && shown.status == reply->status, "code or status has changed");
  check(shown.lines.size() == reply->lines.size(), "lines of a reply have come or gone");
  const bool starts_alike =
      mail::parse_enhanced_status(reply->lines.front()) == mail::parse_enhanced_status(shown.lines.front());
  check(starts_alike || !reply->status, "the status has gone from the text");
  check(!test::has_secret(join(shown.lines, ""), password), "a reply has a piece of the password");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all = test::as_text(data, size);
  const auto end = std::min(all.find('\n'), all.size());
  const std::string password = password_of(all.substr(0, end));
  const std::string_view text = all.substr(std::min(end + 1, all.size()));
  mail::Credentials credentials;
  credentials.user = "me";
  credentials.password = Secret(password);
  const smtpc::SecretMask mask(credentials);
  if (password.size() < test::kTrace) {
    check(mask.masked(text).empty() == text.empty(), "a text has gone");
    return 0;
  }
  check_text(mask, password, text);
  check_reply(mask, password, text);
  const std::string_view before = text.substr(0, text.size() % 5);
  for (const std::string& form : {password, quoted(password, '%', static_cast<unsigned>(size)),
                                  quoted(password, '=', static_cast<unsigned>(size)),
                                  to_base64(cat(before, password, text.substr(0, 9)))})
    check(mask.masked(cat("< ", form, " >")).size() < form.size() + 4, "the password was not hidden at all");
  return 0;
}
