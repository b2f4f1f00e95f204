// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/control/control_retry.h"
#include "daemon/listing/postfix_listing.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_reader.h"

namespace hikyaku::control {
namespace {

constexpr std::size_t kDefaultLimit = 100;
constexpr std::size_t kMostMails = 1000;  // of one page of JSON
constexpr std::size_t kLongestJson = std::size_t{1} << 20U;
constexpr std::size_t kPiece = 500;  // of a list that is streamed
// How long mails are searched for a page of JSON, which may then be shorter than requested; `next` says
// where to go on.
constexpr Duration kLongestSearch = 5s;
// How old the picture for a page that continues another may be: no mail that was there at the first page is
// missing because of that.
constexpr Duration kOldPicture = 10s;

using ParsedQuestion = Result<QueueQuestion, ControlAnswer>;

std::unexpected<ControlAnswer> refuse(std::string_view text) {
  return std::unexpected(control_error(400, text));
}

std::optional<QueueFormat> parse_format(std::string_view name) {
  if (name == "json") return QueueFormat::json;
  if (name == "lines") return QueueFormat::lines;
  if (name == "postfix") return QueueFormat::postfix;
  return std::nullopt;
}

// text/plain is what mailq shows, application/x-ndjson a line for each mail; JSON if the client does not say.
QueueFormat format_accepted(std::string_view accept) {
  bool wants_text = accept.starts_with("text/plain");
  bool wants_lines = accept.starts_with("application/x-ndjson");
  return wants_text ? QueueFormat::postfix : wants_lines ? QueueFormat::lines : QueueFormat::json;
}

std::string_view type_of(QueueFormat format) {
  switch (format) {
    case QueueFormat::json: return "application/json";
    case QueueFormat::lines: return "application/x-ndjson";
    case QueueFormat::postfix: return "text/plain; charset=utf-8";
  }
  return "";
}

// Puts a parameter into the question; false if its value is not valid.
bool take(QueueQuestion& question, const std::string& name, const std::string& value) {
  if (name == "format") {
    auto format = parse_format(value);
    if (format) question.format = *format;
    return format.has_value();
  }
  if (name == "after") {
    auto id = mail::parse_mail_id(value);
    if (id) question.after = *id;
    return id.has_value();
  }
  auto limit = parse_number(value);
  if (limit) question.limit = static_cast<std::size_t>(*limit);
  return limit && *limit > 0;
}

std::string_view allowed(const std::string& name) {
  if (name == "format") return "json, lines or postfix";
  return name == "after" ? "a mail ID" : "a number of mails, at least 1";
}

// Which mails are shown to the caller.
struct Shown {
  listing::QueueFilter filter;
  Rights rights;
  mail::RouteState route;

  bool operator()(const spool::ViewedMail& mail) const {
    return rights.may_see(mail.mail.envelope.uid) && filter.matches(mail, route, rights.is_operator);
  }
  listing::QueueReader::Wanted wanted() const {
    return {*this, [this](const listing::MailBrief& mail) {
              return filter.judge(mail, route, rights.is_operator) == false;
            }};
  }
  mail::MailState state(const spool::ViewedMail& mail) const {
    return listing::state_of(mail, route, rights.is_operator);
  }
};

ControlAnswer one_page(const ControlRequest& request, const QueueQuestion& question, const Shown& shown,
                       listing::QueueReader& reader, Clock& clock) {
  std::size_t limit = std::min(question.limit.value_or(kDefaultLimit), kMostMails);
  Instant begin = clock.now();
  Instant as_of = question.after.value == 0 ? begin : begin - kOldPicture;
  JsonList mails;
  JsonList unreadable;
  std::optional<mail::MailId> next = question.after;
  const auto wanted = shown.wanted();
  auto goes_on = [&] {
    bool has_room = mails.count() < limit && mails.size() < kLongestJson;
    return next && has_room && clock.now() - begin < kLongestSearch && request.is_wanted();
  };
  while (goes_on()) {
    auto page = reader.page(*next, limit - mails.count(), wanted, as_of);
    if (!page) return spool_trouble(page.error());
    for (const auto& mail : page->mails) mails.add(listing::queue_json(mail, shown.state(mail)));
    for (mail::MailId id : page->unreadable) unreadable.add(to_text(id));
    next = page->next;
  }
  JsonObject json = JsonObject().add("mails", mails);
  json.add("next", next ? std::optional(to_text(*next)) : std::nullopt);
  if (request.rights.is_operator) json.add("unreadable", unreadable);
  return control_json(json.text());
}

// A list of any length, a piece at a time; only one page is in memory.
class Streaming {
 public:
  Streaming(const ControlRequest& request, QueueQuestion question, Shown shown, listing::QueueReader& reader,
            Clock& clock)
      : question_(std::move(question)),
        shown_(std::move(shown)),
        is_wanted_(request.is_wanted),
        reader_(reader),
        as_of_(clock.now()),
        next_(question_.after),
        left_(question_.limit.value_or(SIZE_MAX)) {}

