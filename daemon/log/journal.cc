// SPDX-License-Identifier: MIT
#include "daemon/log/journal.h"

#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::log {
namespace {

constexpr std::size_t kMostAtOnce = 512;        // messages a call; the kernel's limit is 1024
constexpr timeval kPatience{0, 100'000};        // of one try by the thread
constexpr std::chrono::seconds kLastChance(1);  // for what waits at the end

// "NAME=value", or with its length in front where the value has a line end, so that no value can pretend to be
// another field.
void add(std::string& entry, std::string_view name, std::string_view value) {
  entry += name;
  if (value.find('\n') == value.npos) {
    entry += '=';
  } else {
    entry += '\n';
    for (unsigned shift = 0; shift < 64; shift += 8)
      entry += static_cast<char>((std::uint64_t{value.size()} >> shift) & 0xFF);
  }
  entry += value;
  entry += '\n';
}

std::string name_in_journal(std::string_view field) {
  std::string name = cat("HIKYAKU_", field);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

// The values of one field, as JSON has them.
struct JournalValues {
  std::string& entry;
  std::string name;

  void operator()(const std::string& text) const { add(entry, name, clean(text)); }
  void operator()(const Sentence& text) const { add(entry, name, clean(text)); }
  void operator()(std::uint64_t number) const { add(entry, name, std::to_string(number)); }
  void operator()(const Address& address) const { add(entry, name, clean(address.text)); }
  void operator()(const std::vector<Address>& list) const {
    for (std::size_t i = 0; i < std::min(list.size(), kMostAddresses); ++i) (*this)(list[i]);
  }
};

std::string lost_entry(std::uint64_t lost) {
  const std::string text =
      cat(std::to_string(lost), " lines of this log are lost: the journal took none for too long");
  return to_journal_entry({LogLevel::warning, "", text, {}}, text);
}

bool is_busy(int error) { return error == EAGAIN || error == ENOBUFS || error == ENOMEM; }

}  // namespace

std::string_view journal_prefix(LogLevel level) {
  static constexpr std::string_view kPrefixes[] = {"<3>", "<4>", "<6>", "<7>"};
  return kPrefixes[static_cast<std::size_t>(level)];
}

std::string to_journal_entry(const Line& line, std::string_view message) {
  std::string entry;
  add(entry, "MESSAGE", message);
  add(entry, "PRIORITY", journal_prefix(line.level).substr(1, 1));
  add(entry, "SYSLOG_IDENTIFIER", "hikyakud");
  if (!line.event.empty()) add(entry, "HIKYAKU_EVENT", line.event);
  if (!line.smarthost.empty()) add(entry, "HIKYAKU_SMARTHOST", clean(line.smarthost));
  for (const Field& field : line.fields)
    std::visit(JournalValues{entry, name_in_journal(field.name)}, field.value);
  return entry;
}

JournalSocket::JournalSocket(std::string_view path)
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  address_.sun_family = AF_UNIX;
  const std::size_t length = path.copy(address_.sun_path, sizeof address_.sun_path - 1);
  address_length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + 1);
}

JournalSocket::~JournalSocket() {
  {
    Lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool JournalSocket::send(const std::vector<std::string>& entries) {
  Lock lock(mutex_);
  std::size_t done = 0;
  const Sent sent = waiting_.empty() ? send_at_once(entries, done) : Sent::busy;
  if (sent == Sent::busy) keep(entries, done);
  return sent != Sent::no;
}

JournalSocket::Sent JournalSocket::send_at_once(const std::vector<std::string>& entries, std::size_t& done) {
  std::vector<iovec> pieces;
  for (const std::string& entry : entries) pieces.push_back({const_cast<char*>(entry.data()), entry.size()});
  std::vector<mmsghdr> datagrams(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    datagrams[i].msg_hdr.msg_name = &address_;
    datagrams[i].msg_hdr.msg_namelen = address_length_;
    datagrams[i].msg_hdr.msg_iov = &pieces[i];
    datagrams[i].msg_hdr.msg_iovlen = 1;
  }
  while (done < entries.size()) {
    const auto count = static_cast<unsigned>(std::min(entries.size() - done, kMostAtOnce));
    const int sent = ::sendmmsg(socket_.get(), &datagrams[done], count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return is_busy(errno) ? Sent::busy : Sent::no;
    done += static_cast<std::size_t>(sent);
  }
  return Sent::yes;
}

void JournalSocket::keep(const std::vector<std::string>& entries, std::size_t from) {
  for (std::size_t i = from; i < entries.size(); ++i) {
    if (waiting_bytes_ + entries[i].size() > kMostWaiting) {
      ++lost_;
      continue;
    }
    waiting_bytes_ += entries[i].size();
    waiting_.push_back(entries[i]);
  }
  if (!thread_.joinable()) start_thread();
  changed_.notify_one();
}

// If the system has no thread left, the next line asks again.
void JournalSocket::start_thread() {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {  // too many: the service manager's TasksMax
  }
}

JournalSocket::Sent JournalSocket::send_patiently(const std::string& entry) {
  const ssize_t sent = ::sendto(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address_), address_length_);
  if (sent >= 0) return Sent::yes;
  return errno == EAGAIN || errno == EINTR ? Sent::busy : Sent::no;
}

// Where nobody listens any more it is lost: standard error ends at the same journald.
void JournalSocket::settle(const std::string& entry, Sent sent) {
  waiting_bytes_ -= entry.size();
  waiting_.pop_front();
  if (sent == Sent::no) ++lost_;
  if (sent == Sent::no || lost_ == 0 || !waiting_.empty()) return;
  waiting_.push_back(lost_entry(std::exchange(lost_, 0)));
  waiting_bytes_ += waiting_.back().size();
}

// An entry leaves the queue when it was sent, so that none that comes meanwhile overtakes it.
void JournalSocket::run() {
  Lock lock(mutex_);
  auto end = std::chrono::steady_clock::time_point::max();
  for (;;) {
    while (waiting_.empty() && !is_stopping_) changed_.wait(lock);
    if (waiting_.empty()) return;
    if (is_stopping_) end = std::min(end, std::chrono::steady_clock::now() + kLastChance);
    if (std::chrono::steady_clock::now() >= end) return;
    const std::string entry = waiting_.front();
    lock.unlock();
    const Sent sent = send_patiently(entry);
    lock.lock();
    if (sent != Sent::busy) settle(entry, sent);
  }
}

}  // namespace hikyaku::log
