// SPDX-License-Identifier: MIT
// c-ares expands names, which is where messages lie (compression); its parse functions for whole answers
// tell no TTL of MX records, and take records of any name.
#include "daemon/dns/answer.h"

#include <ares.h>
#include <ares_dns.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "daemon/base/text.h"

namespace hikyaku::dns {
namespace {

constexpr std::size_t kMostRead = 500;      // records of one message
constexpr std::size_t kMostNameRead = 255;  // RFC 1035 2.3.4
constexpr std::uint16_t kCname = 5, kSoa = 6;
constexpr std::size_t kSoaNumbers = 20;  // behind the two names of a SOA record; MINIMUM is the last

using Bytes = std::span<const unsigned char>;

struct Record {
  std::string name;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  IpAddress address{};  // A, AAAA
  MxRecord exchange{};  // MX; CNAME: its target
};

struct FreedByAres {
  void operator()(char* text) const { ares_free_string(text); }
};

// Reads one message from front to back.
class Reader {
 public:
  explicit Reader(Bytes message) : message_(message), at_(HFIXEDSZ) {}

  // The name at the current place, behind which the reader stands then; nullopt: there is none.
  std::optional<std::string> name() {
    char* text = nullptr;
    long length = 0;
    if (at_ >= message_.size()) return std::nullopt;
    if (ares_expand_name(message_.data() + at_, message_.data(), static_cast<int>(message_.size()), &text,
                         &length) != ARES_SUCCESS)
      return std::nullopt;
    const std::unique_ptr<char, FreedByAres> owner(text);
    at_ += static_cast<std::size_t>(length);
    std::string lower = to_lower(text);
    if (lower.size() > kMostNameRead) return std::nullopt;
    return lower;
  }

  std::optional<Bytes> bytes(std::size_t count) {
    if (count > message_.size() - at_) return std::nullopt;
    at_ += count;
    return message_.subspan(at_ - count, count);
  }

  std::size_t place() const { return at_; }
  void go_to(std::size_t place) { at_ = place; }

