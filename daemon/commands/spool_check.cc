// SPDX-License-Identifier: MIT
#include "daemon/commands/spool_check.h"

#include <set>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/progress.h"
#include "spool/postgresql/body.h"
#include "spool/postgresql/fleet_statements.h"
#include "spool/recovery.h"

namespace hikyaku::commands {
namespace {

using mail::SourceErrorKind;

constexpr std::size_t kPageOfCheck = 256;

bool is_there(spool::Disk& disk, const std::string& path) { return disk.open_for_reading(path).has_value(); }

class Checking {
 public:
  // `bodies` must have been listed before the log is read, so that the list includes the file of every mail
  // that the log then holds.
  Checking(spool::Disk& disk, const std::vector<std::string>& bodies, spool::View view, Progress& progress)
      : disk_(disk), bodies_(bodies.begin(), bodies.end()), view_(std::move(view)), progress_(progress) {}

  CheckReport run() {
    report_.segments = view_.statistics();
    look_at_log(view_.log());
    const auto ids = view_.ids();
    progress_.expect(ids.size());
    for (mail::MailId id : ids) look_at(id);
    for (const std::string& name : bodies_)
      report_.unnamed_bodies += is_there(disk_, cat("large/", name)) ? 1 : 0;
    return std::move(report_);
  }

 private:
  void look_at_log(const spool::SeenLog& log) {
    report_.spare_segments = log.spare.size();
    for (const spool::Alien& alien : log.aliens) note(cat(alien.path, ": ", alien.reason));
    for (spool::SegmentNumber number : log.missing)
      note(cat(spool::segment_path(number), ": is missing, although it was never reclaimed"));
    for (const spool::SegmentStatistics& segment : report_.segments)
      for (const spool::Hole& hole : segment.damage) note(to_text(segment, hole));
  }

  static std::string to_text(const spool::SegmentStatistics& segment, const spool::Hole& hole) {
    std::string whose = hole.id.value == 0 ? "" : cat(", of mail ", mail::to_text(hole.id));
    return cat(segment.path, ": ", std::to_string(hole.end - hole.begin), " damaged bytes at ",
               std::to_string(hole.begin), whose);
  }

  void look_at(mail::MailId id) {
    progress_.count_one();
    auto head = view_.load(id);
    auto content = view_.verify_content(id);
    bool has_ended = !content && content.error().kind == SourceErrorKind::unknown_mail;
    if (has_ended) return;
    ++report_.mails;
    if (view_.has_large_body(id)) count_body(id, head && !content);
    if (!head) note(head.error().text);
    bool is_news = !content && (head || head.error().text != content.error().text);
    if (is_news) note(content.error().text);
  }

  void count_body(mail::MailId id, bool is_wrong) {
    std::string path = spool::large_path(id);
    bodies_.erase(path.substr(path.rfind('/') + 1));
    bool exists = is_there(disk_, path);
    ++(exists ? report_.named_bodies : report_.missing_bodies);
    if (exists && is_wrong) ++report_.damaged_bodies;
  }

  void note(std::string what) { report_.damage.push_back(std::move(what)); }

