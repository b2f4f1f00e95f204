// SPDX-License-Identifier: MIT
// The report of `hikyaku spool check` as text and as JSON.
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/spool_check.h"

namespace hikyaku::commands {
namespace {

using spool::SegmentStatistics;

std::string number(std::uint64_t value) { return std::to_string(value); }

std::uint64_t sum(const CheckReport& report, std::uint64_t SegmentStatistics::* member) {
  std::uint64_t total = 0;
  for (const SegmentStatistics& segment : report.segments) total += segment.*member;
  return total;
}

std::string text_of(const SegmentStatistics& segment) {
  return cat(segment.path, ": ", number(segment.size), " bytes, ", number(segment.records), " records, ",
             number(segment.live_bytes), " bytes live, ", number(segment.dead_bytes), " dead, ",
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

std::uint64_t CheckReport::live_bytes() const { return sum(*this, &SegmentStatistics::live_bytes); }
std::uint64_t CheckReport::dead_bytes() const { return sum(*this, &SegmentStatistics::dead_bytes); }
std::uint64_t CheckReport::log_bytes() const { return sum(*this, &SegmentStatistics::size); }

std::string to_text(const CheckReport& report) {
  std::string text;
  for (const SegmentStatistics& segment : report.segments) text += text_of(segment);
  text += cat("segments in use: ", number(report.segments.size()), ", ", number(report.log_bytes()),
              " bytes; spare: ", number(report.spare_segments), "\n");
  text += cat("mails: ", number(report.mails), "; ", number(report.live_bytes()), " bytes live, ",
              number(report.dead_bytes()), " dead\n");
  text += cat("large bodies: ", number(report.named_bodies), " in use, ", number(report.unnamed_bodies),
              " not in use, ", number(report.missing_bodies), " missing, ", number(report.damaged_bodies),
              " damaged\n");
  if (report.damage.empty()) return text + "no damage\n";
  text += cat("damage: ", number(report.damage.size()), "\n");
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
