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
#include <tuple>

#include "daemon/base/text.h"

namespace hikyaku::dns {
namespace {

constexpr std::size_t kMostRead = 500;      // records of one message
constexpr std::size_t kMostNameRead = 255;  // RFC 1035 2.3.4
constexpr std::uint16_t kCname = 5, kSoa = 6;
constexpr std::size_t kSoaNumbers = 20;  // behind the two names of a SOA record; MINIMUM is the last
constexpr std::size_t kMxNumbers = 2;    // before the name: preference
constexpr std::size_t kSrvNumbers = 6;   // before the name: priority, weight, port

using Bytes = std::span<const unsigned char>;

struct Record {
  std::string name;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  IpAddress address{};  // A, AAAA
  MxRecord exchange{};  // MX; CNAME: its target
  SrvRecord service{};
  std::string text{};  // TXT
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

// The name behind `numbers` bytes of the data, at whose end the reader stands, then as before.
std::optional<std::string> name_behind(Reader& reader, Bytes data, std::size_t numbers) {
  if (data.size() <= numbers) return std::nullopt;
  const std::size_t end = reader.place();
  reader.go_to(end - data.size() + numbers);
  auto name = reader.name();
  reader.go_to(end);
  return name;
}

std::uint16_t number_at(Bytes data, std::size_t at) {
  return static_cast<std::uint16_t>(DNS__16BIT(data.data() + at));
}

bool read_address(Bytes data, bool is_v6, Record& record) {
  if (data.size() != (is_v6 ? 16 : 4)) return false;
  record.address = IpAddress::from_bytes(data.data(), is_v6);
  return true;
}

bool read_alias(Reader& reader, Bytes data, Record& record) {
  auto target = name_behind(reader, data, 0);
  record.exchange.exchange = target.value_or("");
  return target.has_value();
}

bool read_exchange(Reader& reader, Bytes data, Record& record) {
  auto target = name_behind(reader, data, kMxNumbers);
  if (target) record.exchange = {number_at(data, 0), std::move(*target)};
  return target.has_value();
}

bool read_service(Reader& reader, Bytes data, Record& record) {
  auto target = name_behind(reader, data, kSrvNumbers);
  if (target)
    record.service = {number_at(data, 0), number_at(data, 2), number_at(data, 4), std::move(*target)};
  return target.has_value();
}

// Strings one behind the other, each with its length before it (RFC 1035 3.3.14).
bool read_text(Bytes data, Record& record) {
  if (data.empty()) return false;
  while (!data.empty()) {
    const std::size_t length = data.front();
    if (length >= data.size()) return false;
    record.text.append(reinterpret_cast<const char*>(data.data()) + 1, length);
    data = data.subspan(length + 1);
  }
  return true;
}

bool read_negative_ttl(Bytes data, Record& record) {
  if (data.size() < kSoaNumbers) return false;
  record.ttl = std::min<std::uint32_t>(record.ttl, DNS__32BIT(data.data() + data.size() - 4));
  return true;
}

// False: it is of no use.
bool read_data(Reader& reader, Bytes data, Record& record) {
  switch (record.type) {
    case static_cast<std::uint16_t>(RecordType::a): return read_address(data, false, record);
    case static_cast<std::uint16_t>(RecordType::aaaa): return read_address(data, true, record);
    case static_cast<std::uint16_t>(RecordType::mx): return read_exchange(reader, data, record);
    case static_cast<std::uint16_t>(RecordType::srv): return read_service(reader, data, record);
    case static_cast<std::uint16_t>(RecordType::txt): return read_text(data, record);
    case kCname: return read_alias(reader, data, record);
    case kSoa: return read_negative_ttl(data, record);
    default: return false;
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
  if (DNS_RR_CLASS(head->data()) != C_IN || !read_data(reader, *data, record)) record.type = 0;
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

template <class T>
void add_new(std::vector<T>& to, const T& one) {
  if (std::ranges::find(to, one) == to.end()) to.push_back(one);
}

void take(const Record& record, RecordType type, Answer& answer) {
  switch (type) {
    case RecordType::a:
    case RecordType::aaaa: return answer.addresses.push_back(record.address);
    case RecordType::mx: return add_new(answer.exchanges, record.exchange);
    case RecordType::srv: return add_new(answer.services, record.service);
    case RecordType::txt: return add_new(answer.texts, record.text);
  }
}

bool is_better(const SrvRecord& a, const SrvRecord& b) {
  return std::tie(a.priority, b.weight, a.target) < std::tie(b.priority, a.weight, b.target);
}

void keep_the_best(Answer& answer) {
  std::ranges::sort(answer.exchanges, {}, &MxRecord::preference);
  std::ranges::sort(answer.services, is_better);
  answer.exchanges.resize(std::min(answer.exchanges.size(), kMostRecords));
  answer.services.resize(std::min(answer.services.size(), kMostRecords));
  answer.texts.resize(std::min(answer.texts.size(), kMostRecords));
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
    take(record, type, answer);
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
    case RecordType::srv: return "SRV";
    case RecordType::txt: return "TXT";
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
  if (!answer.addresses.empty() || !answer.exchanges.empty() || !answer.services.empty() ||
      !answer.texts.empty())
    return answer;
  if (*name != first)
    return {.status = Status::alias, .alias = std::move(*name), .ttl = std::chrono::seconds(ttl)};
  if (!message->answers.empty()) return failed("the DNS server's answer is about other names");
  return negative(Status::no_data, message->negative_ttl);
}

}  // namespace hikyaku::dns