 private:
  Bytes message_;
  std::size_t at_;
};

void read_data(Reader& reader, Bytes data, Record& record) {
  const std::size_t end = reader.place();
  const bool is_mx = record.type == static_cast<std::uint16_t>(RecordType::mx) && data.size() > 2;
  if (record.type == static_cast<std::uint16_t>(RecordType::a) && data.size() == 4)
    record.address = IpAddress::from_bytes(data.data(), false);
  else if (record.type == static_cast<std::uint16_t>(RecordType::aaaa) && data.size() == 16)
    record.address = IpAddress::from_bytes(data.data(), true);
  else if (is_mx || record.type == kCname) {
    reader.go_to(end - data.size() + (is_mx ? 2 : 0));
    auto target = reader.name();
    if (is_mx) record.exchange.preference = static_cast<std::uint16_t>(DNS__16BIT(data.data()));
    record.exchange.exchange = target.value_or("");
    if (!target) record.type = 0;
    reader.go_to(end);
  } else if (record.type == kSoa && data.size() >= kSoaNumbers) {
    record.ttl = std::min<std::uint32_t>(record.ttl, DNS__32BIT(data.data() + data.size() - 4));
  } else {
    record.type = 0;
  }
}

// nullopt: the message ends in the midst of it. The type of what is not of use is 0.
std::optional<Record> read_record(Reader& reader) {
  auto name = reader.name();
  if (!name) return std::nullopt;
  auto head = reader.bytes(RRFIXEDSZ);
  if (!head) return std::nullopt;
  auto data = reader.bytes(DNS_RR_LEN(head->data()));
  if (!data) return std::nullopt;
  Record record{.name = std::move(*name), .type = static_cast<std::uint16_t>(DNS_RR_TYPE(head->data()))};
  record.ttl = static_cast<std::uint32_t>(DNS_RR_TTL(head->data()));
  if (record.ttl > INT32_MAX) record.ttl = 0;  // RFC 2181 8
  if (DNS_RR_CLASS(head->data()) != C_IN) record.type = 0;
  read_data(reader, *data, record);
  return record;
}

struct Message {
  int code = 0;
  std::vector<Record> answers;
  std::uint32_t negative_ttl = 0;
};

void read_section(Reader& reader, std::size_t count, std::vector<Record>& into) {
  for (std::size_t i = 0; i < std::min(count, kMostRead); ++i) {
    auto record = read_record(reader);
    if (!record) return;
    if (record->type != 0) into.push_back(std::move(*record));
  }
}

std::optional<Message> read_message(Bytes bytes) {
  if (bytes.size() < HFIXEDSZ || !DNS_HEADER_QR(bytes.data())) return std::nullopt;
  Reader reader(bytes);
  for (unsigned i = 0; i < DNS_HEADER_QDCOUNT(bytes.data()); ++i)
    if (!reader.name() || !reader.bytes(QFIXEDSZ)) return std::nullopt;
  Message message{.code = DNS_HEADER_RCODE(bytes.data()), .answers = {}};
  const std::size_t answers = DNS_HEADER_ANCOUNT(bytes.data());
  read_section(reader, answers, message.answers);
  if (answers > 0 && message.answers.empty()) return std::nullopt;
  std::vector<Record> authority;
  if (answers <= kMostRead) read_section(reader, DNS_HEADER_NSCOUNT(bytes.data()), authority);
  for (const Record& record : authority)
    if (record.type == kSoa) message.negative_ttl = record.ttl;
  return message;
}

// The name behind the aliases in the answer; nullopt: there is no end to them.
std::optional<std::string> follow_aliases(const std::vector<Record>& records, std::string name,
                                          std::uint32_t& ttl) {
  for (std::size_t hops = 0; hops <= kMostAliases; ++hops) {
    auto alias = std::ranges::find_if(
        records, [&](const Record& record) { return record.type == kCname && record.name == name; });
    if (alias == records.end()) return name;
    ttl = std::min(ttl, alias->ttl);
    name = alias->exchange.exchange;
  }
  return std::nullopt;
}

void take(const Record& record, Answer& answer) {
  if (record.type != static_cast<std::uint16_t>(RecordType::mx))
    answer.addresses.push_back(record.address);
  else if (std::ranges::find(answer.exchanges, record.exchange) == answer.exchanges.end())
    answer.exchanges.push_back(record.exchange);
}

void keep_the_best(Answer& answer) {
  std::ranges::sort(answer.exchanges, {}, &MxRecord::preference);
  answer.exchanges.resize(std::min(answer.exchanges.size(), kMostRecords));
  answer.addresses.resize(std::min(answer.addresses.size(), kMostRecords));
}

Answer negative(Status status, std::uint32_t ttl) {
  return {.status = status, .ttl = std::chrono::seconds(ttl)};
}

Answer take_records(const Message& message, const std::string& name, RecordType type, std::uint32_t ttl) {
  Answer answer{.status = Status::found};
  for (const Record& record : message.answers) {
    if (record.type != static_cast<std::uint16_t>(type) || record.name != name) continue;
    ttl = std::min(ttl, record.ttl);
    take(record, answer);
  }
  answer.ttl = std::chrono::seconds(ttl);
  keep_the_best(answer);
  return answer;
}

std::string words_for_code(int code) {
  switch (code) {
    case FORMERR: return "the DNS server does not understand the question (FORMERR)";
    case SERVFAIL: return "the DNS server cannot find out (SERVFAIL)";
    case REFUSED: return "the DNS server refuses to answer (REFUSED)";
    default: return cat("the DNS server answers with error ", std::to_string(code));
  }
}

}  // namespace

std::string_view to_text(RecordType type) {
  switch (type) {
    case RecordType::a: return "A";
    case RecordType::mx: return "MX";
    case RecordType::aaaa: break;
  }
  return "AAAA";
}

Answer failed(std::string trouble) { return {.status = Status::failed, .trouble = std::move(trouble)}; }

Answer parse_answer(std::span<const unsigned char> bytes, std::string_view asked, RecordType type) {
  auto message = read_message(bytes);
  if (!message) return failed("the DNS server's answer makes no sense");
  if (message->code != NOERROR && message->code != NXDOMAIN) return failed(words_for_code(message->code));
  const std::string first = to_lower(asked);
  std::uint32_t ttl = INT32_MAX;
  auto name = follow_aliases(message->answers, first, ttl);
  if (!name) return failed("the DNS answers with aliases (CNAME) that never end");
  if (message->code == NXDOMAIN) return negative(Status::no_such_name, message->negative_ttl);
  Answer answer = take_records(*message, *name, type, ttl);
  if (!answer.addresses.empty() || !answer.exchanges.empty()) return answer;
  if (*name != first)
    return {.status = Status::alias, .alias = std::move(*name), .ttl = std::chrono::seconds(ttl)};
  if (!message->answers.empty()) return failed("the DNS server's answer is about other names");
  return negative(Status::no_data, message->negative_ttl);
}

}  // namespace hikyaku::dns