  // Nothing has been sent yet, so an error can still have a status of its own.
  Result<void, StartError> begin(const std::string& notes) {
    auto page = read();
    if (!page) return std::unexpected(page.error());
    ready_ = cat(notes, text_of(*page));
    return {};
  }

  std::optional<std::string> piece() {
    while (ready_.empty() && next_) {
      if (!is_wanted_()) return std::nullopt;
      auto page = read();
      if (!page) return std::nullopt;
      ready_ = text_of(*page);
    }
    if (ready_.empty() && !std::exchange(has_ended_, true) && question_.format == QueueFormat::postfix)
      return listing_.end();
    return std::exchange(ready_, {});
  }

 private:
  Result<listing::QueueReader::Page, StartError> read() {
    auto page = reader_.page(*next_, std::min(left_, kPiece), shown_.wanted(), as_of_);
    if (!page) return page;
    left_ -= page->mails.size();
    next_ = left_ == 0 ? std::nullopt : page->next;
    return page;
  }

  std::string text_of(const listing::QueueReader::Page& page) {
    std::string text;
    for (const spool::ViewedMail& mail : page.mails) text += line_of(mail);
    return text;
  }

  std::string line_of(const spool::ViewedMail& mail) {
    mail::MailState state = shown_.state(mail);
    return question_.format == QueueFormat::postfix ? listing_.entry(mail, state)
                                                    : listing::queue_json(mail, state).text() + '\n';
  }

  QueueQuestion question_;
  Shown shown_;
  std::function<bool()> is_wanted_;
  listing::QueueReader& reader_;
  Instant as_of_;
  std::optional<mail::MailId> next_;
  std::size_t left_;
  std::string ready_;
  listing::PostfixListing listing_;
  bool has_ended_ = false;
};

// What mailq shows about mail that is not in the list.
std::string notes_for(const Rights& rights, const listing::QueueReader& reader, DaemonControl& daemon) {
  auto whose = rights.is_operator ? std::nullopt : std::optional(rights.uid);
  return listing::PostfixListing::notes(daemon.failed(rights).value_or(std::vector<mail::FailedMail>()),
                                        rights.is_operator, listing::drops_text(reader.directory(), whose));
}

}  // namespace

ParsedQuestion parse_queue_question(const ControlRequest& request, WallTime now) {
  QueueQuestion question;
  question.format = format_accepted(request.accept);
  for (const auto& [name, value] : request.parameters) {
    if (listing::is_filter(name)) {
      auto set = listing::set_filter(question.filter, name, value, now);
      if (!set) return refuse(set.error());
      continue;
    }
    if (name != "format" && name != "after" && name != "limit")
      return refuse(cat(
          "no parameter ", printable(name), "; there are after, limit, format, ",
          join(std::vector<std::string>(std::begin(listing::kFilterNames), std::end(listing::kFilterNames)),
               ", ")));
    if (!take(question, name, value)) return refuse(cat(name, " must be ", allowed(name)));
  }
  return question;
}

mail::RouteState route_state_now(DaemonControl& daemon, Clock& clock) {
  auto status = daemon.status();
  return status ? relay::route_state_of(*status, clock.wall()) : mail::RouteState{};
}

ControlAnswer answer_queue(const ControlRequest& request, listing::QueueReader& reader, DaemonControl& daemon,
                           Clock& clock) {
  auto question = parse_queue_question(request, clock.wall());
  if (!question) return std::move(question.error());
  Shown shown{question->filter, request.rights, route_state_now(daemon, clock)};
  if (question->format == QueueFormat::json) return one_page(request, *question, shown, reader, clock);
  auto streaming = std::make_shared<Streaming>(request, *question, std::move(shown), reader, clock);
  bool is_for_people = question->format == QueueFormat::postfix;
  auto begun = streaming->begin(is_for_people ? notes_for(request.rights, reader, daemon) : std::string());
  if (!begun) return spool_trouble(begun.error());
  ControlAnswer answer;
  answer.type = type_of(question->format);
  answer.pieces = [streaming] { return streaming->piece(); };
  return answer;
}

ControlAnswer spool_trouble(const StartError& error) {
  return control_error(error.kind == Exit::try_again ? 503 : 500, error.text);
}

}  // namespace hikyaku::control