  spool::Disk& disk_;
  std::set<std::string> bodies_;  // files in large/ that no mail has claimed yet
  spool::View view_;
  Progress& progress_;
  CheckReport report_;
};

using spool::SegmentStatistics;

void look_at(postgresql::DatabaseView& view, const spool::Glance& glance, CheckReport& report) {
  auto head = view.load(glance.id);
  auto content = view.verify_content(glance.id);
  if (!content && content.error().kind == SourceErrorKind::unknown_mail) return;
  ++report.mails;
  *report.shared_bytes += glance.size;
  if (!content && glance.size > postgresql::kPiece) ++report.damaged_bodies;
  if (!head) report.damage.push_back(head.error().text);
  if (!content) report.damage.push_back(content.error().text);
}

std::string digits(std::uint64_t value) { return std::to_string(value); }

std::uint64_t sum(const CheckReport& report, std::uint64_t SegmentStatistics::* member) {
  std::uint64_t total = 0;
  for (const SegmentStatistics& segment : report.segments) total += segment.*member;
  return total;
}

std::string text_of(const SegmentStatistics& segment) {
  return cat(segment.path, ": ", digits(segment.size), " bytes, ", digits(segment.records), " records, ",
             digits(segment.live_bytes), " bytes live, ", digits(segment.dead_bytes), " dead, ",
             segment.has_footer ? "footer" : "scanned", "\n");
}

JsonObject to_object(const SegmentStatistics& segment) {
  return JsonObject()
      .add("path", segment.path)
      .add("number", segment.number)
      .add("size", segment.size)
      .add("records", segment.records)
      .add("live_bytes", segment.live_bytes)
      .add("dead_bytes", segment.dead_bytes)
      .add("footer", segment.has_footer);
}

}  // namespace

Result<CheckReport, spool::ViewError> check_spool(spool::Disk& disk) {
  Progress progress("checking the spool");
  auto bodies = disk.list("large");
  if (!bodies) return std::unexpected(spool::to_view_error(bodies.error()));
  auto view = spool::View::open(disk);
  if (!view) return std::unexpected(view.error());
  return Checking(disk, *bodies, std::move(*view), progress).run();
}

// What is stored in pieces counts as a large body, as what has a file of its own does locally.
Result<CheckReport, spool::ViewError> check_shared(postgresql::DatabaseView& view) {
  Progress progress("checking the spool");
  CheckReport report;
  report.shared_bytes = 0;
  auto bodies = view.database().ask({{&postgresql::kBodies, {}}});
  if (!bodies) return fail(spool::ViewErrorKind::away, bodies.error().text);
  report.named_bodies = static_cast<std::uint64_t>(bodies->front().number(0, 0));
  report.unnamed_bodies = static_cast<std::uint64_t>(bodies->front().number(0, 1));
  for (mail::MailId after;;) {
    auto page = view.page_after(after, kPageOfCheck);
    if (!page) return std::unexpected(page.error());
    if (page->empty()) return report;
    for (const spool::Glance& glance : *page) {
      progress.count_one();
      look_at(view, glance, report);
    }
    after = page->back().id;
  }
}

std::uint64_t CheckReport::live_bytes() const {
  return shared_bytes.value_or(sum(*this, &SegmentStatistics::live_bytes));
}
std::uint64_t CheckReport::dead_bytes() const { return sum(*this, &SegmentStatistics::dead_bytes); }
std::uint64_t CheckReport::log_bytes() const { return sum(*this, &SegmentStatistics::size); }

std::string to_text(const CheckReport& report) {
  std::string text;
  for (const SegmentStatistics& segment : report.segments) text += text_of(segment);
  if (!report.shared_bytes)
    text += cat("segments in use: ", digits(report.segments.size()), ", ", digits(report.log_bytes()),
                " bytes; spare: ", digits(report.spare_segments), "\n");
  text +=
      cat("mails: ", digits(report.mails), "; ", digits(report.live_bytes()),
          report.shared_bytes ? " bytes\n" : cat(" bytes live, ", digits(report.dead_bytes()), " dead\n"));
  text += cat("large bodies: ", digits(report.named_bodies), " in use, ", digits(report.unnamed_bodies),
              " not in use, ", digits(report.missing_bodies), " missing, ", digits(report.damaged_bodies),
              " damaged\n");
  if (report.damage.empty()) return text + "no damage\n";
  text += cat("damage: ", digits(report.damage.size()), "\n");
  for (const std::string& line : report.damage) text += cat("  ", printable(line), "\n");
  return text;
}

std::string to_json(const CheckReport& report) {
  JsonList segments;
  for (const SegmentStatistics& segment : report.segments) segments.add(to_object(segment));
  JsonObject large_bodies;
  large_bodies.add("named", report.named_bodies)
      .add("unnamed", report.unnamed_bodies)
      .add("missing", report.missing_bodies)
      .add("damaged", report.damaged_bodies);
  return JsonObject()
      .add("segments", segments)
      .add("spare_segments", report.spare_segments)
      .add("mails", report.mails)
      .add("live_bytes", report.live_bytes())
      .add("dead_bytes", report.dead_bytes())
      .add("large_bodies", large_bodies)
      .add("damage", JsonList(report.damage))
      .text();
}

}  // namespace hikyaku::commands
