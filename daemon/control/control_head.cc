// SPDX-License-Identifier: MIT
#include "daemon/control/control_head.h"

#include <algorithm>
#include <optional>

#include "daemon/base/text.h"

namespace hikyaku::control {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool is_visible(char c) { return c > ' ' && c < 0x7f; }
bool is_token(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").contains(c);
}
template <class Is>
bool all(std::string_view text, Is is) {
  return !text.empty() && std::ranges::all_of(text, is);
}

// A percent sign before anything but two hexadecimal digits stands for itself.
std::string decoded(std::string_view text, bool plus_is_blank) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
    auto low = high ? hex_value(text[i + 2]) : std::nullopt;
    if (low) i += 2;
    char plain = plus_is_blank && text[i] == '+' ? ' ' : text[i];
    result += low ? static_cast<char>(*high << 4U | *low) : plain;
  }
  return result;
}

// As forms are written (application/x-www-form-urlencoded).
std::map<std::string, std::string> parameters_of(std::string_view query) {
  std::map<std::string, std::string> parameters;
  for (std::string_view pair : split(query, '&')) {
    std::size_t name = std::min(pair.find('='), pair.size());
    std::string_view value = pair.substr(std::min(name + 1, pair.size()));
    if (!pair.empty()) parameters.emplace(decoded(pair.substr(0, name), true), decoded(value, true));
  }
  return parameters;
}

using Outcome = Result<void, HeadRefusal>;

class Reader {
 public:
  Result<RequestHead, HeadRefusal> read(std::string_view head) {
    std::size_t end = head.find(kLineEnd);
    auto line = read_request_line(head.substr(0, end));
    if (!line) return std::unexpected(line.error());
    for (head.remove_prefix(end + 2); !head.starts_with(kLineEnd); head.remove_prefix(end + 2)) {
      end = head.find(kLineEnd);
      auto field = read_field(head.substr(0, end));
      if (!field) return std::unexpected(field.error());
    }
    return finish();
  }

 private:
  Outcome read_request_line(std::string_view line) {
    auto words = split(line, ' ');
    bool is_http = words.size() == 3 && (words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0");
    if (!is_http || !all(words[0], is_token)) return fail(400, "the request line is not HTTP/1.1");
    if (words[1].size() > kMaxTarget) return fail(414, "the request target is too long");
    if (!words[1].starts_with('/') || !all(words[1], is_visible))
      return fail(400, "the path must begin with / and must not contain blanks or control characters");
    if (words[0] != "GET" && words[0] != "POST" && words[0] != "PUT")
      return fail(405, "only GET, POST and PUT are supported");
    std::size_t path = std::min(words[1].find('?'), words[1].size());
    head_.method = words[0];
    head_.path = decoded(words[1].substr(0, path), false);
    head_.parameters = parameters_of(words[1].substr(std::min(path + 1, words[1].size())));
    head_.is_chunked_known = words[2] == "HTTP/1.1";
    return {};
  }

  Outcome read_field(std::string_view line) {
    std::size_t colon = line.find(':');
    if (colon == line.npos || !all(line.substr(0, colon), is_token))
      return fail(400, "a header field has no valid name");
    auto is_proper = [](char c) {
      return is_visible(c) || is_blank(c) || static_cast<unsigned char>(c) > 0x7f;
    };
    std::string_view value = trim(line.substr(colon + 1));
    if (!std::ranges::all_of(value, is_proper))
      return fail(400, "a header field contains a control character");
    if (++fields_ > kMaxFields) return fail(431, "too many header fields");
    return take(to_lower(line.substr(0, colon)), value);
  }

  Outcome take(const std::string& name, std::string_view value) {
    if (name == "content-length") return take_length(value);
    if (name == "transfer-encoding") return fail(411, "a body needs a Content-Length");
    if (name == "content-encoding") return fail(415, "a compressed body is not supported");
    if (name == "expect" && !equals_ignoring_case(value, "100-continue"))
      return fail(417, "only 100-continue is supported");
    if (name == "expect") head_.wants_continue = true;
    if (name == "accept") head_.accept += cat(head_.accept.empty() ? "" : ", ", value);
    return {};
  }

  Outcome take_length(std::string_view value) {
    auto length = parse_number(value);
    if (!length || length_) return fail(400, "Content-Length must be one number");
    if (*length > kMaxBody)
      return fail(413, cat("a body must have at most ", std::to_string(kMaxBody), " bytes"));
    length_ = static_cast<std::size_t>(*length);
    return {};
  }

  Result<RequestHead, HeadRefusal> finish() {
    head_.body = length_.value_or(0);
    if (head_.method == "GET" && head_.body > 0) return fail(400, "a GET must not have a body");
    if (!is_ascii(head_.accept)) head_.accept.clear();
    return std::move(head_);
  }

  RequestHead head_;
  std::size_t fields_ = 0;
  std::optional<std::size_t> length_;
};

}  // namespace

std::size_t head_length(std::string_view text) {
  std::size_t end = text.find(kHeadEnd);
  return end == text.npos ? 0 : end + kHeadEnd.size();
}

Result<RequestHead, HeadRefusal> parse_request_head(std::string_view head) {
  if (head_length(head) == 0 && head.size() >= kMaxHead) return fail(431, "the request's head is too long");
  if (head_length(head) != head.size()) return fail(400, "the head does not end with an empty line");
  return Reader().read(head);
}

}  // namespace hikyaku::control
