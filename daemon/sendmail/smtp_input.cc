// SPDX-License-Identifier: MIT
#include "daemon/sendmail/smtp_input.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/text.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::size_t kCommandsPiece = 64 * 1024;
constexpr std::size_t kEndless = 128 * 1024;

}  // namespace

bool SmtpInput::read_more() {
  std::size_t held = bytes_.size();
  bytes_.resize(held + kCommandsPiece);
  ssize_t got = -1;
  do {
    got = ::read(fd_, bytes_.data() + held, kCommandsPiece);
  } while (got < 0 && errno == EINTR);
  bytes_.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

std::optional<std::string> SmtpInput::line() {
  std::size_t end = bytes_.find('\n');
  while (end == bytes_.npos) {
    is_endless_ = bytes_.size() > kEndless;
    if (is_endless_ || !read_more()) return std::nullopt;
    end = bytes_.find('\n');
  }
  spoke_crlf_ |= !ends_in_lf_;
  ends_in_lf_ = end == 0 || bytes_[end - 1] != '\r';
  std::string line = bytes_.substr(0, ends_in_lf_ ? end : end - 1);
  bytes_.erase(0, end + 1);
  return line;
}

void SmtpInput::put_back(std::string_view line) { bytes_.insert(0, cat(line, line_end())); }

mail::LineMode SmtpInput::line_mode() const {
  return ends_in_lf_ && !spoke_crlf_ ? mail::LineMode::lf : mail::LineMode::crlf;
}

bool SmtpInput::content(mail::DataDecoder& decoder, std::string& out) {
  if (bytes_.empty() && !read_more()) return false;
  bytes_.erase(0, decoder.feed(bytes_, out).consumed);
  return true;
}

std::string SmtpInput::octets(std::size_t most) {
  if (bytes_.empty()) read_more();
  std::string some = bytes_.substr(0, most);
  bytes_.erase(0, some.size());
  return some;
}

bool SmtpInput::comes_within(std::chrono::milliseconds timeout) const {
  auto until = std::chrono::steady_clock::now() + timeout;
  while (bytes_.empty()) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd watched{fd_, POLLIN, 0};
    int ready = ::poll(&watched, 1, static_cast<int>(std::max<decltype(left)>(left, 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
  return true;
}

bool is_data(std::string_view line) {
  return equals_ignoring_case(line.substr(0, line.find_first_of(" \t")), "DATA");
}

}  // namespace hikyaku::sendmail
