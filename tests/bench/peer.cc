// SPDX-License-Identifier: MIT
#include "tests/bench/peer.h"

#include <sys/socket.h>

#include <thread>

#include "daemon/base/text.h"

namespace hikyaku::bench {
namespace {

constexpr std::string_view kNumber = "X-Number: ";

}  // namespace

Peer::Peer(Fd socket, std::chrono::milliseconds delay, Counter& counter)
    : socket_(std::move(socket)), delay_(delay), counter_(counter) {
  counter_.count_connection();
  replies_ = "220 sink.example\r\n";
}

void Peer::serve() {
  while (answer() && !is_over_ && receive())
    while (const auto line = next_line()) take(*line);
}

bool Peer::receive() {
  input_.erase(0, std::exchange(read_, 0));
  char bytes[1 << 16];
  const auto count = recv(socket_.get(), bytes, sizeof bytes, 0);
  if (count > 0) input_.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

std::optional<std::string_view> Peer::next_line() {
  const auto end = input_.find("\r\n", read_);
  if (end == input_.npos) return std::nullopt;
  const auto line = std::string_view(input_).substr(read_, end - read_);
  read_ = end + 2;
  return line;
}

void Peer::take(std::string_view line) { in_content_ ? take_content(line) : take_command(line); }

void Peer::take_command(std::string_view line) {
  const auto verb = to_upper(line.substr(0, 4));
  in_content_ = verb == "DATA";
  is_over_ = verb == "QUIT";
  if (verb == "EHLO")
    replies_ +=
        "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n250 "
        "ENHANCEDSTATUSCODES\r\n";
  else
    replies_ += in_content_ ? "354 go on\r\n" : is_over_ ? "221 2.0.0 bye\r\n" : "250 2.0.0 ok\r\n";
}

void Peer::take_content(std::string_view line) {
  if (line.starts_with(kNumber) && !number_) number_ = parse_number(line.substr(kNumber.size()));
  if (line != ".") return;
  in_content_ = false;
  if (number_) counter_.count_message(*number_);
  number_.reset();
  replies_ += "250 2.0.0 taken\r\n";
}

bool Peer::answer() {
  if (replies_.empty()) return true;
  if (delay_.count() > 0) std::this_thread::sleep_for(delay_);
  const auto text = std::exchange(replies_, {});
  return send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

}  // namespace hikyaku::bench
